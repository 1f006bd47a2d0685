"""The partitions of rows that come from a cell with several groups: a person has one group in each
partition, so that every group is looked for by its name among all of the course."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from groupsvc.core.repository import Repository
from groupsvc.core.service import Service
from groupsvc.db.statements import SqlFile
from groupsvc.domain.lookalikes import lookalike
from groupsvc.domain.principal import Permission
from groupsvc.import_export.parts import AMONG
from groupsvc.import_export.places import Courses, PermissionCache
from groupsvc.import_export.tables import UNIT, Row

SQL: Final = SqlFile(__file__)

Partitions = Mapping[str, set[str]]  # by what looks like the name of a group


class FoundPartitions(Service):
    async def fill(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The rows with their partitions, or with what is wrong with them.

        A partition that a row has already is meant when it has the group, or when no other has.
        """
        keys = {row.cells["course_key"].strip() for row in rows if AMONG in row.cells}
        if not keys:
            return rows
        courses = Courses(PermissionCache(self._uow, self._principal), Permission.GROUPS_WRITE)
        await courses.load(self._uow, keys)
        ids = {key: course.id for key in keys if (course := courses.get(key)) is not None}
        groups = await self._uow.repository(_GroupRepository).partitions({*ids.values()})
        found = {key: groups[course_id] for key, course_id in ids.items()}
        return [
            _filled(row, found.get(row.cells["course_key"].strip())) if AMONG in row.cells else row
            for row in rows
        ]


class _GroupRepository(Repository):
    async def partitions(self, course_ids: Collection[int]) -> dict[int, dict[str, set[str]]]:
        """Partitions by course and by what looks like the name of a group."""
        found: dict[int, dict[str, set[str]]] = {course_id: {} for course_id in course_ids}
        if course_ids:
            for row in await self._rows(SQL.groups_of_courses, course_ids=list(course_ids)):
                groups = found[row.course_id].setdefault(lookalike(row.group), set())
                groups.add(row.partition)
        return found


def _filled(row: Row, partitions: Partitions | None) -> Row:
    told = row.cells.get("partition", "")
    group = row.cells["group"]
    if partitions is None:  # It is refused for its course.
        return replace(row, cells={**row.cells, "partition": told or group})
    ours = _meant(group, told, partitions)
    if not ours:
        return replace(row, fault="no partition has a group of this name, and none is told")
    if len(ours) > 1:
        return replace(row, fault=f"groups of this name are in several partitions{_named(ours)}")
    others = [each for each in row.cells[AMONG].split(UNIT) if each != group]
    if _is_there(group, partitions):
        others = [each for each in others if _is_there(each, partitions)]
    if any(_meant(each, told, partitions) == ours for each in others):
        return replace(row, fault=f"there are several groups of the partition {ours.pop()}")
    return replace(row, cells={**row.cells, "partition": ours.pop()})


def _is_there(group: str, partitions: Partitions) -> bool:
    return lookalike(group) in partitions


def _meant(group: str, told: str, partitions: Partitions) -> set[str]:
    having = partitions.get(lookalike(group), set())
    return {told} if told and (told in having or not having) else set(having)


def _named(partitions: Iterable[str]) -> str:
    return f": {', '.join(sorted(partitions))}"
