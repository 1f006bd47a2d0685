"""Roles of persons, and the persons whom tokens of an identity provider name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import CachedToken, Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.roles import HeldRole, Role

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """An active person of the roster with their roles."""

    roles: tuple[HeldRole, ...]
    cached_token: CachedToken


class RoleRepository(Repository):
    async def find_person(self, username: str) -> NamedPerson | None:
        row = await self._row(SQL.bearer, username=username)
        if row is None:
            return None
        _, roles = json.loads(row.bearer)
        held = tuple(HeldRole(Role(role), department, course) for role, department, course in roles)
        return NamedPerson(held, CachedToken(row.key, row.bearer))

    async def team(self, course_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.team, course_id=course_id)

    async def of_user(self, user_id: int) -> JsonResource[dict[str, Any]] | None:
        return await self._document(SQL.of_user, user_id=user_id)

    async def replace_team(
        self, course_id: int, roles: Sequence[tuple[str, Role]], user_id: int | None = None
    ) -> int | None:
        """Replace the roles in a course, of all or of one user; returns which one, from 1, is for a
        username that nobody has. Nothing is written then. The course must be locked.
        """
        row = await self._row(
            SQL.replace_team,
            course_id=course_id,
            user_id=user_id,
            usernames=[username for username, _ in roles],
            roles=[role.value for _, role in roles],
        )
        return row.line if row is not None else None

    async def replace_of_user(self, user_id: int, roles: Sequence[HeldRole]) -> int | None:
        """Replace all roles of a user; returns which one, from 1, is in a place that there is not.

        Nothing is written then. The user must be locked.
        """
        row = await self._row(
            SQL.replace_of_user,
            user_id=user_id,
            roles=[held.role.value for held in roles],
            departments=[held.department for held in roles],
            courses=[held.course for held in roles],
        )
        return row.line if row is not None else None
