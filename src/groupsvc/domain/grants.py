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
    permission, at, place = text.partition("@")
    try:
        held = other_names.get(permission) or Permission(permission)
    except ValueError:
        raise InvalidError("a grant begins with a known permission") from None
    if not at:
        return Grant(held)
    kind, _, name = place.partition(":")
    if not is_name(name):
        raise InvalidError("the place of a grant has a name that can be printed")
    if kind == "department":
        return Grant(held, department=name)
    if kind == "course":
        return Grant(held, course=name)
    raise InvalidError("the place of a grant is a department or a course")


def format_grant(grant: Grant) -> str:
    """The text that ``parse_grant`` reads back."""
    if grant.course is not None:
        return f"{grant.permission}@course:{grant.course}"
    if grant.department is not None:
        return f"{grant.permission}@department:{grant.department}"
    return grant.permission.value
