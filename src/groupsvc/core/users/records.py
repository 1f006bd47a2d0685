"""Users, as the database hands them out to services and faces."""

from dataclasses import dataclass
from typing import NamedTuple

from groupsvc.domain.lookalikes import Similar


@dataclass(slots=True)
class Person:
    id: int
    username: str
    email: str | None


class Sought(NamedTuple):
    """A name, what a number may have been, or a text that may be either."""

    name: str | None
    numbers: tuple[Similar, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user who may be meant; ``former`` is a name that they no longer have."""

    person: Person
    department: str | None
    student_number: str | None
    national_number: str | None
    former: str | None
