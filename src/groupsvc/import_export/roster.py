"""Rosters: users, and who is in which course."""

import asyncio
from collections.abc import Sequence

from groupsvc.core.service import Service
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.kinds import ROSTER
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.records import RosterPerson
from groupsvc.import_export.results import RowAnswer, decide_rows, read_rows, readable
from groupsvc.import_export.roster_plan import RosterPlan, folded
from groupsvc.import_export.tables import Row


class RosterImport(Service):
    """A row is a user, and with a course key their place in that course as well.

    A new user belongs to the department of the course unless the row names one.
    """

    async def import_batch(self, rows: Sequence[Row]) -> list[RowAnswer]:
        read = await asyncio.to_thread(read_rows, rows, ROSTER)
        plan = await self._prepare(readable(read))
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        await self._carry_out(plan)
        return answers

    async def _prepare(self, rows: Sequence[Values]) -> RosterPlan:
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.ROSTER_WRITE)
        await courses.load(self._uow, {row["course_key"] for row in rows if "course_key" in row})
        named = sorted({row["department"] for row in rows if "department" in row})
        departments = (
            await self._uow.repository(BatchRepository).departments(named) if named else {}
        )
        people = await self._people(rows)
        ids = {person.username: person.id for person in people}
        usernames = {user_id: username for username, user_id in ids.items()}
        places = sorted(
            {
                (course.id, user_id)
                for row in rows
                if (course := courses.get(row.get("course_key")))
                and (user_id := ids.get(row["username"]))
            }
        )
        states = await self._uow.repository(BatchRepository).states(places) if places else {}
        named_states = {
            (course, usernames[user]): state for (course, user), state in states.items()
        }
        return RosterPlan(people, named_states, departments, courses, permissions)

    async def _people(self, rows: Sequence[Values]) -> list[RosterPerson]:
        """Whom the rows name, and whoever has what they want to give."""
        usernames = {row["username"] for row in rows}
        if not usernames:
            return []
        scope = self._principal.scope(Permission.ROSTER_WRITE)
        await self._uow.repository(BatchRepository).lock_users(usernames, scope)
        return await self._uow.repository(BatchRepository).users(
            usernames=usernames,
            emails={folded(row["email"]) for row in rows if row.get("email")},
            student_numbers={row["student_number"] for row in rows if row.get("student_number")},
            national_numbers={row["national_number"] for row in rows if row.get("national_number")},
        )

    async def _carry_out(self, plan: RosterPlan) -> None:
        batch = self._uow.repository(BatchRepository)
        new = [person for person in plan.people.values() if person.id is None]
        changed = [person for person in plan.people.values() if person.id is not None]
        if plan.released:
            await batch.release(plan.released)
        if changed:
            await batch.update_users(changed)
        ids = plan.known_ids
        if new:
            ids |= await batch.create_users(new)
        if plan.places:
            await batch.enroll(
                [(course, ids[name], state) for (course, name), state in plan.places.items()]
            )
