"""Grants as text: ``permission``, ``permission@department:ACRONYM`` or ``permission@course:KEY``.

This is how tokens and account files carry them. The first ``@`` ends the permission and the first
``:`` after it ends the kind of place, so that a course key may contain both.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeGuard

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.principal import Grant, Permission

MAX_NAME = 255

NO_OTHER_NAMES: Mapping[str, Permission] = MappingProxyType({})


def is_name(value: object) -> TypeGuard[str]:
    """Whether this can name a caller or a place.

    Invisible characters and lone surrogates cannot: they would forge log lines or be refused by
    the database much later.
    """
    return (
        isinstance(value, str)
        and 0 < len(value) <= MAX_NAME
        and value.isprintable()
        and value == value.strip()
    )


def parse_grant(text: str, other_names: Mapping[str, Permission] = NO_OTHER_NAMES) -> Grant:
    """Read what ``format_grant`` writes; the permission may have one of its other names.

    Raises InvalidError for anything else.
    """
    permission, department, course = parse_place(text)
    try:
        return Grant(other_names.get(permission) or Permission(permission), department, course)
    except ValueError:
        raise InvalidError("a grant begins with a known permission") from None


def parse_place(text: str) -> tuple[str, str | None, str | None]:
    """What is held, and the department or the course where it is held. Raises InvalidError."""
    held, at, place = text.partition("@")
    if not at:
        return held, None, None
    kind, _, name = place.partition(":")
    if not is_name(name):
        raise InvalidError("the place of a grant has a name that can be printed")
    if kind == "department":
        return held, name, None
    if kind == "course":
        return held, None, name
    raise InvalidError("the place of a grant is a department or a course")


def format_grant(grant: Grant) -> str:
    """The text that ``parse_grant`` reads back."""
    return format_place(grant.permission, grant.department, grant.course)


def format_place(held: str, department: str | None, course: str | None) -> str:
    """The text that ``parse_place`` reads back."""
    if course is not None:
        return f"{held}@course:{course}"
    if department is not None:
        return f"{held}@department:{department}"
    return str(held)
