"""Departments and courses of a batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


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
        rows = await self._rows(SQL.departments, acronyms=list(acronyms))
        return {row.acronym: row.name for row in rows}

    async def create_departments(self, names: Mapping[str, str]) -> None:
        """``names`` go by acronym."""
        await self._rows(SQL.create_departments, acronyms=list(names), names=list(names.values()))

    async def rename_departments(self, names: Mapping[str, str]) -> None:
        await self._rows(SQL.rename_departments, acronyms=list(names), names=list(names.values()))

    async def courses(self, keys: Iterable[str]) -> dict[str, KnownCourse]:
        """Those that exist, by key; nothing is held."""
        rows = await self._rows(SQL.courses, course_keys=list(keys))
        return {row.key: KnownCourse(**row._asdict()) for row in rows}

    async def lock_courses(self, ids: Iterable[int], *, for_lists: bool) -> dict[int, bool]:
        """Whether each is locked, which stays so; for changes of lists of partitions and groups,
        or of memberships alone."""
        statement = SQL.lock_for_lists if for_lists else SQL.lock_for_members
        rows = await self._rows(statement, course_ids=list(ids))
        return {row.id: row.is_locked for row in rows}

    async def create_courses(self, courses: Sequence[CourseValues]) -> dict[str, int]:
        """Answers ids by key; they grow in the order of the courses."""
        rows = await self._rows(SQL.create, **_arrays(courses))
        return {row.key: row.id for row in rows}

    async def update_courses(self, courses: Sequence[CourseValues]) -> None:
        await self._rows(SQL.update, **_arrays(courses))

    async def set_locks(self, ids: Iterable[int], *, locked: bool) -> None:
        await self._rows(SQL.set_lock, course_ids=sorted(ids), is_locked=locked)


def _arrays(courses: Sequence[CourseValues]) -> dict[str, list[str]]:
    return {
        "departments": [department for department, _, _ in courses],
        "course_keys": [key for _, key, _ in courses],
        "titles": [title for _, _, title in courses],
    }
