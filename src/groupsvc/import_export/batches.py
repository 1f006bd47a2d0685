"""What imports read and write: a few statements for a whole batch of rows.

Arrays have the names of the columns that they fill.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, Final

from groupsvc.core.memberships.repository import GroupOccupancy, MembershipKey, Placement
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.principal import GrantScope
from groupsvc.import_export.list_orders import List
from groupsvc.import_export.records import (
    Course,
    CourseState,
    GroupState,
    PartitionState,
    RosterPerson,
    TargetPartition,
    course_of,
    person_of,
)

SQL: Final = SqlFile(__file__)

NamedGroup = tuple[int, int, str]  # course, partition, name
FormerKey = tuple[int, int, int | None, str]  # course, partition, group or none, name


class BatchRepository(Repository):
    async def departments(self, acronyms: Iterable[str]) -> dict[str, str]:
        """Names of those that exist, by acronym; they stay until the transaction ends."""
        rows = await self._rows(SQL.departments, acronyms=list(acronyms))
        return {row.acronym: row.name for row in rows}

    async def create_departments(self, names: Mapping[str, str]) -> None:
        """``names`` go by acronym."""
        await self._rows(SQL.create_departments, **_arrays("acronym name", names.items()))

    async def rename_departments(self, names: Mapping[str, str]) -> None:
        await self._rows(SQL.rename_departments, **_arrays("acronym name", names.items()))

    async def courses(self, keys: Iterable[str]) -> dict[str, Course]:
        """Those that exist, by key; nothing is locked."""
        rows = await self._rows(SQL.courses, course_keys=list(keys))
        return {row.key: Course(**row._asdict()) for row in rows}

    async def similar_courses(self, keys: Iterable[str]) -> list[Course]:
        """Those that may look like one of the keys or had one that may, and some more."""
        rows = await self._rows(SQL.similar_courses, course_keys=list(keys))
        return [Course(**row._asdict()) for row in rows]

    async def similar_departments(self, acronyms: Iterable[str]) -> dict[str, int]:
        """Ids by acronym, of those that may look like one of the acronyms and of some more."""
        rows = await self._rows(SQL.similar_departments, acronyms=list(acronyms))
        return {row.acronym: row.id for row in rows}

    async def lock_courses(self, ids: Iterable[int], *, for_lists: bool) -> dict[int, bool]:
        """Whether each is locked, which stays so; for changes of lists of partitions and groups,
        or of memberships alone."""
        statement = SQL.lock_for_lists if for_lists else SQL.lock_for_members
        rows = await self._rows(statement, course_ids=list(ids))
        return {row.id: row.is_locked for row in rows}

    async def course_states(self, keys: Iterable[str]) -> dict[str, CourseState]:
        rows = await self._rows(SQL.course_states, course_keys=list(keys))
        return {row.key: course_of(row) for row in rows}

    async def create_courses(self, courses: Sequence[CourseState]) -> dict[str, int]:
        """Return ids by key; they grow in the order of the courses."""
        rows = await self._rows(SQL.create_courses, **_fields(CourseState, courses))
        return {row.key: row.id for row in rows}

    async def update_courses(self, courses: Sequence[CourseState]) -> None:
        await self._rows(SQL.update_courses, **_fields(CourseState, courses))

    async def release_course_keys(self, ids: Collection[int]) -> list[tuple[int, str]]:
        """Others are about to get the keys of these courses, which get new ones for the time being:
        these are returned."""
        rows = await self._rows(SQL.release_course_keys, course_ids=list(ids))
        return [(row.id, row.key) for row in rows]

    async def forget_course_keys(self, keys: Collection[tuple[int, str]]) -> None:
        """Former keys of courses that are none."""
        await self._rows(SQL.forget_course_keys, **_arrays("course_id key", keys))

    async def remember_course_keys(self, keys: Collection[tuple[int, str]]) -> None:
        """Former keys of courses."""
        await self._rows(SQL.remember_course_keys, **_arrays("course_id key", keys))

    async def set_cohorts(self, settings: Collection[tuple[int, bool, str]]) -> None:
        """Takes course, whether it is cohorted, and how chance decides."""
        columns = "course_id is_cohorted random_assignment"
        await self._rows(SQL.set_cohorts, **_arrays(columns, settings))

    async def set_locks(self, ids: Iterable[int], *, locked: bool) -> None:
        await self._rows(SQL.set_lock, course_ids=sorted(ids), is_locked=locked)

    async def lock_users(self, usernames: Iterable[str], scope: GrantScope) -> None:
        """Keep others from changing those users whom the caller may change."""
        await self._rows(
            SQL.lock_users,
            usernames=list(usernames),
            everywhere=scope.everywhere,
            departments=list(scope.departments),
        )

    async def users(
        self,
        *,
        usernames: Iterable[str],
        emails: Iterable[str],
        student_numbers: Iterable[str],
        national_numbers: Iterable[str],
        external_ids: Collection[tuple[str, str]],
    ) -> list[RosterPerson]:
        """Those named, and whoever has what only one user can have; addresses in lower case."""
        rows = await self._rows(
            SQL.users,
            usernames=list(usernames),
            emails=list(emails),
            student_numbers=list(student_numbers),
            national_numbers=list(national_numbers),
            systems=[system for system, _ in external_ids],
            external_ids=[each for _, each in external_ids],
        )
        return [person_of(row) for row in rows]

    async def create_users(self, people: Sequence[RosterPerson]) -> dict[str, int]:
        """Return ids by username, which grow in the order of the people."""
        rows = await self._rows(SQL.create_users, **_of_people(people))
        return {row.username: row.id for row in rows}

    async def update_users(self, people: Sequence[RosterPerson]) -> None:
        await self._rows(SQL.update_users, **_of_people(people))

    async def set_external_ids(self, ids: Collection[tuple[int, str, str]]) -> None:
        """Takes user, system and id."""
        await self._rows(SQL.set_external_ids, **_arrays("user_id system external_id", ids))

    async def remember_users(self, names: Collection[tuple[int, str]]) -> None:
        """Former names of users."""
        await self._rows(SQL.remember_users, **_arrays("user_id name", names))

    async def release(self, users: Mapping[int, bool]) -> list[tuple[int, str]]:
        """Take addresses and numbers from users who are about to be given other ones.

        Those who are ``True`` get another name for the time being, which is returned.
        """
        rows = await self._rows(SQL.release, **_arrays("user_id renames", sorted(users.items())))
        return [(row.id, row.username) for row in rows if users[row.id]]

    async def forget_user_names(self, names: Collection[tuple[int, str]]) -> None:
        """Former names of users that are none."""
        await self._rows(SQL.forget_user_names, **_arrays("user_id name", names))

    async def states(self, places: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
        """States of the enrollments that exist, by course and user."""
        rows = await self._rows(SQL.states, **_arrays("course_id user_id", places))
        return {(row.course_id, row.user_id): row.state for row in rows}

    async def enroll(self, enrollments: Collection[tuple[int, int, str]]) -> None:
        """``enrollments`` are course, user and state, each course and user once."""
        await self._rows(SQL.enroll, **_arrays("course_id user_id state", enrollments))

    async def partitions(self, course_ids: Iterable[int]) -> list[PartitionState]:
        """All partitions of the courses but the default ones."""
        rows = await self._rows(SQL.partitions, course_ids=list(course_ids))
        return [PartitionState(*row) for row in rows]

    async def groups(self, named: Collection[NamedGroup]) -> dict[tuple[int, str], GroupState]:
        """By partition and name."""
        rows = await self._rows(SQL.groups, **_arrays("course_id partition_id name", named))
        return {(row[0], row.name): GroupState(*row[1:]) for row in rows}

    async def last_positions(
        self, partitions: Collection[tuple[int, int]], *, but: Collection[int] = ()
    ) -> dict[int, int]:
        """Where the groups of each partition end, leaving some out; those without are left out.

        Takes course and partition of each.
        """
        arrays = _arrays("course_id partition_id", partitions)
        rows = await self._rows(SQL.last_positions, but=list(but), **arrays)
        return {row.partition_id: row.position for row in rows if row.position is not None}

    async def counts(self, groups: Collection[tuple[int, int]]) -> dict[int, int]:
        """Members of each group; takes course and group of each."""
        rows = await self._rows(SQL.counts, **_arrays("course_id group_id", groups))
        return {row.group_id: row.count for row in rows}

    async def create_partitions(
        self, partitions: Sequence[PartitionState]
    ) -> dict[tuple[int, str], int]:
        """Return ids by course and name; they grow in the order of the partitions."""
        rows = await self._rows(SQL.create_partitions, **_fields(PartitionState, partitions))
        return {(row.course_id, row.name): row.id for row in rows}

    async def update_partitions(self, partitions: Sequence[PartitionState]) -> None:
        await self._rows(SQL.update_partitions, **_fields(PartitionState, partitions))

    async def close_partitions(self, partitions: Collection[tuple[int, int]]) -> None:
        """Let the groups of the partitions be edited no more; takes course and partition."""
        await self._rows(SQL.close_partitions, **_arrays("course_id id", partitions))

    async def create_groups(
        self, groups: Sequence[tuple[int, int, GroupState]]
    ) -> dict[tuple[int, str], int]:
        """Takes course, partition and group; returns ids by partition and name."""
        places = _arrays("course_id partition_id", [group[:2] for group in groups])
        values = _fields(GroupState, [group for _, _, group in groups])
        rows = await self._rows(SQL.create_groups, **places, **values)
        return {(row.partition_id, row.name): row.id for row in rows}

    async def update_groups(self, groups: Sequence[tuple[int, GroupState]]) -> None:
        """Takes course and group."""
        values = _fields(GroupState, [group for _, group in groups])
        courses = [course_id for course_id, _ in groups]
        await self._rows(SQL.update_groups, course_id=courses, **values)

    async def orders(self, lists: Iterable[List]) -> dict[List, dict[int, str]]:
        """Names by id, in the order of each list."""
        found: dict[List, dict[int, str]] = {}
        courses, of_groups = _split(lists)
        for row in await self._rows(SQL.partitions_in_order, course_ids=courses):
            found.setdefault(List(row.course_id), {})[row.id] = row.name
        named = _arrays("course_id partition_id", of_groups)
        for row in await self._rows(SQL.groups_in_order, **named):
            found.setdefault(List(row.course_id, row.partition_id), {})[row.id] = row.name
        return found

    async def set_orders(self, orders: Mapping[List, Sequence[int]]) -> None:
        """Ids of each list; their positions become 1 to n."""
        of_partitions: list[tuple[int, int, int]] = []
        of_groups: list[tuple[int, int, int]] = []
        for of, ids in orders.items():
            rows = of_partitions if of.partition_id is None else of_groups
            rows += ((of.course_id, each, place) for place, each in enumerate(ids, start=1))
        if of_partitions:
            await self._rows(
                SQL.order_partitions, **_arrays("course_id id position", of_partitions)
            )
        if of_groups:
            await self._rows(SQL.order_groups, **_arrays("course_id id position", of_groups))

    async def remember(self, names: Collection[FormerKey]) -> None:
        """Former names: course, partition, group or none, and name of each."""
        await self._rows(SQL.remember, **_arrays("course_id partition_id group_id name", names))

    async def lock_partitions(
        self, named: Collection[tuple[int, str]]
    ) -> dict[tuple[int, str], TargetPartition]:
        """Partitions by course and name, whose lists of groups nobody else changes meanwhile."""
        rows = await self._rows(SQL.lock_partitions, **_arrays("course_id name", named))
        return {(row.course_id, row.name): TargetPartition(*row) for row in rows}

    async def occupancy(
        self, named: Collection[NamedGroup]
    ) -> dict[int, dict[int, GroupOccupancy]]:
        """Groups by partition and id."""
        found: dict[int, dict[int, GroupOccupancy]] = {}
        for row in await self._rows(SQL.occupancy, **_arrays("course_id partition_id name", named)):
            group = GroupOccupancy(row.name, row.capacity, row.taken or 0)
            found.setdefault(row.partition_id, {})[row.id] = group
        return found

    async def placements(self, places: Collection[MembershipKey]) -> dict[MembershipKey, Placement]:
        given = sorted(places)  # neighbours are read from the same pages
        arrays = _arrays("course_id partition_id user_id", given)
        row: Any = await self._row(SQL.placements, **arrays)
        placement = cache(Placement)  # many users, few different placements
        return dict(zip(given, map(placement, row.group_ids, row.enrolled), strict=True))


def _split(lists: Iterable[List]) -> tuple[list[int], list[List]]:
    """Lists of partitions, as their courses, and lists of groups."""
    given = list(lists)
    courses = [each.course_id for each in given if each.partition_id is None]
    return courses, [each for each in given if each.partition_id is not None]


def _arrays(columns: str, rows: Collection[Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: [row[at] for row in rows] for at, name in enumerate(columns.split())}


def _fields(record: type[Any], rows: Sequence[Any]) -> dict[str, list[Any]]:
    return {each.name: [getattr(row, each.name) for row in rows] for each in fields(record)}


def _of_people(people: Sequence[RosterPerson]) -> dict[str, list[Any]]:
    sort_keys = [person.sort_key for person in people]
    return {**_fields(RosterPerson, people), "sort_key": sort_keys}
