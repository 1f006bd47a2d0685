"""Writes partitions, groups and memberships of a formsemestre into one of our courses.

An import may be repeated: partitions and groups that exist under the same name are used.
"""

from collections.abc import Mapping, Sequence

from groupsvc.cli.remote_import import CopiedRow
from groupsvc.cli.runtime import OPERATOR
from groupsvc.cli.scodoc_source import SourceGroup, SourcePartition, SourceStudent
from groupsvc.core.class_lists.service import ClassListService, Codes
from groupsvc.core.courses.service import CourseService
from groupsvc.core.groups.service import GroupService
from groupsvc.core.memberships.service import AssignmentRow, MembershipService
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import PartitionDoc
from groupsvc.faces.scodoc.vocabulary import VOCABULARY


async def copy_semester(
    key: str,
    source: Sequence[SourcePartition],
    uow: UnitOfWork,
    *,
    users: Mapping[int, int] | None = None,
) -> list[CopiedRow]:
    """Return the results of memberships. ``users`` are ours by the ids of students there; without
    it they are looked for by their numbers and names.

    Raises NotFoundError without the course, and the refusals of the services.
    """
    return await _SemesterCopy(uow, users).write(key, source)


class _SemesterCopy:
    def __init__(self, uow: UnitOfWork, users: Mapping[int, int] | None) -> None:
        self._users = users
        self._courses = CourseService(uow, OPERATOR)
        self._partitions = PartitionService(uow, OPERATOR)
        self._groups = GroupService(uow, OPERATOR)
        self._memberships = MembershipService(uow, OPERATOR)
        self._class_lists = ClassListService(uow, OPERATOR)

    async def write(self, key: str, source: Sequence[SourcePartition]) -> list[CopiedRow]:
        try:
            course = await self._courses.read_key(key)
        except NotFoundError:
            raise NotFoundError(f"there is no course {key}: declare it first") from None
        course_id: int = course.data["id"]
        rows: list[CopiedRow] = []
        for partition in source:
            ids = await self._write_groups(course_id, partition)
            rows += await self._write_members(course.department, partition, ids)
        return rows

    async def _write_groups(self, course_id: int, source: SourcePartition) -> PartitionDoc:
        """Return our partition, which has at least the groups of the one there."""
        if source.partition_name == VOCABULARY.tracks_name:
            return await self._write_tracks(course_id, source)
        listed = (await self._partitions.in_course(course_id)).data
        found = next((each for each in listed if each["name"] == source.partition_name), None)
        if found is None:
            document = await self._partitions.create(
                course_id,
                source.partition_name,
                position=(source.numero or 0) + 1,
                show_rank_on_report=source.bul_show_rank,
                show_in_lists=source.show_in_lists,
            )
            found = document.data
        known = {group["name"] for group in found["groups"]}
        missing = [each for each in source.groups.values() if each.group_name not in known]
        if missing and not found["groups_editable"]:
            await self._partitions.edit(found["id"], {"groups_editable": True})
        for group in missing:
            await self._create_group(found["id"], group)
        editable = found["groups_editable"] and source.groups_editable
        await self._partitions.edit(found["id"], {"groups_editable": editable})
        return (await self._partitions.reload(found["id"])).data

    async def _create_group(self, partition_id: int, source: SourceGroup) -> None:
        await self._groups.create(
            partition_id,
            source.group_name,
            position=(source.numero or 0) + 1,
            timetable_id=source.edt_id,
        )

    async def _write_tracks(self, course_id: int, source: SourcePartition) -> PartitionDoc:
        listed = (await self._partitions.in_course(course_id)).data
        own = next((each for each in listed if each["kind"] == "tracks"), None)
        codes = [group["name"] or "" for group in own["groups"]] if own is not None else []
        codes += [each.group_name for each in source.groups.values()]
        wanted = list(dict.fromkeys(codes))
        return (await self._partitions.set_tracks(course_id, None, wanted)).data

    async def _write_members(
        self, department: str, source: SourcePartition, own: PartitionDoc
    ) -> list[CopiedRow]:
        group_ids = {group["name"]: group["id"] for group in own["groups"]}
        named = [(group, each) for group in source.groups.values() for each in group.students]
        users = await self._identify(department, [each for _, each in named])
        found = [line for line, user in enumerate(users) if user is not None]
        requested = [
            AssignmentRow(user_id=users[line], group_id=group_ids[named[line][0].group_name])
            for line in found
        ]
        done, _ = await self._memberships.assign_many(own["id"], requested, mode="row_by_row")
        results = {line: (each.result, each.code) for line, each in zip(found, done, strict=True)}
        return [
            CopiedRow(
                (source.partition_name, group.group_name),
                student.label,
                *results.get(line, ("refused", "unknown_user")),
            )
            for line, (group, student) in enumerate(named)
        ]

    async def _identify(
        self, department: str, students: Sequence[SourceStudent]
    ) -> list[int | None]:
        if self._users is not None:
            return [self._users.get(each.id) for each in students]
        return await self._class_lists.identify(department, [*map(codes, students)])


def codes(student: SourceStudent) -> Codes:
    return Codes(student.nip, student.ine, student.username or student.nip)
