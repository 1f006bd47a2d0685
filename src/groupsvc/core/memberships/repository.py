"""Memberships: who is in which group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, TypedDict, Unpack

from groupsvc.core.repository import Repository, scope_parameters
from groupsvc.db.statements import SqlFile
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import GrantScope, Place

SQL: Final = SqlFile(__file__)

EVERYWHERE: Final = {"seen_departments": None, "seen_courses": None}

MembershipKey = tuple[int, int, int]  # course, partition, user


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """What a single assignment or removal found and did. ``changed`` false: nothing was written."""

    department: str
    course: str
    course_id: int
    partition_id: int
    kind: str
    is_locked: bool
    is_known: bool
    is_enrolled: bool
    changed: bool
    previous_group_id: int | None


class UserLookup(TypedDict, total=False):
    """Who is meant by an id. With ``visible_users_only`` nobody who is elsewhere.

    With ``by_known_id`` whoever has it on the server that they moved over from, or else here.
    """

    visible_users_only: bool
    by_known_id: bool


ANY_USER: Final[UserLookup] = {"visible_users_only": False, "by_known_id": False}


@dataclass(slots=True)
class GroupOccupancy:
    name: str | None
    capacity: int | None
    taken: int


@dataclass(frozen=True, slots=True)
class Placement:
    group_id: int | None
    is_enrolled: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A membership that was written, and the group that the user was moved from."""

    previous_id: int | None
    previous_name: str | None


class MembershipRepository(Repository):
    async def assign(
        self,
        group_id: int,
        user_id: int,
        scope: GrantScope,
        **lookup: Unpack[UserLookup],
    ) -> MembershipChange | None:
        """Put a user into a group, out of any other of the partition; None without the group."""
        row = await self._row(
            SQL.assign_known if lookup else SQL.assign,
            group_id=group_id,
            user_id=user_id,
            **(ANY_USER | lookup),
            **scope_parameters(scope),
            **(self._context.sight or EVERYWHERE),
            **self._context.parameters(),
        )
        return MembershipChange(**row._asdict()) if row is not None else None

    async def remove(
        self,
        user_id: int,
        scope: GrantScope,
        *,
        group_id: int | None = None,
        partition_id: int | None = None,
        **lookup: Unpack[UserLookup],
    ) -> MembershipChange | None:
        """Take a user out of a group, or out of whatever group of a partition they are in.

        Whether they exist is asked with ``visible_users_only`` alone, of users within scope.
        """
        row = await self._row(
            SQL.remove,
            user_id=user_id,
            **(ANY_USER | lookup),
            group_id=group_id,
            partition_id=partition_id,
            **scope_parameters(scope),
            **(self._context.sight or EVERYWHERE),
            **self._context.parameters(),
        )
        return MembershipChange(**row._asdict()) if row is not None else None

    async def in_group(
        self, group_id: int, *, state: str | None = None, after: int = 0, limit: int
    ) -> tuple[Place, Page] | None:
        """Members by user id, of the default group everybody enrolled; None without the group."""
        row = await self._row(
            SQL.in_group, group_id=group_id, state=state, after=after, limit=limit
        )
        if row is None:
            return None
        items = [row.members] if row.members else []
        last = (row.last_id,) if row.has_more else None
        return Place(row.department, row.course), Page(items, last)

    async def in_group_as_of(
        self,
        course_id: int,
        partition_id: int,
        group_id: int,
        as_of: datetime,
        *,
        after: int = 0,
        limit: int,
    ) -> Page:
        return await self._page(
            SQL.in_group_as_of,
            limit=limit,
            key=("id",),
            course_id=course_id,
            partition_id=partition_id,
            group_id=group_id,
            as_of=as_of,
            after=after,
        )

    async def in_course_as_of(
        self, course_id: int, as_of: datetime, *, after: int = 0, limit: int
    ) -> Page:
        """Who was enrolled then."""
        return await self._page(
            SQL.in_course_as_of,
            limit=limit,
            key=("id",),
            course_id=course_id,
            as_of=as_of,
            after=after,
        )

    async def in_no_group(
        self, course_id: int, partition_id: int, *, state: str | None, after: int = 0, limit: int
    ) -> Page:
        return await self._page(
            SQL.in_no_group,
            limit=limit,
            key=("id",),
            course_id=course_id,
            partition_id=partition_id,
            state=state,
            after=after,
        )

    async def of_user_in_course(
        self, course_id: int, user_id: int, as_of: datetime | None = None
    ) -> JsonResource[list[Any]] | None:
        if as_of is None:
            return await self._document(SQL.of_user_in_course, course_id=course_id, user_id=user_id)
        return await self._document(
            SQL.of_user_in_course_as_of, course_id=course_id, user_id=user_id, as_of=as_of
        )

    async def of_user(self, user_id: int, scope: GrantScope) -> JsonResource[list[Any]] | None:
        """Groups over all courses in scope.

        None without the user, or when they are nowhere in scope.
        """
        return await self._document(SQL.of_user, user_id=user_id, **scope_parameters(scope))

    async def of_username(self, username: str) -> JsonResource[list[Any]] | None:
        """Groups over all courses; None without the user."""
        return await self._document(SQL.mine, username=username)

    async def occupancy(self, course_id: int, partition_id: int) -> dict[int, GroupOccupancy]:
        """The groups by id, held so that nobody else fills them meanwhile."""
        rows = await self._rows(SQL.occupancy, course_id=course_id, partition_id=partition_id)
        return {row.id: GroupOccupancy(row.name, row.capacity, row.taken or 0) for row in rows}

    async def placements(
        self, course_id: int, partition_id: int, user_ids: Sequence[int]
    ) -> dict[int, Placement]:
        """Where each of the users stands who exist at all."""
        row = await self._row(
            SQL.placements, course_id=course_id, partition_id=partition_id, user_ids=list(user_ids)
        )
        assert row is not None
        groups = dict(zip(row.members or (), row.group_ids or (), strict=True))
        enrolled = frozenset(row.enrolled or ())
        placement = cache(Placement)  # many users, few different placements
        return {user: placement(groups.get(user), user in enrolled) for user in row.known or ()}

    async def assign_many(
        self, places: Sequence[MembershipKey], group_ids: Sequence[int]
    ) -> dict[int, Entry]:
        """Put users into groups, each place once; returns those who were not there, by user id."""
        row: Any = await self._row(SQL.assign_many, group_ids=list(group_ids), **_columns(places))
        if row.user_ids is None:
            return {}
        names: dict[str, str] = row.names or {}

        @cache  # many users, from few groups
        def entry(previous: int | None) -> Entry:
            return Entry(previous, names.get(str(previous)))

        return dict(zip(row.user_ids, map(entry, row.previous_ids), strict=True))

    async def enter_places(
        self, places: Sequence[MembershipKey], group_ids: Sequence[int]
    ) -> dict[MembershipKey, int | None]:
        """Put users into groups of many partitions; returns the groups that those came from who
        were not there."""
        row: Any = await self._row(SQL.assign_many, group_ids=list(group_ids), **_columns(places))
        return dict(zip(_places(row), row.previous_ids or (), strict=True))

    async def remove_many(self, places: Sequence[MembershipKey]) -> dict[MembershipKey, int]:
        """Take users out of partitions; returns the groups that they were in."""
        row: Any = await self._row(SQL.remove_many, **_columns(places))
        return dict(zip(_places(row), row.group_ids or (), strict=True))


def _places(row: Any) -> Iterator[MembershipKey]:
    return zip(row.course_ids or (), row.partition_ids or (), row.user_ids or (), strict=True)


def _columns(places: Sequence[MembershipKey]) -> dict[str, list[int]]:
    return {
        "course_ids": [course_id for course_id, _, _ in places],
        "partition_ids": [partition_id for _, partition_id, _ in places],
        "user_ids": [user_id for _, _, user_id in places],
    }
