"""Who calls: what they hold and where, and what they are to whom a request is about."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PERMISSIONS: Final = ("groups:read", "groups:write", "roster:write", "admin")
# The same names as in ``declared``; written as grants and roles have them.
PLACES: Final[Mapping[str, str]] = {
    "everywhere": "",
    "own department": "@department:{department}",
    "other department": "@department:{other_department}",
    "this course": "@course:{key}",
    "other course": "@course:{other_key}",
}
# What the glossary says of roles.
ROLES: Final[Mapping[str, frozenset[str]]] = {
    "staff": frozenset({"groups:read", "groups:write"}),
    "instructor": frozenset({"groups:read", "groups:write"}),
    "moderator": frozenset({"groups:read"}),
}
# The caller is the user whom requests are about, another member of the same group, or somebody of
# another department who is not in the course.
RELATIONS: Final = ("self", "member", "other")
STATES: Final = ("open", "locked", "ended", "not editable")


@dataclass(frozen=True, slots=True)
class Caller:
    """``grants`` come with the token; ``role`` is stored, and holds in one place."""

    name: str
    grants: tuple[tuple[str, str], ...] = ()
    role: tuple[str, str] | None = None

    @property
    def held(self) -> frozenset[tuple[str, str]]:
        """Every permission with its place, from wherever."""
        if self.role is None:
            return frozenset(self.grants)
        role, place = self.role
        return frozenset((permission, place) for permission in ROLES[role])

    def holds(self, permissions: frozenset[str], places: frozenset[str] | None = None) -> bool:
        """Whether one of the permissions is held in one of the places, or anywhere."""
        return any(
            permission in permissions and (places is None or place in places)
            for permission, place in self.held
        )

    def is_in(self, places: frozenset[str]) -> bool:
        return any(place in places for _, place in self.held)


def _callers() -> list[Caller]:
    nobody = Caller("nobody")
    everything = Caller("everything", tuple((each, "everywhere") for each in PERMISSIONS))
    plain = [
        Caller(f"{permission} in {place}", ((permission, place),))
        for permission, place in itertools.product(PERMISSIONS, PLACES)
    ]
    # Sees the course by one permission, and holds another one somewhere else.
    split = [
        Caller(f"{one} in {place}, {two} in this course", ((one, place), (two, "this course")))
        for one, two in itertools.permutations(PERMISSIONS, 2)
        for place in ("other department", "other course")
    ]
    by_role = [
        Caller(f"{role} in {place}", role=(role, place))
        for role, place in itertools.product(ROLES, PLACES)
    ]
    return [nobody, everything, *plain, *split, *by_role]


CALLERS: Final = _callers()
