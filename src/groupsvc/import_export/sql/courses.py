"""Departments and courses of a batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from groupsvc.core.repository import Repository
from groupsvc.db.statements import sql

# KEY SHARE keeps departments there for the rows that are about to refer to them.
DEPARTMENTS = sql("""
    SELECT acronym, name FROM departments WHERE acronym = ANY (:acronyms) FOR KEY SHARE
""")

CREATE_DEPARTMENTS = sql("""
    INSERT INTO departments (acronym, name)
    SELECT acronym, name FROM unnest(:acronyms, :names) AS given (acronym, name)
    ORDER BY acronym
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
    SELECT d.id, given.key, given.title
    FROM unnest(:departments, :course_keys, :titles) WITH ORDINALITY
        AS given (department, key, title, place)
    JOIN departments d ON d.acronym = given.department
    ORDER BY place
    RETURNING id, key
""")

UPDATE = sql("""
    UPDATE courses c SET department_id = d.id, title = given.title
    FROM unnest(:departments, :course_keys, :titles) AS given (department, key, title)
    JOIN departments d ON d.acronym = given.department
    WHERE c.key = given.key
""")

SET_LOCK = sql("""
    UPDATE courses SET is_locked = :is_locked
    WHERE id = ANY (:course_ids) AND is_locked <> :is_locked
""")


CourseValues = tuple[str, str, str]  # department, key, title


@dataclass(frozen=True, slots=True)
class KnownCourse:
    id: int
    key: str
    department: str
    title: str
    is_locked: bool


class CourseBatches(Repository):
    async def departments(self, acronyms: Iterable[str]) -> dict[str, str]:
        """Names of those that exist, by acronym; they stay until the transaction ends."""
        rows = await self._rows(DEPARTMENTS, acronyms=list(acronyms))
        return {row.acronym: row.name for row in rows}

    async def create_departments(self, names: Mapping[str, str]) -> None:
        """``names`` go by acronym."""
        await self._rows(CREATE_DEPARTMENTS, acronyms=list(names), names=list(names.values()))

    async def rename_departments(self, names: Mapping[str, str]) -> None:
        await self._rows(RENAME_DEPARTMENTS, acronyms=list(names), names=list(names.values()))

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

    async def create_courses(self, courses: Sequence[CourseValues]) -> dict[str, int]:
        """Answers ids by key; they grow in the order of the courses."""
        rows = await self._rows(CREATE, **_arrays(courses))
        return {row.key: row.id for row in rows}

    async def update_courses(self, courses: Sequence[CourseValues]) -> None:
        await self._rows(UPDATE, **_arrays(courses))

    async def set_locks(self, ids: Iterable[int], *, locked: bool) -> None:
        await self._rows(SET_LOCK, course_ids=sorted(ids), is_locked=locked)


def _arrays(courses: Sequence[CourseValues]) -> dict[str, list[str]]:
    return {
        "departments": [department for department, _, _ in courses],
        "course_keys": [key for _, key, _ in courses],
        "titles": [title for _, _, title in courses],
    }
