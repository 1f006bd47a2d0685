"""Roles of persons, and the persons whom tokens of an identity provider name."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.roles import HeldRole, Role

SQL: Final = SqlFile(__file__)


class BearerRoles(NamedTuple):
    """The roles of a person in a version of what all tokens stand for."""

    roles: tuple[HeldRole, ...]
    access_version: UUID | None


class RoleRepository(Repository):
    async def of_bearer(self, username: str) -> BearerRoles:
        """Those of an active person of the roster; of anybody else there are none."""
        return (await self.of_bearers([username]))[username]

    async def of_bearers(self, usernames: Collection[str]) -> Mapping[str, BearerRoles]:
        """The same for many."""
        rows = await self._rows(SQL.of_bearers, usernames=list(usernames))
        return {
            row.username: BearerRoles(_held(json.loads(row.roles)), row.access_version)
            for row in rows
        }

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

    async def held(self, user_ids: Collection[int]) -> dict[int, set[HeldRole]]:
        """All roles of users, those without any included."""
        found: dict[int, set[HeldRole]] = {user_id: set() for user_id in user_ids}
        for row in await self._rows(SQL.held, user_ids=list(user_ids)):
            found[row.user_id].add(HeldRole(Role(row.role), row.department, row.course))
        return found

    async def change(self, changes: Sequence[tuple[int, HeldRole, bool]]) -> None:
        """Give and take roles; each is of a user, who is to hold it from now on or not to.

        Users and places must be locked.
        """
        await self._rows(
            SQL.change,
            user_ids=[user_id for user_id, _, _ in changes],
            roles=[held.role.value for _, held, _ in changes],
            departments=[held.department for _, held, _ in changes],
            courses=[held.course for _, held, _ in changes],
            is_held=[is_held for _, _, is_held in changes],
        )


def _held(rows: Sequence[Any]) -> tuple[HeldRole, ...]:
    return tuple(HeldRole(Role(role), department, course) for role, department, course in rows)
