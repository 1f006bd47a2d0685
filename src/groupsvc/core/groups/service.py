"""Groups: create, rename, order, delete."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from groupsvc.core.cohorts.service import cohorts_partition, refuse_if_last_random
from groupsvc.core.groups.repository import LockedGroup
from groupsvc.core.partitions.repository import LockedPartition
from groupsvc.core.partitions.service import SHOWN, PartitionService, checked_order
from groupsvc.core.service import IfMatch, Service
from groupsvc.domain import rules
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import GroupDoc, JsonResource, PartitionDoc
from groupsvc.domain.names import LONGEST, normalise
from groupsvc.domain.natural_order import ByName
from groupsvc.domain.principal import Permission


class GroupService(Service):
    @property
    def _partitions(self) -> PartitionService:
        return PartitionService(self._uow, self._principal)

    async def read(self, group_id: int, *, as_of: datetime | None = None) -> JsonResource[GroupDoc]:
        """A group as it is, or as it was; one that is gone, too."""
        if as_of is None:
            return self._authorize_read(await self._uow.groups.read(group_id), "group")
        past = await self._uow.groups.find_past(group_id)
        if past is None:
            raise NotFoundError("no such group")
        return self._authorize_read(
            await self._uow.groups.read_as_of(group_id, past.partition_id, as_of), "group"
        )

    async def create(
        self,
        partition_id: int,
        name: object,
        *,
        place: int | None = None,
        longest: int = LONGEST,
        **values: Any,
    ) -> JsonResource[GroupDoc]:
        """Create a group at the end of its partition.

        ``place`` (from 1) puts it there and pushes the others back; a ``position`` among the
        values is stored as it is and pushes nobody.
        """
        held = await self.open_partition(partition_id)
        tidy = normalise(name, longest=longest)
        _tidy_timetable_id(values)
        created = await self._uow.groups.create(held.course_id, held.id, tidy, values)
        if place is not None:
            ids = list(await self._uow.groups.names(held.course_id, held.id))
            ids.remove(created)
            ids.insert(place - 1, created)
            await self._uow.groups.order(held.course_id, held.id, ids)
        return await self.reload(created)

    async def create_cohort(
        self, course_id: int, name: object, *, place: int | None = None, **values: Any
    ) -> JsonResource[GroupDoc]:
        """Create a cohort, and with the first one of the course the partition that holds them."""
        course = await self._partitions.get_editable_course(course_id)
        partition_id = await cohorts_partition(self._uow, course.id)
        return await self.create(partition_id, name, place=place, **values)

    async def edit(
        self,
        group_id: int,
        changes: dict[str, Any],
        *,
        expected: IfMatch | None = None,
        longest: int = LONGEST,
    ) -> JsonResource[GroupDoc]:
        """Rename a group or set its capacity, timetable id, assignment type or content link.

        Only the name needs a partition with editable groups. Raises LastRandomCohortError for the
        last cohort of a course that takes users at random.
        """
        held = await self.get_editable(group_id, to_rename="name" in changes)
        if expected is not None:
            seen = await self._uow.groups.read(held.id)
            await self._check_if_match(expected, seen, "group", group_id=held.id)
        if "name" in changes:
            changes["name"] = normalise(changes["name"], longest=longest)
        if held.kind == "cohorts" and changes.get("assignment_type", "random") != "random":
            await refuse_if_last_random(self._uow, held)
        _tidy_timetable_id(changes)
        if changes:
            await self._uow.groups.update(held, changes)
        return await self.reload(held.id)

    async def order(
        self,
        partition_id: int,
        given: Sequence[int] | ByName,
        *,
        partial: bool = False,
        expected: IfMatch | None = None,
    ) -> JsonResource[PartitionDoc]:
        """Put the groups of a partition in the given order, or in the natural one of their names.

        Editability does not matter here. The one group of the default partition has no place:
        naming it is an order, and writes nothing.
        """
        held = await self._partitions.get_editable(partition_id)
        if expected is not None:
            seen = await self._uow.partitions.read(held.id)
            await self._check_if_match(expected, seen, *SHOWN, partition_id=held.id)
        names = await self._uow.groups.names(held.course_id, held.id)
        ids = checked_order(given, names, partial=partial)
        if ids and held.kind != "default":
            await self._uow.groups.order(held.course_id, held.id, ids)
        return await self._partitions.reload(held.id)

    async def delete(self, group_id: int, *, expected: IfMatch | None = None) -> None:
        """Delete a group and its memberships; the users stay enrolled.

        The last cohort that takes users at random goes like any other: the next one who comes has
        the default cohort made anew.
        """
        self._uow.context.cause = "group_deleted"
        held = await self.get_editable(group_id, to_rename=True)
        if expected is not None:
            seen = await self._uow.groups.read(held.id)
            await self._check_if_match(expected, seen, "group", group_id=held.id)
        await self._uow.groups.delete(held.course_id, [held.id])

    async def open_partition(self, partition_id: int) -> LockedPartition:
        """Lock a partition in which groups may be created, and return it.

        Raises NotFoundError, ForbiddenError, LockedError or NotEditableError, in this order.
        """
        held = await self._partitions.get_editable(partition_id)
        rules.refuse_if_not_editable(held.groups_editable)
        return held

    async def get_editable(self, group_id: int, *, to_rename: bool = False) -> LockedGroup:
        """Lock a group that may be changed, and return it.

        Raises NotFoundError, ForbiddenError, LockedError, or NotEditableError where a name or the
        group itself is at stake, in this order.
        """
        await self._uow.begin()
        held = await self._uow.groups.get_for_update(group_id)
        if held is None:
            raise NotFoundError("no such group")
        self._require(Permission.GROUPS_WRITE, held.department, held.course, what="group")
        self._refuse_if_locked(held.is_locked)
        if to_rename:
            rules.refuse_if_not_editable(held.groups_editable)
        rules.refuse_if_default(held.kind)
        return held

    async def reload(self, group_id: int) -> JsonResource[GroupDoc]:
        """What this unit of work has just written, whatever the caller may read."""
        document = await self._uow.groups.read(group_id)
        assert document is not None
        return document


def _tidy_timetable_id(values: dict[str, Any]) -> None:
    if values.get("timetable_id") is not None:
        values["timetable_id"] = normalise(values["timetable_id"], field="timetable_id")
