"""Adding users to cohorts, many at once: who is meant, who enters, who is waited for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from groupsvc.core.cohorts.records import CohortPlace, Person
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class Entry:
    """A membership that was written. ``previous_id`` is the cohort the user was moved from."""

    previous_id: int | None
    previous_name: str | None


class CohortMemberRepository(Repository):
    async def resolve(self, identifiers: Sequence[str]) -> dict[str, Person]:
        """Whom usernames and e-mail addresses mean; those that mean nobody are left out."""
        rows = await self._rows(SQL.resolve, identifiers=list(identifiers))
        return {
            identifier: Person(user_id, username, email)
            for identifier, user_id, username, email in rows
        }

    async def enter(
        self, course_id: int, partition_id: int, places: Mapping[int, int]
    ) -> dict[int, Entry]:
        """Put users (the keys) into cohorts; answers who was not there already."""
        rows = await self._rows(
            SQL.enter,
            course_id=course_id,
            partition_id=partition_id,
            user_ids=list(places),
            group_ids=list(places.values()),
        )
        entry = cache(Entry)  # many users, from few cohorts
        return {user_id: entry(cohort_id, name) for user_id, cohort_id, name in rows}

    async def expect(
        self, course_id: int, partition_id: int, places: Sequence[tuple[str, int]]
    ) -> None:
        """Let e-mail addresses wait for their users, each in the last cohort given for it."""
        await self._rows(
            SQL.preassign,
            course_id=course_id,
            partition_id=partition_id,
            emails=[email for email, _ in places],
            group_ids=[group_id for _, group_id in places],
        )

    async def open_course(self, course_id: int) -> CohortPlace | None:
        """Hold a course so that nobody locks it meanwhile."""
        row = await self._row(SQL.open_course, course_id=course_id)
        return CohortPlace(**row._asdict()) if row is not None else None
