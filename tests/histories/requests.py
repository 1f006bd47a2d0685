"""What clients can ask for: which request a step of a history is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.histories.stage import Stage


@dataclass(frozen=True)
class Step:
    """One thing that a client does. ``number``, ``who`` and ``other`` choose what it is about.

    A client with ``patience`` goes away after so many seconds. ``twice``: it sends what has a key
    through both processes at once.
    """

    name: str
    process: int
    number: int
    who: int
    other: int
    patience: float | None = None
    twice: bool = False


@dataclass(frozen=True)
class Request:
    """``partition``, ``user`` and ``group`` are what it is about; a ``keyed`` one is done once."""

    method: str
    path: str
    json: Any = None
    partition: int = 0
    user: int = 0
    group: int = 0
    keyed: bool = False


Make = Callable[[Stage, Step], Request]


def on_member(method: str, path: str, *, cohort: bool = False) -> Make:
    def make(stage: Stage, step: Step) -> Request:
        group, user = stage.group(step.number, cohort=cohort), stage.user(step.who)
        address = path.format(group=group, user=user, key=stage.key, username=stage.usernames[user])
        return Request(method, address, None, stage.groups[group], user, group)

    return make


def on_group(
    method: str,
    path: str,
    body: Callable[[Step], Any] | None = None,
    *,
    cohort: bool = False,
) -> Make:
    def make(stage: Stage, step: Step) -> Request:
        group = stage.group(step.number, cohort=cohort)
        address = path.format(group=group, key=stage.key)
        return Request(method, address, body and body(step), stage.groups[group], 0, group)

    return make


def on_partition(
    method: str, path: str, body: Callable[[Stage, Step, int], Any] | None = None, **more: Any
) -> Make:
    def make(stage: Stage, step: Step) -> Request:
        partition, user = stage.partition(step.number), stage.user(step.who)
        address = path.format(partition=partition, user=user)
        given = body and body(stage, step, partition)
        return Request(method, address, given, partition, user, **more)

    return make


def on_course(method: str, path: str, body: Callable[[Stage, Step], Any] | None = None) -> Make:
    def make(stage: Stage, step: Step) -> Request:
        user = stage.user(step.who)
        address = path.format(
            course=stage.course, user=user, key=stage.key, default=stage.default_group
        )
        return Request(method, address, body and body(stage, step), stage.cohorts, user)

    return make


def name_of(step: Step) -> str:
    return f"N{step.other % 9}"


def rows(stage: Stage, step: Step, partition: int) -> Any:
    """Some users, each into a group of the partition or out of it."""
    chance = random.Random(step.other)
    groups = [group for group, within in stage.groups.items() if within == partition]
    users = chance.sample(stage.users, 1 + step.other % 4)
    return {
        "rows": [{"user_id": user, "group_id": chance.choice([None, *groups])} for user in users],
        "mode": chance.choice(["row_by_row", "all_or_nothing"]),
    }


def order(stage: Stage, step: Step, partition: int) -> list[int]:
    groups = [group for group, within in stage.groups.items() if within == partition]
    return random.Random(step.other).sample(groups, len(groups))


def in_group_of(path: str) -> Make:
    return on_partition("POST", path, lambda _, step, __: {"name": name_of(step)}, keyed=True)
