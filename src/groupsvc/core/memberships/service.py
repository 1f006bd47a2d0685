"""Memberships: assign, move, remove, one by one and many at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from groupsvc.core.aside import aside
from groupsvc.core.memberships.meant import NamesInRows, read_names
from groupsvc.core.memberships.planning import AssignmentRequest, Plan, RowResult, plan, retell
from groupsvc.core.memberships.repository import (
    GroupOccupancy,
    MembershipChange,
    Placement,
    UserLookup,
)
from groupsvc.core.partitions.repository import LockedPartition
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Permission


class AssignmentRow(TypedDict, total=False):
    """One row of a batch: the user and the group, each by id or by name; no group at all removes.

    ``user`` is a username, an e-mail address or a number.
    """

    user_id: int | None
    user: str | None
    group_id: int | None
    group: str | None


class MembershipService(Service):
    async def assign(
        self, group_id: int, user_id: int, **lookup: Unpack[UserLookup]
    ) -> MembershipChange:
        """Put a user into a group, out of any other group of its partition, in one statement.

        With ``visible_users_only`` a user who is not where the caller may write does not exist.
        Raises NotFoundError (group, user), ForbiddenError, LockedError, NotEnrolledError,
        FullError, or ConflictError for the default group.
        """
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        found = await self._uow.memberships.assign(group_id, user_id, scope, **lookup)
        if found is not None and found.is_known and not found.is_enrolled:
            is_seen = "by_known_id" in lookup or user_id in await self._seen_users([user_id])
            found = replace(found, is_known=is_seen)
        outcome = self._decided(found, "group")
        rules.refuse_if_not_enrolled(outcome.is_enrolled)
        rules.refuse_if_default(outcome.kind)
        return outcome

    async def remove(
        self, group_id: int, user_id: int, **lookup: Unpack[UserLookup]
    ) -> MembershipChange:
        """Take a user out of a group; no error and no change when they are not in it.

        ``visible_users_only`` raises NotFoundError for users outside the places of the caller.
        """
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        return self._removed(
            await self._uow.memberships.remove(user_id, scope, group_id=group_id, **lookup),
            "group",
        )

    async def leave(
        self, partition_id: int, user_id: int, **lookup: Unpack[UserLookup]
    ) -> MembershipChange:
        """Take a user out of whatever group of a partition they are in."""
        self._uow.context.cause = "partition"
        scope = self._principal.scope(Permission.GROUPS_WRITE)
        return self._removed(
            await self._uow.memberships.remove(user_id, scope, partition_id=partition_id, **lookup),
            "partition",
        )

    async def in_group(
        self,
        group_id: int,
        *,
        state: str | None = None,
        as_of: datetime | None = None,
        after: int = 0,
        limit: int,
    ) -> Page:
        """Members by user id, now or as they were; of the default group, everybody enrolled."""
        if as_of is not None:
            return await self._in_group_as_of(group_id, as_of, after=after, limit=limit)
        found = await self._uow.memberships.in_group(
            group_id, state=state, after=after, limit=limit
        )
        if found is None:
            raise NotFoundError("no such group")
        place, page = found
        self._require(Permission.GROUPS_READ, place.department, place.course, what="group")
        return page

    async def _in_group_as_of(
        self, group_id: int, as_of: datetime, *, after: int, limit: int
    ) -> Page:
        """Of a deleted group too: what it was is decided, and found, by the change log."""
        group = await self._uow.groups.find_past(group_id)
        if group is None:
            raise NotFoundError("no such group")
        self._require(Permission.GROUPS_READ, group.department, group.course, what="group")
        past = self._uow.memberships
        if group.is_default:
            return await past.in_course_as_of(group.course_id, as_of, after=after, limit=limit)
        return await past.in_group_as_of(
            group.course_id, group.partition_id, group_id, as_of, after=after, limit=limit
        )

    async def in_no_group(
        self, partition_id: int, *, state: str | None, after: int = 0, limit: int
    ) -> Page:
        """Enrolled users who are in no group of the partition, by user id."""
        document = self._authorize_read(await self._uow.partitions.read(partition_id), "partition")
        return await self._uow.memberships.in_no_group(
            document.data["course_id"], partition_id, state=state, after=after, limit=limit
        )

    async def of_user_in_course(
        self, course_id: int, user_id: int, as_of: datetime | None = None
    ) -> JsonResource[list[Any]]:
        """The groups of one user in one course, now or as they were."""
        document = self._authorize_read(
            await self._uow.memberships.of_user_in_course(course_id, user_id, as_of),
            "course or user",
        )
        is_empty = as_of is None and document.body == b"[]"
        if is_empty and not await self._seen_users([user_id]):
            raise NotFoundError("no such course or user")
        return document

    async def of_user(self, user_id: int) -> JsonResource[list[Any]]:
        """The groups of one user over all courses that the caller may read."""
        scope = self._principal.scope(Permission.GROUPS_READ)
        document = await self._uow.memberships.of_user(user_id, scope)
        if document is None:
            raise NotFoundError("no such user")
        return document

    async def mine(self) -> JsonResource[list[Any]]:
        """The caller's own groups over all courses; nobody needs a permission for that."""
        document = await self._uow.memberships.of_username(self._principal.username or "")
        return document or JsonResource(b"[]")

    async def assign_many(
        self,
        partition_id: int,
        rows: Sequence[AssignmentRow],
        *,
        mode: Literal["all_or_nothing", "row_by_row"] = "all_or_nothing",
        dry_run: bool = False,
    ) -> tuple[list[RowResult], bool]:
        """Assign many at once; answers one result a row, and whether anything was written.

        ``all_or_nothing`` writes nothing when a row is refused. ``dry_run`` answers the same and
        never writes.
        """
        held = await PartitionService(self._uow, self._principal).get_editable(partition_id)
        rules.refuse_if_default(held.kind, "partition")
        made = await self.plan_rows(held, rows)
        write = not dry_run and not (made.refused and mode == "all_or_nothing")
        if write:
            await write_plan(self._uow, held.course_id, held.id, made)
        return made.answers, write

    async def plan_rows(self, held: LockedPartition, rows: Sequence[AssignmentRow]) -> Plan:
        """Decide the rows of a batch against what is true now; nothing is written."""
        groups = await self._uow.memberships.occupancy(held.course_id, held.id)
        size = len(rows)
        texts = await aside(size, _names, rows)
        names = await read_names(self._uow, self._principal, held, texts, groups)
        requests, known = await aside(size, _requests, rows, names)
        placements = await self._uow.memberships.placements(held.course_id, held.id, known)
        enrolled_only = not rules.takes_anybody(held.kind)
        if enrolled_only:
            await self._forget_strangers(rows, requests, placements)
        made = await aside(size, plan, requests, placements, groups, enrolled_only=enrolled_only)
        await aside(size, names.say, made, texts)
        return made

    async def _forget_strangers(
        self,
        rows: Sequence[AssignmentRow],
        requests: Sequence[AssignmentRequest],
        placements: dict[int, Placement],
    ) -> None:
        """Take out those whom the caller does not see, as if they were not known."""
        strangers = [user for user, state in placements.items() if not state.is_enrolled]
        unseen = set(strangers).difference(await self._seen_users(strangers))
        if not unseen:
            return
        for user_id in unseen:
            del placements[user_id]
        for row, request in zip(rows, requests, strict=True):
            if request.user_id in unseen and row.get("user_id") is None:
                request.user_id = None

    def _decided(self, outcome: MembershipChange | None, what: str) -> MembershipChange:
        if outcome is None:
            raise NotFoundError(f"no such {what}")
        self._require(Permission.GROUPS_WRITE, outcome.department, outcome.course, what=what)
        if not outcome.is_known:
            raise NotFoundError("no such user")
        self._refuse_if_locked(outcome.is_locked)
        return outcome

    def _removed(self, outcome: MembershipChange | None, what: str) -> MembershipChange:
        decided = self._decided(outcome, what)
        rules.refuse_if_default(decided.kind)
        return decided


def _names(rows: Sequence[AssignmentRow]) -> list[tuple[str | None, str | None]]:
    """Of user and group, where there is no id."""
    return [
        (
            row.get("user") if row.get("user_id") is None else None,
            row.get("group") if row.get("group_id") is None else None,
        )
        for row in rows
    ]


def _requests(
    rows: Sequence[AssignmentRow], names: NamesInRows
) -> tuple[list[AssignmentRequest], list[int]]:
    """And whom they are about."""
    requests = [_request(place, row, names) for place, row in enumerate(rows)]
    return requests, sorted({each.user_id for each in requests if each.user_id is not None})


def _request(place: int, row: AssignmentRow, names: NamesInRows) -> AssignmentRequest:
    user_id, refusal = row.get("user_id"), None
    if user_id is None:
        name = row.get("user")
        if name is None:
            raise InvalidError("a row names no user", pointer=f"#/rows/{place}/user_id")
        user_id, refusal = names.user(name)
    group_id, group = row.get("group_id"), row.get("group")
    if group_id is None and group is not None:
        group_id, unknown = names.group(group)
        refusal = refusal or unknown
    return AssignmentRequest(place + 1, user_id, group_id, refusal)


async def plan_requests(
    uow: UnitOfWork,
    course_id: int,
    partition_id: int,
    requests: Sequence[AssignmentRequest],
    groups: dict[int, GroupOccupancy],
    *,
    enrolled_only: bool,
) -> Plan:
    """Decide requests for users who are known; ``groups`` is used up as they go by."""
    user_ids = sorted({each.user_id for each in requests if each.user_id is not None})
    placements = (
        await uow.memberships.placements(course_id, partition_id, user_ids) if user_ids else {}
    )
    return plan(requests, placements, groups, enrolled_only=enrolled_only)


async def write_plan(uow: UnitOfWork, course_id: int, partition_id: int, made: Plan) -> None:
    """Write what was planned: one statement for those who leave, one for those who enter.

    The answers are then about what was written, whatever others did since the planning.
    """
    were: dict[int, int | None] = {}
    if made.leaving:
        leaving = [(course_id, partition_id, user) for user in sorted(made.leaving)]
        left = await uow.memberships.remove_many(leaving)
        were.update((place[2], left.get(place)) for place in leaving)
    if made.entering:
        places = [(course_id, partition_id, user) for user in made.entering]
        entered = await uow.memberships.assign_many(places, list(made.entering.values()))
        for user, group_id in made.entering.items():
            entry = entered.get(user)
            were[user] = entry.previous_id if entry is not None else group_id
    await aside(len(made.answers), retell, made.answers, were)
