"""Partitions: create, rename, order, delete."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack

from groupsvc.core.courses.repository import LockedCourse
from groupsvc.core.partitions.repository import LockedPartition, PartitionFlags
from groupsvc.core.service import IfMatch, Service
from groupsvc.domain import rules
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import JsonResource, PartitionDoc
from groupsvc.domain.names import LONGEST, normalise
from groupsvc.domain.natural_order import ByName, in_natural_order
from groupsvc.domain.principal import Permission

# What shows in a partition, by the first word of its lines in the change log.
SHOWN = ("partition", "group")


class PartitionService(Service):
    async def read(
        self, partition_id: int, *, as_of: datetime | None = None
    ) -> JsonResource[PartitionDoc]:
        """A partition with its groups, the default one included; also as it was, if it is gone."""
        found = (
            await self._uow.partitions.read(partition_id)
            if as_of is None
            else await self._uow.partitions.read_as_of(partition_id, as_of)
        )
        return self._authorize_read(found, "partition")

    async def default_of(self, course_id: int) -> JsonResource[PartitionDoc]:
        """The partition whose one group has everybody who is enrolled."""
        partition_id = await self._uow.partitions.of_kind(course_id, "default")
        found = await self._uow.partitions.read(partition_id) if partition_id is not None else None
        return self._authorize_read(found, "course")

    async def in_course(self, course_id: int) -> JsonResource[list[PartitionDoc]]:
        """The partitions of a course in order, without the default one."""
        return self._authorize_read(await self._uow.partitions.in_course(course_id), "course")

    async def create(
        self,
        course_id: int,
        name: object,
        *,
        place: int | None = None,
        position: int | None = None,
        longest: int = LONGEST,
        **flags: Unpack[PartitionFlags],
    ) -> JsonResource[PartitionDoc]:
        """Create a partition at the end of the course.

        ``place`` (from 1) puts it there and pushes the others back; ``position`` stores a bare
        number and pushes nobody.
        """
        course = await self.get_editable_course(course_id)
        tidy = self._given_name(name, None, longest)
        created = await self._uow.partitions.create(course.id, tidy, position=position, **flags)
        if place is not None:
            ids = list(await self._uow.partitions.names(course.id))
            ids.remove(created)
            ids.insert(place - 1, created)
            await self._uow.partitions.order(course.id, ids)
        return await self.reload(created)

    async def edit(
        self,
        partition_id: int,
        changes: dict[str, Any],
        *,
        expected: IfMatch | None = None,
        longest: int = LONGEST,
    ) -> JsonResource[PartitionDoc]:
        """Rename a partition or set its flags or bare position; all or nothing."""
        held = await self.get_editable(partition_id)
        if expected is not None:
            seen = await self._uow.partitions.read(held.id)
            await self._check_if_match(expected, seen, *SHOWN, partition_id=held.id)
        if "name" in changes:
            changes["name"] = self._given_name(changes["name"], held, longest)
        if changes:
            await self._uow.partitions.update(held, changes)
        return await self.reload(held.id)

    async def order(
        self,
        course_id: int,
        given: Sequence[int] | ByName,
        *,
        partial: bool = False,
        expected: IfMatch | None = None,
    ) -> JsonResource[list[PartitionDoc]]:
        """Put the partitions of a course in the given order, or in the natural one of their names.

        A partial order puts those named first and leaves the others in theirs.
        Raises NotFoundError for an id of elsewhere, InvalidError for a repeated or missing one.
        """
        course = await self.get_editable_course(course_id)
        if expected is not None:
            seen = await self._uow.partitions.in_course(course.id)
            await self._check_if_match(expected, seen, *SHOWN, course_id=course.id)
        names = await self._uow.partitions.names(course.id)
        ids = checked_order(given, names, partial=partial)
        if ids:
            await self._uow.partitions.order(course.id, ids)
        document = await self._uow.partitions.in_course(course.id)
        assert document is not None
        return document

    async def delete(self, partition_id: int, *, expected: IfMatch | None = None) -> None:
        """Delete a partition, its groups and memberships; the users stay enrolled."""
        self._uow.context.cause = "partition_deleted"
        held = await self.get_editable(partition_id)
        if expected is not None:
            seen = await self._uow.partitions.read(held.id)
            await self._check_if_match(expected, seen, *SHOWN, partition_id=held.id)
        await self._uow.partitions.delete(held)

    async def set_tracks(
        self,
        course_id: int,
        name: object | None,
        codes: Sequence[str],
        *,
        expected: IfMatch | None = None,
    ) -> JsonResource[PartitionDoc]:
        """Declare the tracks of a course: one group each in its one tracks partition.

        A new partition without a name gets the one that readers of tracks expect. Groups of codes
        no longer named are deleted, and their members lose their track.
        """
        course = await self.get_editable_course(course_id, Permission.ROSTER_WRITE)
        await self._uow.set_cause("tracks")
        wanted = [normalise(code, field="codes") for code in codes]
        if len(set(wanted)) != len(wanted):
            raise InvalidError("a track is named twice", pointer="#/codes")
        partition_id = await self._uow.partitions.of_kind(course.id, "tracks")
        if expected is not None:
            seen = await self._uow.partitions.read(partition_id or 0)
            await self._check_if_match(expected, seen, *SHOWN, partition_id=partition_id or 0)
        if partition_id is None:
            given = normalise(self._uow.vocabulary.tracks_name if name is None else name)
            partition_id = await self._uow.partitions.create(
                course.id, given, kind="tracks", groups_editable=False
            )
        existing = await self._uow.groups.names(course.id, partition_id)
        gone = [group_id for group_id, code in existing.items() if code not in wanted]
        await self._uow.groups.delete(course.id, gone)
        missing = [code for code in wanted if code not in existing.values()]
        await self._uow.groups.create_many(course.id, partition_id, missing)
        ids = {
            code: group_id
            for group_id, code in (await self._uow.groups.names(course.id, partition_id)).items()
        }
        await self._uow.groups.order(course.id, partition_id, [ids[code] for code in wanted])
        return await self.reload(partition_id)

    async def check_name(
        self,
        course_id: int,
        name: object,
        *,
        own: LockedPartition | None = None,
        longest: int = LONGEST,
    ) -> str:
        """The name as it would be stored, when a new partition or ``own`` may be called so.

        For callers who have more to check before they write; create and edit check it anyway.
        Raises InvalidError, NameTakenError, or ConflictError for a name that is kept for the
        tracks (code ``reserved_name``) and for a partition that keeps its own.
        """
        tidy = self._given_name(name, own, longest)
        taken = await self._uow.partitions.named(course_id, tidy)
        if taken is not None and (own is None or taken != own.id):
            raise rules.name_taken("a partition of the course has this name")
        return tidy

    async def get_editable(self, partition_id: int) -> LockedPartition:
        """Lock a partition that may be changed, and return it.

        Raises NotFoundError, ForbiddenError or LockedError, in this order.
        """
        await self._uow.begin()
        held = await self._uow.partitions.get_for_update(partition_id)
        if held is None:
            raise NotFoundError("no such partition")
        self._require(Permission.GROUPS_WRITE, held.department, held.course, what="partition")
        self._refuse_if_locked(held.is_locked)
        return held

    async def get_editable_course(
        self, course_id: int, permission: Permission = Permission.GROUPS_WRITE
    ) -> LockedCourse:
        """Lock a course whose list of partitions may be changed, and return it."""
        await self._uow.begin()
        held = await self._uow.courses.get_for_update(course_id)
        if held is None:
            raise NotFoundError("no such course")
        self._require(permission, held.department, held.key)
        self._refuse_if_locked(held.is_locked)
        return held

    async def reload(self, partition_id: int) -> JsonResource[PartitionDoc]:
        """What this unit of work has just written, whatever the caller may read."""
        document = await self._uow.partitions.read(partition_id)
        assert document is not None
        return document

    def _given_name(self, name: object, own: LockedPartition | None, longest: int) -> str:
        if own is not None:
            rules.refuse_if_keeps_its_name(own.kind, own.name, name)
        tidy = normalise(name, longest=longest)
        kind = "ordinary" if own is None else own.kind
        rules.refuse_if_name_is_reserved(kind, tidy, self._uow.vocabulary.tracks_name)
        return tidy


def checked_order(
    given: Sequence[int] | ByName, known: Mapping[int, str | None], *, partial: bool
) -> Sequence[int]:
    """The ids in the order that is asked for, checked against the list that it is for."""
    if isinstance(given, str):
        return in_natural_order(known)
    check_order(given, known, partial=partial)
    return given


def check_order(ids: Sequence[int], known: Collection[int], *, partial: bool) -> None:
    """Raises InvalidError or NotFoundError for an order that does not fit its list."""
    if len(set(ids)) != len(ids):
        raise InvalidError("the order names one twice", code="invalid_order", pointer="#/ids")
    if not set(ids) <= set(known):
        raise NotFoundError("the order names one that is not in this list")
    if not partial and len(ids) != len(known):
        raise InvalidError("the order must name every one", code="invalid_order", pointer="#/ids")
