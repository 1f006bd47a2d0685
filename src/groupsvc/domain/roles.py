"""Roles of persons: what each lets them do in its place."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.grants import format_place, parse_place
from groupsvc.domain.principal import Grant, Permission


class Role(StrEnum):
    STAFF = "staff"
    INSTRUCTOR = "instructor"
    MODERATOR = "moderator"


# The one place that says what a role is good for.
PERMISSIONS: Final[Mapping[Role, tuple[Permission, ...]]] = {
    Role.STAFF: (Permission.GROUPS_READ, Permission.GROUPS_WRITE),
    Role.INSTRUCTOR: (Permission.GROUPS_READ, Permission.GROUPS_WRITE),
    Role.MODERATOR: (Permission.GROUPS_READ,),
}


class HeldRole(NamedTuple):
    """A role everywhere, or in one department or course, which are named as in grants."""

    role: Role
    department: str | None = None
    course: str | None = None


def grants_of(roles: Iterable[HeldRole]) -> Iterator[Grant]:
    for held in roles:
        for permission in PERMISSIONS[held.role]:
            yield Grant(permission, held.department, held.course)


def parse_role(text: str) -> HeldRole:
    """Read ``role``, ``role@department:ACRONYM`` or ``role@course:KEY``.

    Raises InvalidError for anything else.
    """
    name, department, course = parse_place(text)
    try:
        return HeldRole(Role(name), department, course)
    except ValueError:
        raise InvalidError(f"a role is one of {', '.join(Role)}") from None


def format_role(held: HeldRole) -> str:
    """The text that ``parse_role`` reads back."""
    return format_place(held.role, held.department, held.course)
