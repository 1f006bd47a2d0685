"""What must be true of a history, of its change log and of what is there in the end."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.histories.history import Event
from tests.histories.meanings import LOCK
from tests.histories.registers import Call, UndecidedError, is_linearizable
from tests.histories.replay import Held, Line, ReplayError, broken_rules, replay
from tests.histories.stage import Seen, Stage


@dataclass(frozen=True)
class Ending:
    """What is there when nobody asks any more. ``answers`` are reads by name, through all faces."""

    first: Held
    seen: Seen
    answers: list[Event]


def violations(stage: Stage, events: Sequence[Event], ending: Ending) -> Iterator[str]:
    for event in events:
        for odd in event.odd:
            yield f"answer: {odd} to {event}"
        yield from faults_of_answer(event)
    yield from faults_of_log(ending.seen)
    yield from faults_of_tables(stage, ending.seen)
    yield from faults_of_acknowledgements(events, ending.seen.lines)
    yield from faults_of_values(stage, [*events, *ending.answers], ending)
    for answer in ending.answers:
        yield from faults_of_answer(answer)
        yield from faults_of_ending(stage, answer, ending.seen.held)


def faults_of_answer(event: Event) -> Iterator[str]:
    if not event.is_done:
        return
    if event.step.name == "board":
        for fault in faults_of_board(event.body):
            yield f"board: {fault} in {event}"
    if event.step.name == "order":
        found = [group["position"] for group in event.body["groups"]]
        ids = [group["id"] for group in event.body["groups"]]
        if found != list(range(1, len(found) + 1)) or ids != event.request.json["ids"]:
            yield f"positions: after an order they are {found} of {ids}: {event}"
    if event.step.name == "scodoc_order" and event.request.json:  # nothing named changes nothing
        found = [group["numero"] for group in event.body["groups"].values()]
        if sorted(found) != list(range(len(found))):
            yield f"positions: after an order they are {found}: {event}"


def faults_of_board(body: Any) -> Iterator[str]:
    """Of one answer, which is of one moment."""
    for partition in body["partitions"]:
        members = Counter(user for group in partition["groups"] for user in group["members"])
        twice = [user for user, times in members.items() if times > 1]
        if twice:
            yield f"users {twice} are in two groups of partition {partition['id']}"
        for group in partition["groups"]:
            if group["member_count"] != len(group["members"]):
                yield f"group {group['id']} counts {group['member_count']}: {group['members']}"
            if group["capacity"] is not None and len(group["members"]) > group["capacity"]:
                yield f"group {group['id']} is over its capacity"
        loose = partition["unassigned"]
        if partition["unassigned_count"] != len(loose) or members.keys() & set(loose):
            yield f"partition {partition['id']} has loose users {loose}, and {members}"
        if partition["kind"] == "ordinary" and len(members) + len(loose) != body["enrolled"]:
            yield f"partition {partition['id']} has not all of {body['enrolled']} users"


def faults_of_log(seen: Seen) -> Iterator[str]:
    try:
        held = replay(seen.lines)
        yield from (f"log: {fault}" for fault in broken_rules(seen.lines))
    except ReplayError as error:
        yield f"replay: {error}"
        return
    if held != seen.held:
        yield f"replay: the log tells {held}, and there is {seen.held}"


def faults_of_tables(stage: Stage, seen: Seen) -> Iterator[str]:
    held = seen.held
    if len(seen.pairs) != len(held.members):
        yield f"tables: somebody is in two groups: {sorted(seen.pairs)}"
    for (noun, row_id), row in held.rows.items():
        size = sum(1 for _, _, group in seen.pairs if noun == "group" and group == row_id)
        if noun == "group" and row["capacity"] is not None and size > row["capacity"]:
            yield f"tables: group {row_id} has {size} of {row['capacity']}"
    kinds = Counter(row["kind"] for (noun, _), row in held.rows.items() if noun == "partition")
    if kinds["default"] != 1 or len(held.groups(stage.default)) != 1:
        yield f"tables: the default partition is not one of one group: {kinds}"
    if any(partition == stage.default for partition, _, _ in seen.pairs):
        yield "tables: somebody is stored in the default partition"
    for partition, user, group in seen.pairs:
        if held.partition_of(group) != partition:
            yield f"tables: another partition than {partition} has group {group} of user {user}"
        if partition != stage.cohorts and user not in held.enrolled:
            yield f"tables: nobody enrolled user {user} of group {group}"


def faults_of_acknowledgements(events: Sequence[Event], lines: Sequence[Line]) -> Iterator[str]:
    """What was acknowledged stands in the log once, what was refused does not."""
    sets: dict[str | None, set[str]] = defaultdict(set)
    for line in lines:
        sets[line.request].add(line.changeset)
    for event in events:
        found = len(sets[event.id])
        if event.operation.may is None or not (event.is_done or event.is_unknown):
            expected = (0,)
        elif event.is_done and event.operation.effect is not None:
            expected = (int(event.operation.effect(event.body)),)
        else:
            expected = (0, 1)
        if found not in expected:
            yield f"acknowledged: {found} changesets, not {expected}, of {event}"


def faults_of_values(stage: Stage, events: Sequence[Event], ending: Ending) -> Iterator[str]:
    calls: dict[Any, list[Call]] = defaultdict(list)
    for event in events:
        for key, call in event.calls(stage):
            calls[key].append(call)
    for key, found in calls.items():
        if any(call.action == ("lose",) for call in found):
            continue
        try:
            if not is_linearizable(found, value_of(ending.first, key)):
                told = [str(each) for each in events if key in dict(each.acts(stage))]
                yield "\n    ".join([f"value: {key} cannot have been so:", *told])
        except UndecidedError:
            yield f"undecided: {key}"


def value_of(held: Held, key: Any) -> Any:
    match key:
        case ("lock",):
            return held.is_locked
        case ("enrolled", user):
            return user in held.enrolled
        case (_, partition, user):
            return held.members.get((partition, user))
    raise ValueError(key)


def faults_of_ending(stage: Stage, event: Event, held: Held) -> Iterator[str]:
    """A last answer against the tables, which did not change around it."""
    if not event.is_done:
        yield f"ending: no answer to {event}"
        return
    for key, action in event.acts(stage):
        there = value_of(held, key)
        wrong = (action[0] == "read" and there != action[1]) or (
            action[0] == "is" and (there == action[1]) is not action[2]
        )
        if wrong and key != LOCK:
            yield f"ending: {key} is {there}, and not as in {event}"
    if event.step.name == "cohorts":
        told = {each["id"]: each["user_count"] for each in event.body}
        if told != {row["id"]: _active(held, row["id"]) for row in held.groups(stage.cohorts)}:
            yield f"ending: the cohorts do not count {held.members} in {event}"
    if event.step.name == "scodoc_default" and {each["id"] for each in event.body} != set(
        held.enrolled
    ):
        yield f"ending: the default group has not {sorted(held.enrolled)} in {event}"


def _active(held: Held, group: int) -> int:
    return sum(
        1
        for (_, user), where in held.members.items()
        if where == group and held.enrolled.get(user, {}).get("state") == "active"
    )
