"""Rosters: users, and who is in which course."""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from functools import partial

from groupsvc.core.service import Service
from groupsvc.core.users.recognition import sees
from groupsvc.domain.errors import ConflictError, GroupsvcError
from groupsvc.domain.principal import Permission
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import together
from groupsvc.import_export.departments import read_departments
from groupsvc.import_export.kinds import IDENTIFIERS, ROSTER, WITHDRAWN
from groupsvc.import_export.list_repository import ListRepository
from groupsvc.import_export.lists import FILE, Lists
from groupsvc.import_export.missing import MissingPeople, texts
from groupsvc.import_export.never_here import TO_BE_GONE, say_never_here
from groupsvc.import_export.options import Options
from groupsvc.import_export.pending import Pending
from groupsvc.import_export.places import Courses, PermissionCache, ids_of
from groupsvc.import_export.record_keys import KeyRepository
from groupsvc.import_export.records import RosterPerson
from groupsvc.import_export.results import HAS_IDS, ReadRow, RowAnswer, noted, read_rows, readable
from groupsvc.import_export.roster_claims import folded
from groupsvc.import_export.roster_keys import RosterKeys
from groupsvc.import_export.roster_people import RosterPeople, sought
from groupsvc.import_export.roster_plan import RosterPlan
from groupsvc.import_export.survey import KeyedInFile
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import is_taken


class RosterImport(Service):
    """A row is a user, and with a course key their place in that course as well.

    A new user belongs to the department of the course unless the row names one.
    """

    async def import_batch(
        self, rows: Sequence[Row], pending: Pending, options: Options
    ) -> list[RowAnswer]:
        lists = pending.lists
        read = await asyncio.to_thread(read_rows, rows, ROSTER, clears=options.clears)
        for row, (_, values) in zip(rows, read, strict=True):
            if TO_BE_GONE in row.cells and not isinstance(values, GroupsvcError):
                values["creates_nobody"] = True
        permissions = PermissionCache(self._uow, self._principal)
        courses = Courses(permissions, Permission.ROSTER_WRITE)
        keys = {row["course_key"] for row in readable(read) if "course_key" in row}
        if lists.wanted:
            keys |= {key for row in rows for key in texts(row, ("course_key",))}
        await courses.load(self._uow, keys, ids=ids_of(readable(read)))
        keys_read = await self._read_keys(readable(read), pending.keyed)
        read, notes = keys_read.read(read), keys_read.notes
        named_departments = await read_departments(self._uow, read, permissions.sees, _is_literal)
        read = named_departments.rows
        people = await self._people(readable(read))
        if any(row.get("username") not in people for row in readable(read)):
            wanted = sought(readable(read), people)
            named = RosterPeople(
                people,
                await self._uow.users.candidates(wanted) if wanted else {},
                options.accept,
                home=partial(_home, courses=courses),
                in_sight=partial(sees, self._principal),
                has_key=lambda each: (
                    each.person.username in keys_read.named
                    or pending.keyed.has("users", each.person.id)
                ),
            )
            read, notes = named.read(read), notes | named.notes
            if not named.found <= people.keys():
                people = await self._people(readable(read))
            literal = {row["username"] for row in readable(read) if "is_literal" in row}
            if not (named.found | literal) <= people.keys():
                raise ConflictError("users have changed meanwhile")  # The batch is decided anew.
        plan = await self._plan(
            readable(read), people, named_departments.names, courses, permissions
        )
        plan.accept, plan.braked = options.accept, lists.braked
        answers = say_never_here(rows, await asyncio.to_thread(plan.decide, read))
        if pending.follow or is_taken(answers):
            _tell_subjects(answers, read)
        if lists.wanted:
            await self._look(courses, keys, lists)
        ids = await self._carry_out(plan)
        if lists.wanted:
            count_people(lists, read, answers, courses, ids, plan.known_ids)
            missing = MissingPeople(self._uow, self._principal)
            await missing.spare(lists, rows, answers, IDENTIFIERS, courses)
        said = together(courses.notes(read), named_departments.notes)
        return noted(answers, together(together(plan.notes, notes), said))

    async def _read_keys(self, rows: Sequence[Values], keyed: KeyedInFile) -> RosterKeys:
        told = {row["key"] for row in rows if "key" in row}
        known = await self._uow.repository(KeyRepository).users(told)
        others = {
            row["username"]
            for row in rows
            if "key" in row and "username" in row and row["key"] not in known
        }
        named = set[str]()
        if keyed and others:
            called = await self._uow.users.by_username(others)
            named = {name for name, each in called.items() if keyed.has("users", each.id)}
        return RosterKeys(known, named, keyed.given_up)

    async def _look(self, courses: Courses, keys: Iterable[str], lists: Lists) -> None:
        """How many there are before anything is written."""
        found = (courses.get(key) for key in keys)
        new = {each.id for each in found if each is not None and (each.id, 0) not in lists.before}
        if new:
            active = await self._uow.repository(ListRepository).active(new)
            lists.before |= {(course_id, 0): count for course_id, count in active.items()}

    async def _plan(
        self,
        rows: Sequence[Values],
        people: Mapping[str, RosterPerson],
        departments: Mapping[str, str],
        courses: Courses,
        permissions: PermissionCache,
    ) -> RosterPlan:
        batch = self._uow.repository(BatchRepository)
        ids = {name: person.id for name, person in people.items()}
        usernames = {user_id: username for username, user_id in ids.items()}
        places = sorted(
            {
                (course.id, user_id)
                for row in rows
                if (course := courses.get(row.get("course_key")))
                and (user_id := ids.get(row["username"]))
            }
        )
        states = await batch.states(places) if places else {}
        named_states = {
            (course, usernames[user]): state for (course, user), state in states.items()
        }
        renamed = {ids.get(row["username"]) for row in rows if "new_username" in row}
        known = sorted(user_id for user_id in renamed if user_id is not None)
        held = await self._uow.roles.held(known) if known else {}
        with_roles = {user_id for user_id, roles in held.items() if roles}
        return RosterPlan(
            people.values(),
            named_states,
            departments,
            courses,
            permissions,
            with_roles=with_roles,
            numbering=self._uow.vocabulary.numbering_systems,
        )

    async def _people(self, rows: Sequence[Values]) -> dict[str, RosterPerson]:
        """Whom the rows name, and whoever has what they want to give; by username."""
        usernames = {
            row[name] for row in rows for name in ("username", "new_username") if name in row
        }
        batch = self._uow.repository(BatchRepository)
        if usernames:
            await batch.lock_users(usernames, self._principal.scope(Permission.ROSTER_WRITE))
        if not rows:
            return {}
        found = await batch.users(
            usernames=usernames,
            emails={folded(row["email"]) for row in rows if row.get("email")},
            student_numbers={row["student_number"] for row in rows if row.get("student_number")},
            national_numbers={row["national_number"] for row in rows if row.get("national_number")},
            external_ids={each for row in rows for each in row.get("external_ids", {}).items()},
        )
        return {person.username: person for person in found}

    async def _carry_out(self, plan: RosterPlan) -> dict[str, int]:
        """Return ids by username."""
        batch = self._uow.repository(BatchRepository)
        new = {name: each for name, each in plan.people.items() if each.id is None}
        changed = [person for person in plan.people.values() if person.id is not None]
        lent = await batch.release(plan.released) if plan.released else []
        if changed:
            await batch.update_users(changed)
        if lent:
            await batch.forget_user_names(lent)
        ids = plan.known_ids
        if new:
            created = await batch.create_users([*new.values()])
            ids |= {name: created[each.username] for name, each in new.items()}
        if external_ids := plan.external_ids(ids):
            await batch.set_external_ids(external_ids)
        if former_names := plan.former_names(ids):
            await batch.remember_users(former_names)
        if plan.places:
            await batch.enroll(
                [(course, ids[name], state) for (course, name), state in plan.places.items()]
            )
        return ids


def count_people(
    lists: Lists,
    rows: Iterable[ReadRow],
    answers: Iterable[RowAnswer],
    courses: Courses,
    ids: Mapping[str, int],
    known: Container[str],
) -> None:
    """Keep in mind whom rows name, and whom they withdraw or erase something of."""
    for (_, row), answer in zip(rows, answers, strict=True):
        user_id = None if isinstance(row, GroupsvcError) else ids.get(row["username"])
        if isinstance(row, GroupsvcError) or user_id is None:
            continue
        if row["username"] in known:
            lists.name(FILE, [user_id])
        if "erased" in answer.results:
            lists.lose(FILE, user_id)
        course = courses.get(row.get("course_key"))
        if course is None:
            continue
        place = (course.id, 0)
        lists.name(place, [user_id])
        if answer.result != "refused":
            lists.listed.setdefault(place, {})
        if WITHDRAWN in answer.results:
            lists.lose(place, user_id)


def _tell_subjects(answers: Iterable[RowAnswer], rows: Iterable[ReadRow]) -> None:
    """Users go by the name so far, and by the one that they get."""
    for answer, (_, row) in zip(answers, rows, strict=True):
        if not isinstance(row, GroupsvcError):
            answer.subjects = (row["username"], row.get("new_username", row["username"]))


def _is_literal(row: Values) -> bool:
    return "key" in row or HAS_IDS in row


def _home(row: Values, *, courses: Courses) -> str | None:
    """Where a new user would be."""
    if "department" in row:
        department: str = row["department"]
        return department
    course = courses.get(row.get("course_key"))
    return course.department if course is not None else None
