"""What a batch of a roster would do: decided before anything is written.

Pure: the state comes in, the answers go out. A row sees what the rows before it do to the same
user; names, addresses and numbers that only one user can have are judged when all rows are in, so
that users may swap them.
"""

from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import fields, replace
from typing import Final

from groupsvc.core.users.external_ids import checked_ids
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.principal import Permission, forbidden
from groupsvc.import_export import dangers
from groupsvc.import_export.columns import Values
from groupsvc.import_export.damage import NUMBERS, judge_damage
from groupsvc.import_export.dangers import Accepted, Note
from groupsvc.import_export.kinds import REMOVE, WITHDRAWN
from groupsvc.import_export.lists import FILE, Place
from groupsvc.import_export.places import Courses, PermissionCache, unknown
from groupsvc.import_export.records import Course, RosterPerson
from groupsvc.import_export.results import (
    ReadRow,
    Result,
    RowAnswer,
    answered,
    compared,
    outcome,
    refused,
)
from groupsvc.import_export.roster_claims import Claims, claims_of, looks_like
from groupsvc.import_export.roster_conflicts import History, claims_so_far, conflicts, gives

PERSONAL: Final = frozenset(field.name for field in fields(RosterPerson))


class RosterPlan:
    """``people`` and ``places`` are what has to be written: users, and (course id, username).

    They go by the usernames so far. ``released`` are ids of users who must give away what they have
    before others get it, with whether their name is among that. ``with_roles`` are ids of users who
    have roles, ``numbering`` systems whose ids are whole numbers.
    """

    def __init__(
        self,
        known: Iterable[RosterPerson],
        states: Mapping[tuple[int, str], str],
        departments: Mapping[str, str],
        courses: Courses,
        permissions: PermissionCache,
        *,
        with_roles: Set[int] = frozenset(),
        numbering: Container[str] = (),
    ) -> None:
        self.accept: Accepted = dangers.NOTHING
        self.braked: Mapping[Place, GroupsvcError] = {}
        self.people: dict[str, RosterPerson] = {}
        self.places: dict[tuple[int, str], str] = {}
        self.released: dict[int, bool] = {}
        self.notes: dict[int, Note] = {}
        self._known = {person.username: person for person in known}
        self._states = states
        self._departments = departments
        self._courses = courses
        self._permissions = permissions
        self._with_roles = with_roles
        self._numbering = numbering

    @property
    def known_ids(self) -> dict[str, int]:
        """Ids by username, of users who exist."""
        return {name: each.id for name, each in self._known.items() if each.id is not None}

    def external_ids(self, ids: Mapping[str, int]) -> list[tuple[int, str, str]]:
        """New ones; ``ids`` go by username."""
        return [
            (ids[name], *each)
            for name, person in self.people.items()
            for each in person.external_ids.items() - self._before(name).external_ids.items()
        ]

    def former_names(self, ids: Mapping[str, int]) -> list[tuple[int, str]]:
        return [
            (ids[name], each)
            for name, person in self.people.items()
            for each in sorted(person.former_names - self._before(name).former_names)
        ]

    def _before(self, name: str) -> RosterPerson:
        return self._known.get(name) or RosterPerson(None, name, None)

    def decide(self, rows: Sequence[ReadRow]) -> list[RowAnswer]:
        """Decide all rows. What is refused of a row is the answer to that row alone."""
        answers: dict[int, RowAnswer] = {}
        histories: dict[str, History] = {}
        for line, row in rows:
            if isinstance(row, GroupsvcError):
                answers[line] = refused(line, row)
                continue
            name = row["username"]
            history = histories.setdefault(name, History(self._known.get(name)))
            history.rows.append((line, row))
        for history in histories.values():
            self._decide(history)
        self._settle(histories)
        for name, history in histories.items():
            answers |= {each.line: each for each in history.answers}
            self.notes |= history.notes
            if history.after is not None and history.after != history.before:
                self.people[name] = history.after
            for course_id, state in history.places.items():
                self.places[course_id, name] = state
        return [answers[line] for line, _ in rows]

    def _settle(self, histories: Mapping[str, History]) -> None:
        """Refuse rows that bring what somebody else has in the end.

        Who had it before keeps it; else it goes to the first row that brings it. A row that is
        refused may bring its user back to what they had, which is then judged again.
        """
        held = Claims()
        for name, person in self._known.items():
            if name not in histories:
                held.add(name, claims_of(person))
        for name, history in histories.items():
            held.add(name, history.claims())
        while found := conflicts(held.contested(), histories):
            for name, refusals in found.items():
                history = histories[name]
                history.conflicts |= refusals
                held.remove(name, history.claims())
                self._decide(history)
                held.add(name, history.claims())
        self._release(histories)

    def _release(self, histories: Mapping[str, History]) -> None:
        given = {
            claim: name
            for name, history in histories.items()
            for claim in history.kept_claims() - set(claims_so_far(history.before))
        }
        for person in self._known.values():
            passed = {
                claim[0]
                for claim in claims_of(person)
                if given.get(claim, person.username) != person.username
            }
            if person.id is not None and passed:
                self.released[person.id] = "username" in passed

    def _decide(self, history: History) -> None:
        """Decide the rows of a user anew, but for those that cannot have what they want."""
        now = history.before
        history.answers, history.places, history.brought, history.notes = [], {}, {}, {}
        for line, row in history.rows:
            try:
                if line in history.conflicts:
                    raise history.conflicts[line].with_traceback(None)
                course = self._courses.find(row["course_key"]) if "course_key" in row else None
                said = judge_damage(NUMBERS, now, row, self.accept)
                after = self._after(now, row, course)
                user = self._compare(now, after, row.get("department"))
                state, wanted = self._states_of(row, course, history.places)
                enrollment = _entered(state, wanted)
                self._refuse_if_braked(course, user, enrollment)
            except GroupsvcError as why:
                history.answers.append(refused(line, why))
                continue
            kept = set(claims_so_far(now))
            for claim in claims_of(after):
                if claim not in kept or (claim in history.brought and gives(row, claim)):
                    history.brought.setdefault(claim, []).append(line)
            now = after
            if said is not None:
                history.notes[line] = said
            if course is not None and wanted is not None and enrollment != "unchanged":
                history.places[course.id] = wanted
            history.answers.append(answered(line, outcome(user, enrollment)))
        history.after = now

    def _after(
        self, before: RosterPerson | None, row: Values, course: Course | None
    ) -> RosterPerson:
        if before is None and (row.get("action") == REMOVE or "creates_nobody" in row):
            raise unknown("user")
        if "department" in row and row["department"] not in self._departments:
            raise unknown("department")
        home = course.department if course is not None else None
        given = {name: value for name, value in row.items() if name in PERSONAL}
        given["username"] = row.get("new_username", row["username"])
        if before is not None and "key" not in row and looks_like(given.get("email"), before.email):
            del given["email"]
        base = before or RosterPerson(None, row["username"], home, imported_key=row.get("key"))
        checked_ids(given.get("external_ids", {}), self._numbering)
        given["external_ids"] = {**base.external_ids, **given.get("external_ids", {})}
        given["former_names"] = base.former_names.union(given.get("former_names", ()))
        after = replace(base, **given)
        after.former_names -= {after.username, after.email or after.username}
        return after

    def _compare(
        self, before: RosterPerson | None, after: RosterPerson, named: str | None
    ) -> Result:
        """The department that a row names may be out of sight; any other one is forbidden."""
        if before == after:
            return "unchanged"
        if named is not None:
            self._permissions.require(Permission.ROSTER_WRITE, named)
        home = (before or after).department
        if not self._permissions.holds(Permission.ROSTER_WRITE, home):
            where = "where the user belongs"
            raise forbidden(Permission.ROSTER_WRITE, where=where, in_words=True)
        if before is not None and before.username != after.username:
            self._judge_rename(before)
        return compared(before, after)

    def _judge_rename(self, before: RosterPerson) -> None:
        """A token finds its person by username, so that roles would go with the name."""
        if before.id in self._with_roles:
            self._permissions.require(Permission.ADMIN, None)

    def _states_of(
        self, row: Values, course: Course | None, places: Mapping[int, str]
    ) -> tuple[str | None, str | None]:
        """The state in the course, and what it is to be; whoever is on a list is active again."""
        if course is None:
            return None, None
        state = places.get(course.id) or self._states.get((course.id, row["username"]))
        if state is None and row.get("action") == REMOVE:
            return None, None
        kept = "active" if state in (None, WITHDRAWN) else state
        return state, row.get("state", kept)

    def _refuse_if_braked(self, course: Course | None, *results: Result) -> None:
        if "erased" in results and FILE in self.braked:
            raise self.braked[FILE].with_traceback(None)
        place = (course.id, 0) if course is not None else FILE
        if WITHDRAWN in results and place in self.braked:
            raise self.braked[place].with_traceback(None)


def _entered(state: str | None, wanted: str | None) -> Result:
    if state == wanted:
        return "unchanged"
    if state is None:
        return "created"
    if wanted == WITHDRAWN:
        return "withdrawn"
    return "reactivated" if (state, wanted) == (WITHDRAWN, "active") else "updated"
