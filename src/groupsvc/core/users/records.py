"""Users, as the database hands them out to services and faces."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    username: str
    email: str | None
