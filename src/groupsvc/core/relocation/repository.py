"""Rows whose ids are those of another server."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from groupsvc.core.relocation.records import MovedCourse, MovedPartition, MovedUser
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


class TakenId(NamedTuple):
    kind: str
    id: int


class HeldCourse(NamedTuple):
    id: int
    is_locked: bool


class RelocationRepository(Repository):
    """The transaction must be the only one that brings ids: ``lock`` first."""

    async def lock(self) -> None:
        await self._rows(SQL.lock)

    async def number_from(self, first: int) -> None:
        """Where the ids of what is made next begin. No transaction takes that back."""
        await self._rows(SQL.number_from, first=first)

    async def hold(self, key: str) -> HeldCourse | None:
        row = await self._row(SQL.hold, key=key)
        return HeldCourse(row.id, row.is_locked) if row is not None else None

    async def unlock(self, course_id: int) -> None:
        await self._rows(SQL.unlock, course_id=course_id)

    async def recognise(
        self, acronym: str, users: Sequence[MovedUser], usernames: Sequence[str]
    ) -> dict[int, tuple[int, bool]]:
        """Own ids by those there, and whether they moved over before. A username for each user."""
        rows = await self._rows(
            SQL.recognise,
            acronym=acronym,
            user_ids=[user.id for user in users],
            usernames=list(usernames),
            **_numbers(users),
        )
        return {row.id: (row.own_id, row.moved_before) for row in rows}

    async def taken(self, course: MovedCourse, users: Sequence[MovedUser]) -> list[TakenId]:
        rows = await self._rows(
            SQL.taken,
            department_id=course.department_id,
            acronym=course.acronym,
            course_id=course.id,
            key=course.key,
            default_partition_id=course.default_partition_id,
            default_group_id=course.default_group_id,
            **_named(course.partitions),
            **_groups(course.partitions),
            **_ids(users),
        )
        return [TakenId(row.kind, row.id) for row in rows]

    async def write_course(self, course: MovedCourse) -> None:
        await self._rows(
            SQL.department,
            department_id=course.department_id,
            acronym=course.acronym,
            name=course.department_name,
        )
        await self._rows(
            SQL.default_ids,
            partition_id=course.default_partition_id,
            group_id=course.default_group_id,
        )
        await self._rows(
            SQL.course,
            course_id=course.id,
            acronym=course.acronym,
            key=course.key,
            title=course.title,
            starts_on=course.starts_on,
            ends_on=course.ends_on,
            term=course.term,
            programme=course.programme,
            modality=course.modality,
        )
        await self._rows(SQL.default_ids, partition_id=None, group_id=None)

    async def write_partitions(self, course_id: int, partitions: Sequence[MovedPartition]) -> None:
        """Those that are there get the name that they have there."""
        named = {"course_id": course_id, **_named(partitions)}
        await self._rows(SQL.free_partition_names, **named)
        await self._rows(SQL.name_partitions, **named)
        await self._rows(
            SQL.partitions,
            **named,
            positions=[each.position for each in partitions],
            are_tracks=[each.is_tracks for each in partitions],
            show_rank_on_report=[each.show_rank_on_report for each in partitions],
            show_in_lists=[each.show_in_lists for each in partitions],
        )

    async def write_groups(self, course_id: int, partitions: Sequence[MovedPartition]) -> None:
        """They are made and renamed whether or not the groups of the partition are editable."""
        groups = [group for each in partitions for group in each.groups]
        own = {"course_id": course_id, **_groups(partitions)}
        names = {name: own[name] for name in ("course_id", "group_ids", "group_names")}
        opened = await self._rows(SQL.open_partitions, **own)
        await self._rows(SQL.free_group_names, **own)
        await self._rows(SQL.name_groups, **names)
        await self._rows(
            SQL.groups,
            **own,
            positions=[group.position for group in groups],
            timetable_ids=[group.timetable_id for group in groups],
        )
        if opened:
            ids = [row.id for row in opened]
            await self._rows(SQL.close_partitions, course_id=course_id, partition_ids=ids)

    async def name_tracks(self, course_id: int) -> None:
        await self._rows(SQL.name_tracks, course_id=course_id)

    async def names_in_use(
        self, usernames: Sequence[str], emails: Sequence[str]
    ) -> tuple[set[str], set[str]]:
        """Usernames and e-mail addresses, the latter in small letters."""
        rows = await self._rows(SQL.names_in_use, usernames=list(usernames), emails=list(emails))
        return {row.username for row in rows}, {row.email for row in rows}

    async def know_users(self, users: Sequence[MovedUser]) -> set[int]:
        """Give users who are here the ids by which they are known there; returns those given."""
        rows = await self._rows(SQL.know_users, **_ids(users))
        return {row.id for row in rows}

    async def correct_numbers(self, users: Sequence[MovedUser]) -> set[int]:
        """Give users who are here the numbers that they have there; returns own ids."""
        own = [user.own_id for user in users]
        numbers = _numbers(users)
        student_numbers = numbers["student_numbers"]
        await self._rows(SQL.free_numbers, own_ids=own, student_numbers=student_numbers)
        rows = await self._rows(SQL.correct_numbers, own_ids=own, **numbers)
        return {row.id for row in rows}

    async def known_otherwise(self, users: Sequence[MovedUser]) -> set[int]:
        """Which of these ids are not those by which the users here are known."""
        return {row.id for row in await self._rows(SQL.known_otherwise, **_ids(users))}

    async def create_users(
        self, acronym: str, users: Sequence[MovedUser], sort_keys: Sequence[str]
    ) -> None:
        await self._rows(
            SQL.users,
            acronym=acronym,
            user_ids=[user.id for user in users],
            usernames=[user.username for user in users],
            emails=[user.email for user in users],
            family_names=[user.family_name for user in users],
            given_names=[user.given_name for user in users],
            usual_names=[user.usual_name for user in users],
            civilities=[user.civility for user in users],
            sort_keys=list(sort_keys),
            **_numbers(users),
        )

    async def enroll(self, course_id: int, users: Sequence[MovedUser]) -> None:
        await self._rows(
            SQL.enrollments,
            course_id=course_id,
            user_ids=[user.own_id or user.id for user in users],
            states=[user.state for user in users],
        )


def _ids(users: Sequence[MovedUser]) -> dict[str, Any]:
    return {
        "user_ids": [user.id for user in users],
        "own_ids": [user.own_id for user in users],
    }


def _numbers(users: Sequence[MovedUser]) -> dict[str, Any]:
    return {
        "student_numbers": [user.student_number for user in users],
        "national_numbers": [user.national_number for user in users],
    }


def _named(partitions: Sequence[MovedPartition]) -> dict[str, Any]:
    return {
        "partition_ids": [each.id for each in partitions],
        "partition_names": [each.name for each in partitions],
    }


def _groups(partitions: Sequence[MovedPartition]) -> dict[str, Any]:
    pairs = [(each, group) for each in partitions for group in each.groups]
    return {
        "group_ids": [group.id for _, group in pairs],
        "group_partition_ids": [each.id for each, _ in pairs],
        "group_names": [group.name for _, group in pairs],
    }
