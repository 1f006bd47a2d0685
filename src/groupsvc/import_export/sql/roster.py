"""Users and enrollments of a batch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql
from groupsvc.domain.principal import GrantScope

# Apart from the reading of them: a statement that waited for a lock would read what was before.
HOLD_USERS = sql("""
    SELECT count(*) FROM (
        SELECT FROM users u
        WHERE u.username = ANY (:usernames) AND (:everywhere OR u.department_id IN (
            SELECT d.id FROM departments d WHERE d.acronym = ANY (:departments)))
        ORDER BY u.id FOR NO KEY UPDATE
    ) held
""")

# The users named, and whoever else has an address or a number that the batch wants to give.
USERS = sql("""
    SELECT u.id, u.username, d.acronym AS department, u.email, u.family_name, u.given_name,
           u.usual_name, u.civility, u.student_number, u.national_number, u.is_active
    FROM users u LEFT JOIN departments d ON d.id = u.department_id
    WHERE u.id IN (
        SELECT id FROM users WHERE username = ANY (:usernames)
        UNION SELECT id FROM users WHERE lower(email COLLATE "C") = ANY (:emails)
        UNION SELECT id FROM users WHERE student_number = ANY (:student_numbers)
        UNION SELECT id FROM users WHERE national_number = ANY (:national_numbers)
    )
""")

PERSONAL = """username, email, family_name, given_name, usual_name, civility, student_number,
    national_number, is_active, sort_key"""
GIVEN = """unnest(:departments, :usernames, :emails, :family_names, :given_names, :usual_names,
    :civilities, :student_numbers, :national_numbers, :actives, :sort_keys)"""

CREATE = sql(f"""
    INSERT INTO users (department_id, {PERSONAL})
    SELECT d.id, {PERSONAL}
    FROM {GIVEN} WITH ORDINALITY AS given (department, {PERSONAL}, place)
    LEFT JOIN departments d ON d.acronym = given.department
    ORDER BY place
    RETURNING id, username
""")

UPDATE = sql(f"""
    UPDATE users u
    SET department_id = d.id, email = given.email, family_name = given.family_name,
        given_name = given.given_name, usual_name = given.usual_name, civility = given.civility,
        student_number = given.student_number, national_number = given.national_number,
        is_active = given.is_active, sort_key = given.sort_key
    FROM {GIVEN} AS given (department, {PERSONAL})
    LEFT JOIN departments d ON d.acronym = given.department
    WHERE u.username = given.username
""")

# An address or number that passes from one user to another must be free in between.
RELEASE = sql("""
    UPDATE users SET email = NULL, student_number = NULL, national_number = NULL
    WHERE id = ANY (:user_ids)
""")

# OFFSET 0 keeps the planner from hashing a whole course for a few rows.
STATES = sql("""
    SELECT named.course_id, named.user_id, e.state
    FROM unnest(:course_ids, :user_ids) AS named (course_id, user_id)
    CROSS JOIN LATERAL (
        SELECT state FROM enrollments
        WHERE course_id = named.course_id AND user_id = named.user_id
        OFFSET 0
    ) e
""")

ENROLL = sql("""
    INSERT INTO enrollments AS e (course_id, user_id, state)
    SELECT course_id, user_id, state
    FROM unnest(:course_ids, :user_ids, :states) AS given (course_id, user_id, state)
    ORDER BY course_id, user_id
    ON CONFLICT (course_id, user_id) DO UPDATE SET state = excluded.state
        WHERE e.state <> excluded.state
""")


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
    async def hold_users(self, usernames: Iterable[str], reach: GrantScope) -> None:
        """Keep others from changing those users whom the caller may change."""
        await self._rows(
            HOLD_USERS,
            usernames=list(usernames),
            everywhere=reach.everywhere,
            departments=list(reach.departments),
        )

    async def users(self, wanted: Wanted) -> list[Person]:
        rows = await self._rows(
            USERS,
            usernames=list(wanted.usernames),
            emails=list(wanted.emails),
            student_numbers=list(wanted.student_numbers),
            national_numbers=list(wanted.national_numbers),
        )
        return [Person(*row) for row in rows]

    async def create_users(self, people: Sequence[tuple[Person, str]]) -> dict[str, int]:
        """Takes users with their sort keys; answers ids by username, which grow in that order."""
        rows = await self._rows(CREATE, **_arrays(people))
        return {row.username: row.id for row in rows}

    async def update_users(self, people: Sequence[tuple[Person, str]]) -> None:
        await self._rows(UPDATE, **_arrays(people))

    async def release(self, user_ids: Iterable[int]) -> None:
        """Take addresses and numbers from users who are about to be given other ones."""
        await self._rows(RELEASE, user_ids=sorted(user_ids))

    async def states(self, places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """States of the enrollments that exist, by course and user."""
        rows = await self._rows(
            STATES,
            course_ids=[course_id for course_id, _ in places],
            user_ids=[user_id for _, user_id in places],
        )
        return {(row.course_id, row.user_id): row.state for row in rows}

    async def enroll(self, enrollments: Sequence[tuple[int, int, str]]) -> None:
        """``enrollments`` are course, user and state, each course and user once."""
        await self._rows(
            ENROLL,
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
