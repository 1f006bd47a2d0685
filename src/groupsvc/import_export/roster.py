"""Rosters: users, and who is in which course."""

import asyncio
from collections.abc import Sequence

from groupsvc.core.service import Service
from groupsvc.domain.names import sort_key
from groupsvc.domain.principal import Permission
from groupsvc.import_export.places import Courses, Rights
from groupsvc.import_export.results import RowAnswer, decide_rows, read_rows, understood
from groupsvc.import_export.roster_plan import RosterPlan, RosterRow, folded, read_row
from groupsvc.import_export.sql.imports import ImportRepository
from groupsvc.import_export.sql.roster import Person, Wanted
from groupsvc.import_export.tables import Row


class RosterImport(Service):
    """A row is a user, and with a course key his place in that course as well.

    A new user belongs to the department of the course unless the row names one.
    """

    async def take(self, rows: Sequence[Row]) -> list[RowAnswer]:
        read = await asyncio.to_thread(read_rows, rows, read_row)
        plan = await self._prepare(understood(read))
        answers = await asyncio.to_thread(decide_rows, read, plan.decide)
        await self._carry_out(plan)
        return answers

    async def _prepare(self, rows: Sequence[RosterRow]) -> RosterPlan:
        rights = Rights(self._uow, self._principal)
        courses = Courses(rights, Permission.ROSTER_WRITE)
        await courses.load(self._uow, {row.course_key for row in rows if row.course_key})
        named = sorted({row.department for row in rows if row.department})
        departments = (
            await self._uow.repository(ImportRepository).departments(named) if named else {}
        )
        people = await self._people(rows)
        ids = {person.username: person.id for person in people}
        usernames = {user_id: username for username, user_id in ids.items()}
        places = sorted(
            {
                (course.id, user_id)
                for row in rows
                if (course := courses.get(row.course_key)) and (user_id := ids.get(row.username))
            }
        )
        states = await self._uow.repository(ImportRepository).states(places) if places else {}
        named_states = {
            (course, usernames[user]): state for (course, user), state in states.items()
        }
        return RosterPlan(people, named_states, departments, courses, rights)

    async def _people(self, rows: Sequence[RosterRow]) -> list[Person]:
        """Whom the rows name, and whoever has what they want to give."""
        usernames = {row.username for row in rows}
        if not usernames:
            return []
        scope = self._principal.scope(Permission.ROSTER_WRITE)
        await self._uow.repository(ImportRepository).lock_users(usernames, scope)
        given = [row.given for row in rows]
        wanted = Wanted(
            usernames,
            {folded(email) for each in given if (email := each.get("email"))},
            {number for each in given if (number := each.get("student_number"))},
            {number for each in given if (number := each.get("national_number"))},
        )
        return await self._uow.repository(ImportRepository).users(wanted)

    async def _carry_out(self, plan: RosterPlan) -> None:
        keyed = [
            (person, sort_key(person.family_name, person.given_name, person.username))
            for person in plan.people.values()
        ]
        new = [each for each in keyed if each[0].id is None]
        changed = [each for each in keyed if each[0].id is not None]
        if plan.released:
            await self._uow.repository(ImportRepository).release(plan.released)
        if changed:
            await self._uow.repository(ImportRepository).update_users(changed)
        ids = plan.known_ids
        if new:
            ids |= await self._uow.repository(ImportRepository).create_users(new)
        if plan.places:
            await self._uow.repository(ImportRepository).enroll(
                [(course, ids[name], state) for (course, name), state in plan.places.items()]
            )
