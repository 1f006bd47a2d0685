"""Departments and courses of a batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from groupsvc.repositories.repository import Repository
from groupsvc.repositories.statements import sql

# KEY SHARE keeps departments there for the rows that are about to refer to them.
DEPARTMENTS = sql("""
    SELECT id, acronym, name FROM departments WHERE acronym = ANY (:acronyms) FOR KEY SHARE
""")

CREATE_DEPARTMENTS = sql("""
    INSERT INTO departments (acronym, name)
    SELECT acronym, name FROM unnest(:acronyms, :names) AS given (acronym, name)
    ORDER BY acronym
    RETURNING id, acronym
""")

RENAME_DEPARTMENTS = sql("""
    UPDATE departments d SET name = given.name
    FROM unnest(:acronyms, :names) AS given (acronym, name)
    WHERE d.acronym = given.acronym AND d.name IS DISTINCT FROM given.name
""")

COURSES = sql("""
    SELECT c.id, c.key, d.acronym AS department, c.title, c.is_locked
    FROM courses c JOIN departments d ON d.id = c.department_id
    WHERE c.key = ANY (:course_keys)
""")

HOLD = "SELECT id, is_locked FROM courses WHERE id = ANY (:course_ids) ORDER BY id"
HOLD_FOR_LISTS = sql(f"{HOLD} FOR NO KEY UPDATE")
HOLD_FOR_MEMBERS = sql(f"{HOLD} FOR SHARE")

CREATE = sql("""
    INSERT INTO courses (department_id, key, title)
    SELECT department_id, key, title
    FROM unnest(:department_ids, :course_keys, :titles) WITH ORDINALITY
        AS given (department_id, key, title, place)
    ORDER BY place
    RETURNING id, key
""")

UPDATE = sql("""
    UPDATE courses c SET department_id = given.department_id, title = given.title
    FROM unnest(:ids, :department_ids, :titles) AS given (id, department_id, title)
    WHERE c.id = given.id
""")

SET_LOCK = sql("""
    UPDATE courses SET is_locked = :is_locked
    WHERE id = ANY (:course_ids) AND is_locked <> :is_locked
""")


@dataclass(frozen=True, slots=True)
class KnownDepartment:
    id: int
    acronym: str
    name: str


@dataclass(frozen=True, slots=True)
class KnownCourse:
    id: int
    key: str
    department: str
    title: str
    is_locked: bool


class CourseBatches(Repository):
    async def departments(self, acronyms: Iterable[str]) -> dict[str, KnownDepartment]:
        """Those that exist, by acronym; they stay until the transaction ends."""
        rows = await self._rows(DEPARTMENTS, acronyms=list(acronyms))
        return {row.acronym: KnownDepartment(**row._asdict()) for row in rows}

    async def create_departments(self, names: Sequence[tuple[str, str]]) -> dict[str, int]:
        """``names`` are pairs of acronym and name; answers ids by acronym."""
        rows = await self._rows(
            CREATE_DEPARTMENTS,
            acronyms=[acronym for acronym, _ in names],
            names=[name for _, name in names],
        )
        return {row.acronym: row.id for row in rows}

    async def rename_departments(self, names: Sequence[tuple[str, str]]) -> None:
        await self._rows(
            RENAME_DEPARTMENTS,
            acronyms=[acronym for acronym, _ in names],
            names=[name for _, name in names],
        )

    async def courses(self, keys: Iterable[str]) -> dict[str, KnownCourse]:
        """Those that exist, by key; nothing is held."""
        rows = await self._rows(COURSES, course_keys=list(keys))
        return {row.key: KnownCourse(**row._asdict()) for row in rows}

    async def hold_courses(self, ids: Iterable[int], *, for_lists: bool) -> dict[int, bool]:
        """Whether each is locked, which stays so; for changes of lists of partitions and groups,
        or of memberships alone."""
        statement = HOLD_FOR_LISTS if for_lists else HOLD_FOR_MEMBERS
        rows = await self._rows(statement, course_ids=list(ids))
        return {row.id: row.is_locked for row in rows}

    async def create_courses(self, courses: Sequence[tuple[int, str, str]]) -> dict[str, int]:
        """``courses`` are department id, key and title; answers ids by key, in their order."""
        rows = await self._rows(
            CREATE,
            department_ids=[department_id for department_id, _, _ in courses],
            course_keys=[key for _, key, _ in courses],
            titles=[title for _, _, title in courses],
        )
        return {row.key: row.id for row in rows}

    async def update_courses(self, courses: Sequence[tuple[int, int, str]]) -> None:
        """``courses`` are id, department id and title."""
        await self._rows(
            UPDATE,
            ids=[course_id for course_id, _, _ in courses],
            department_ids=[department_id for _, department_id, _ in courses],
            titles=[title for _, _, title in courses],
        )

    async def set_locks(self, ids: Iterable[int], *, locked: bool) -> None:
        await self._rows(SET_LOCK, course_ids=sorted(ids), is_locked=locked)
