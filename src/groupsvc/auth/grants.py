"""Grants as text: ``permission``, ``permission@department:ACRONYM`` or ``permission@course:KEY``.

This is how tokens and account files carry them. The first ``@`` ends the permission and the first
``:`` after it ends the kind of place, so that a course key may contain both.
"""

from typing import TypeGuard

from groupsvc.auth.principal import Grant, Permission
from groupsvc.errors import InvalidError

MAX_NAME = 255


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


def parse_grant(text: str) -> Grant:
    """Raises InvalidError for anything that ``format_grant`` does not write."""
    permission, at, place = text.partition("@")
    try:
        held = Permission(permission)
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
    """Raises InvalidError for a grant in two places at once, which has no text form."""
    if grant.course is not None and grant.department is not None:
        raise InvalidError("a grant is held in one place")
    if grant.course is not None:
        return f"{grant.permission}@course:{grant.course}"
    if grant.department is not None:
        return f"{grant.permission}@department:{grant.department}"
    return grant.permission.value
