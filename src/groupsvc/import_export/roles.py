"""Roles: who acts as what in a course, in a department or everywhere."""

import asyncio
from collections.abc import Mapping, Sequence

from groupsvc.core.roles.service import ANYWHERE
from groupsvc.core.service import Service
from groupsvc.core.users.recognition import Recognised, recognise
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.domain.roles import HeldRole, Role, format_role
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import ambiguous, note, together
from groupsvc.import_export.departments import read_departments
from groupsvc.import_export.kinds import REMOVE, ROLES
from groupsvc.import_export.never_here import say_never_here
from groupsvc.import_export.places import Courses, PermissionCache, ids_of, unknown
from groupsvc.import_export.results import (
    Outcome,
    RowAnswer,
    decide_rows,
    noted,
    read_rows,
    readable,
)
from groupsvc.import_export.tables import Row

UserKey = tuple[str, str | None]  # identifier, and the department that decides among several


class RolePlan:
    """``users`` go by what names them there, ``held`` are the roles of each."""

    def __init__(
        self,
        users: Mapping[UserKey, Recognised],
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

    def decide(self, row: Values) -> Outcome:
        """Raises what stands against the row, which then changes nothing."""
        place = self._place(row.get("department"), row.get("course_key"))
        found = self._users.get(_user_key(row, self._courses))
        if found is None:
            raise unknown("user")
        if found.person is None:
            raise ambiguous("user", found.near)
        held = self._now[found.person.id]
        there = {each for each in held if each[1:] == place}
        named = {HeldRole(Role(row["role"]), *place)} if row.get("role") else set[HeldRole]()
        if row.get("action") == REMOVE or ("role" in row and not named):
            gone = there & named if named else there
            held -= gone
            return ("removed" if gone else "unchanged",)
        held |= named
        return ("assigned" if named - there else "unchanged",)

    def _place(
        self, department: str | None, course_key: str | None
    ) -> tuple[str | None, str | None]:
        """As it is called now; raises what stands against it."""
        if course_key is not None:
            return None, self._courses.find_held(course_key).key
        if department is not None and department not in self._departments:
            raise unknown("department")
        self._permissions.require(Permission.ADMIN, department)
        return department, None


class RoleImport(Service):
    """A row gives a user a role in its place; one that is to remove takes it, or all there.

    Rows without course and department are about roles everywhere.
    """

    async def import_batch(self, rows: Sequence[Row], *, clears: bool = False) -> list[RowAnswer]:
        """Hold courses, departments and users, as whoever sets the roles of one of them does."""
        read = await asyncio.to_thread(read_rows, rows, ROLES, clears=clears)
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.ADMIN)
        keys = {row["course_key"] for row in readable(read) if "course_key" in row}
        await courses.load(self._uow, keys, ids=ids_of(readable(read)))
        await courses.get_for_update(self._uow, for_lists=False)
        named = await read_departments(self._uow, read, permissions.sees, lambda _: False)
        users = {_user_key(row, courses) for row in readable(named.rows)}
        found = await recognise(self._uow, self._principal, users) if users else {}
        people = {each.person.username: each.person.id for each in found.values() if each.person}
        if people:
            batch = self._uow.repository(BatchRepository)
            await batch.lock_users(people, ANYWHERE)
        held = await self._uow.roles.held(set(people.values())) if people else {}
        plan = RolePlan(found, held, named.names, courses, permissions)
        answers = await asyncio.to_thread(decide_rows, named.rows, plan.decide)
        answers = say_never_here(rows, answers)
        if changes := plan.changes:
            await self._uow.roles.change(changes)
        said = {
            line: note(each.how, each.person.username)
            for line, row in named.rows
            if not isinstance(row, GroupsvcError)
            and (each := found.get(_user_key(row, courses))) is not None
            and each.person is not None
            and each.how != "exact"
        }
        return noted(answers, together(together(courses.notes(named.rows), named.notes), said))


def _user_key(row: Values, courses: Courses) -> UserKey:
    course = courses.get(row.get("course_key"))
    return row["user"], row.get("department") if course is None else course.department
