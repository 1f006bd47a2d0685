"""Grants that claims of other systems stand for: administrators, roles in courses, scopes.

An identity provider that cannot write grants may still say who is staff of which course. What is
not understood grants nothing and is no error.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from groupsvc.domain.grants import is_name
from groupsvc.domain.principal import Grant, Permission

EVERYWHERE: Final = "*"

Permissions = Mapping[str, frozenset[Permission]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimGrants:
    """Names of claims, and what their values grant. A claim without a name is not looked at.

    ``administrators`` are flags, of which one that is true grants everything everywhere. Roles are
    written ``role:course key``, or ``role:*`` for all courses; scopes hold everywhere.
    """

    administrators: tuple[str, ...] = ()
    roles: str = ""
    role_permissions: Permissions = field(default_factory=dict[str, frozenset[Permission]])
    scopes: str = ""
    scope_permissions: Permissions = field(default_factory=dict[str, frozenset[Permission]])

    def read(self, claims: Mapping[str, object]) -> Iterator[Grant]:
        if any(claims.get(name) is True for name in self.administrators):
            yield from map(Grant, Permission)
        for text in _texts(claims, self.roles):
            role, _, course = text.partition(":")
            for permission in self.role_permissions.get(role, ()):
                if course == EVERYWHERE:
                    yield Grant(permission)
                elif is_name(course):
                    yield Grant(permission, course=course)
        for scope in _texts(claims, self.scopes):
            yield from map(Grant, self.scope_permissions.get(scope, ()))


def parse_permissions(pairs: Iterable[str], *, setting: str) -> Permissions:
    """What names grant, from ``name=permission`` each.

    Raises ValueError, which names the setting.
    """
    found: dict[str, set[Permission]] = {}
    for pair in pairs:
        name, _, permission = pair.partition("=")
        try:
            found.setdefault(name.strip(), set()).add(Permission(permission.strip()))
        except ValueError:
            raise ValueError(f"{setting} has a pair that is not name=permission") from None
    return {name: frozenset(permissions) for name, permissions in found.items() if name}


def _texts(claims: Mapping[str, object], name: str) -> list[str]:
    """A list of texts, or one text with blanks between them."""
    value = claims.get(name) if name else None
    if isinstance(value, str):
        return value.split()
    items = cast("list[object]", value) if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str)]
