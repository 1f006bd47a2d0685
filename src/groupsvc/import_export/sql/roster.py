"""Users and enrollments of a batch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.principal import GrantScope

SQL: Final = SqlFile(__file__)


@dataclass(slots=True)
class Person:
    """A user as a roster tells of him; ``id`` is None for one who is about to be created."""

    id: int | None
    username: str
    department: str | None
    email: str | None
    family_name: str
    given_name: str
    usual_name: str | None
    civility: str
    student_number: str | None
    national_number: str | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a batch names that only one user can have. Addresses are in lower case."""

    usernames: Collection[str]
    emails: Collection[str]
    student_numbers: Collection[str]
    national_numbers: Collection[str]


class RosterBatches(Repository):
    async def lock_users(self, usernames: Iterable[str], scope: GrantScope) -> None:
        """Keep others from changing those users whom the caller may change."""
        await self._rows(
            SQL.lock_users,
            usernames=list(usernames),
            everywhere=scope.everywhere,
            departments=list(scope.departments),
        )

    async def users(self, wanted: Wanted) -> list[Person]:
        rows = await self._rows(
            SQL.users,
            usernames=list(wanted.usernames),
            emails=list(wanted.emails),
            student_numbers=list(wanted.student_numbers),
            national_numbers=list(wanted.national_numbers),
        )
        return [Person(*row) for row in rows]

    async def create_users(self, people: Sequence[tuple[Person, str]]) -> dict[str, int]:
        """Takes users with their sort keys; answers ids by username, which grow in that order."""
        rows = await self._rows(SQL.create, **_arrays(people))
        return {row.username: row.id for row in rows}

    async def update_users(self, people: Sequence[tuple[Person, str]]) -> None:
        await self._rows(SQL.update, **_arrays(people))

    async def release(self, user_ids: Iterable[int]) -> None:
        """Take addresses and numbers from users who are about to be given other ones."""
        await self._rows(SQL.release, user_ids=sorted(user_ids))

    async def states(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """States of the enrollments that exist, by course and user."""
        rows = await self._rows(
            SQL.states,
            course_ids=[course_id for course_id, _ in places],
            user_ids=[user_id for _, user_id in places],
        )
        return {(row.course_id, row.user_id): row.state for row in rows}

    async def enroll(self, enrollments: Sequence[tuple[int, int, str]]) -> None:
        """``enrollments`` are course, user and state, each course and user once."""
        await self._rows(
            SQL.enroll,
            course_ids=[course_id for course_id, _, _ in enrollments],
            user_ids=[user_id for _, user_id, _ in enrollments],
            states=[state for _, _, state in enrollments],
        )


def _arrays(people: Sequence[tuple[Person, str]]) -> dict[str, list[object]]:
    users = [person for person, _ in people]
    return {
        "departments": [user.department for user in users],
        "usernames": [user.username for user in users],
        "emails": [user.email for user in users],
        "family_names": [user.family_name for user in users],
        "given_names": [user.given_name for user in users],
        "usual_names": [user.usual_name for user in users],
        "civilities": [user.civility for user in users],
        "student_numbers": [user.student_number for user in users],
        "national_numbers": [user.national_number for user in users],
        "actives": [user.is_active for user in users],
        "sort_keys": [sort_key for _, sort_key in people],
    }
