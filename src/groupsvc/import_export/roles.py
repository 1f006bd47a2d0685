"""Roles: who acts as what in a course, in a department or everywhere."""

import asyncio
from collections.abc import Mapping, Sequence

from groupsvc.core.roles.service import ANYWHERE
from groupsvc.core.service import Service
from groupsvc.domain.principal import Permission
from groupsvc.domain.roles import HeldRole, Role, format_role
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import ROLES
from groupsvc.import_export.places import Courses, PermissionCache, unknown
from groupsvc.import_export.results import Result, RowAnswer, decide_rows, read_rows, readable
from groupsvc.import_export.tables import Row

UserKey = tuple[str, str | None]  # identifier, and the department that decides among several


class RolePlan:
    """``users`` are ids by what names them there, ``held`` the roles of each."""

    def __init__(
        self,
        users: Mapping[UserKey, int],
        held: Mapping[int, set[HeldRole]],
        departments: Mapping[str, str],
        courses: Courses,
        permissions: PermissionCache,
    ) -> None:
        self._users = users
        self._before = held
        self._now = {user_id: set(roles) for user_id, roles in held.items()}
        self._departments = departments
        self._courses = courses
        self._permissions = permissions

    @property
    def changes(self) -> list[tuple[int, HeldRole, bool]]:
        return [
            (user_id, role, role in now)
            for user_id, now in self._now.items()
            for role in sorted(now ^ self._before[user_id], key=format_role)
        ]

    def decide(self, row: Values) -> Result:
        """Raises what stands against the row, which then changes nothing."""
        self._require_place(row.get("department"), row.get("course_key"))
        user_id = self._users.get(_user_key(row, self._courses))
        if user_id is None:
            raise unknown("user")
        held, place = self._now[user_id], (row.get("department"), row.get("course_key"))
        if "role" not in row:
            there = {each for each in held if each[1:] == place}
            held -= there
            return "removed" if there else "unchanged"
        role = HeldRole(Role(row["role"]), *place)
        if role in held:
            return "unchanged"
        held.add(role)
        return "assigned"

    def _require_place(self, department: str | None, course_key: str | None) -> None:
        if course_key is not None:
            self._courses.find_held(course_key)
            return
        if department is not None and department not in self._departments:
            raise unknown("department")
        self._permissions.require(Permission.ADMIN, department)


class RoleImport(Service):
    """A row gives a user a role in its place, or without a role takes all that they have there.

    Rows without course and department are about roles everywhere.
    """

    async def import_batch(self, rows: Sequence[Row]) -> list[RowAnswer]:
        read = await asyncio.to_thread(read_rows, rows, ROLES)
        plan = await self._prepare(readable(read))
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        if changes := plan.changes:
            await self._uow.roles.change(changes)
        return answers

    async def _prepare(self, rows: Sequence[Values]) -> RolePlan:
        """Hold courses, departments and users, as whoever sets the roles of one of them does."""
        batch = self._uow.repository(BatchRepository)
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.ADMIN)
        await courses.load(self._uow, {row["course_key"] for row in rows if "course_key" in row})
        await courses.get_for_update(self._uow, for_lists=False)
        named = sorted({row["department"] for row in rows if "department" in row})
        departments = await batch.departments(named) if named else {}
        keys = {_user_key(row, courses) for row in rows}
        people = await self._uow.users.identify(keys) if keys else {}
        if people:
            await batch.lock_users({each.username for each in people.values()}, ANYWHERE)
        users = {key: person.id for key, person in people.items()}
        held = await self._uow.roles.held(set(users.values())) if users else {}
        return RolePlan(users, held, departments, courses, permissions)


def _user_key(row: Values, courses: Courses) -> UserKey:
    course = courses.get(row.get("course_key"))
    return row["user"], row.get("department") if course is None else course.department
