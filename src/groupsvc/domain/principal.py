"""Who is calling, and what they may do where.

A grant is a permission in a place. Permissions do not imply one another. Departments are named by
their acronym and courses by their key, so that a token issued elsewhere can carry grants.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

from groupsvc.domain.errors import ForbiddenError, NotFoundError


class Permission(StrEnum):
    GROUPS_READ = "groups:read"
    GROUPS_WRITE = "groups:write"
    ROSTER_WRITE = "roster:write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a course lives. ``course`` is absent for a place that is a whole department."""

    department: str
    course: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission everywhere, or in one department, or in one course."""

    permission: Permission
    department: str | None = None
    course: str | None = None

    def __post_init__(self) -> None:
        if self.department is not None and self.course is not None:
            raise ValueError("a grant is in a department or in a course, not in both")


# What whoever runs commands on the server may do.
EVERYTHING: Final = frozenset(Grant(permission) for permission in Permission)


@dataclass(frozen=True, slots=True)
class GrantScope:
    """The places where a permission is held, in the form that statements take."""

    everywhere: bool
    departments: tuple[str, ...]
    courses: tuple[str, ...]

    def covers(self, place: Place) -> bool:
        return (
            self.everywhere
            or place.department in self.departments
            or (place.course is not None and place.course in self.courses)
        )


NOWHERE = GrantScope(everywhere=False, departments=(), courses=())


def _scope_of(grants: Iterable[Grant]) -> GrantScope:
    grants = tuple(grants)
    return GrantScope(
        everywhere=any(g.department is None and g.course is None for g in grants),
        departments=tuple(sorted({g.department for g in grants if g.department is not None})),
        courses=tuple(sorted({g.course for g in grants if g.course is not None})),
    )


def forbidden(
    permission: Permission | None = None, *, where: str = "", in_words: bool = False
) -> ForbiddenError:
    """The refusal to whoever lacks a permission; it is named where it alone would do.

    ``in_words`` is for the rows of tables, whose answers have no other place for it.
    """
    needed = permission if permission is not None and in_words else "another permission"
    words = f"this needs {needed} {where}".rstrip()
    return ForbiddenError(words, **({"permission": permission.value} if permission else {}))


@dataclass(frozen=True)
class Principal:
    """A caller. ``username`` is their name in the roster, when the token names one."""

    subject: str
    username: str | None = None
    grants: frozenset[Grant] = field(default_factory=frozenset[Grant])

    def holds(self, permission: Permission) -> bool:
        """Whether the permission is held anywhere at all."""
        return permission in self._scopes

    def may(self, permission: Permission, place: Place | None = None) -> bool:
        """Whether the permission is held in the place, or everywhere when there is none."""
        scope = self._scopes.get(permission, NOWHERE)
        return scope.covers(place) if place is not None else scope.everywhere

    def sees(self, place: Place) -> bool:
        """A place is in sight of whoever holds any permission in it."""
        return self.visible_scope.covers(place)

    def require(
        self, permission: Permission, place: Place | None = None, *, what: str = "resource"
    ) -> None:
        """Refuse what is not granted.

        Raises NotFoundError when the place is out of sight, else ForbiddenError.
        """
        if self.may(permission, place):
            return
        if place is not None and not self.sees(place):
            raise NotFoundError(f"no such {what}")
        raise forbidden(permission, where="here")

    def scope(self, permission: Permission) -> GrantScope:
        return self._scopes.get(permission, NOWHERE)

    @cached_property
    def _scopes(self) -> dict[Permission, GrantScope]:
        held = {grant.permission for grant in self.grants}
        return {
            each: _scope_of(grant for grant in self.grants if grant.permission is each)
            for each in held
        }

    @cached_property
    def visible_scope(self) -> GrantScope:
        return _scope_of(self.grants)

    @cached_property
    def sight(self) -> Mapping[str, Any] | None:
        """What statements are to look for places in; None when that is everywhere."""
        scope = self.visible_scope
        if scope.everywhere:
            return None
        return {"seen_departments": scope.departments, "seen_courses": scope.courses}
