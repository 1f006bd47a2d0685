"""Any sequence of changes against the plainest possible telling of the rules.

After every step the board is what the model says, and so is what the change log tells from its
first line to its last.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.conftest import MakeWorld, World
from tests.examples import examples
from tests.gathering import WAYS, gather

T = TypeVar("T")

USERS = 4
NAMES = st.sampled_from(["A", "B", "C", " A ", "e\u0301", "\u00e9"])
NUMBERS = st.integers(0, 20)
CAPACITIES = st.sampled_from([None, 0, 1, 2])
PLACES = st.sampled_from([None, None, 1, 2, 9])
STORED = {" A ": "A", "e\u0301": "\u00e9"}


@dataclass
class Group:
    id: int
    name: str
    position: int
    capacity: int | None
    members: set[int] = field(default_factory=set)

    @property
    def is_full(self) -> bool:
        return self.capacity is not None and len(self.members) >= self.capacity


Row = tuple[int, Group | None]


@dataclass
class Partition:
    id: int
    name: str
    position: int
    is_editable: bool = True
    groups: list[Group] = field(default_factory=list)

    def group_of(self, user: int) -> Group | None:
        return next((group for group in self.groups if user in group.members), None)

    def move(self, user: int, target: Group | None) -> None:
        for group in self.groups:
            group.members.discard(user)
        if target is not None:
            target.members.add(user)


def last(items: Sequence[Any]) -> int:
    return max((item.position for item in items), default=0) + 1


def put_in_order(items: Sequence[Any]) -> None:
    for position, item in enumerate(items, start=1):
        item.position = position


class Machine(RuleBasedStateMachine):
    """Bound to a loop and a client by the test."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    home: World

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.run(self.client.request(method, f"/v1{path}", json=body))

    def expect(self, answer: httpx.Response, *refusals: tuple[bool, str]) -> bool:
        """Whether it was done; else the first refusal that applies has been given."""
        codes = [code for applies, code in refusals if applies]
        if not codes:
            assert answer.is_success, answer.text
            return True
        assert (answer.status_code, answer.json()["code"]) == (409, codes[0])
        return False

    @initialize(capacities=st.lists(CAPACITIES, min_size=6, max_size=6))
    def start(self, capacities: list[int | None]) -> None:
        """A course that is divided already, so that the first step has something to act on."""
        self.users = self.home.users
        self.world = World(self.home.sql, self.home.department, self.home.department_id)
        self.world.course_id, self.world.course = self.run(self.world.add_course())
        self.run(self.world.enroll(*self.users))
        self.course = f"/courses/{self.world.course_id}"
        self.enrolled = set(self.users)
        self.is_locked = False
        self.partitions: list[Partition] = []
        for number, name in enumerate("AB"):
            self.create_partition(name, None)
            for group, capacity in zip("ABC", capacities[number * 3 :], strict=False):
                self.create_group(number, group, None, capacity)

    def partition(self, number: int) -> Partition:
        return self.partitions[number % len(self.partitions)]

    def group(self, number: int) -> tuple[Partition, Group]:
        all_groups = [(each, group) for each in self.partitions for group in each.groups]
        return all_groups[number % len(all_groups)]

    def user(self, number: int) -> int:
        return self.users[number % USERS]

    @property
    def locked(self) -> tuple[bool, str]:
        return self.is_locked, "course_locked"

    def taken(self, items: Sequence[Any], name: str, own: Any = None) -> tuple[bool, str]:
        name = STORED.get(name, name)
        return any(item.name == name and item is not own for item in items), "name_taken"

    # Partitions

    @rule(name=NAMES, place=PLACES)
    def create_partition(self, name: str, place: int | None) -> None:
        answer = self.send("POST", f"{self.course}/partitions", {"name": name, "position": place})
        if self.expect(answer, self.locked, self.taken(self.partitions, name)):
            name = STORED.get(name, name)
            made = Partition(answer.json()["id"], name, last(self.partitions))
            if place is None:
                self.partitions.append(made)
            else:
                self.partitions.insert(place - 1, made)
                put_in_order(self.partitions)

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, name=NAMES)
    def rename_partition(self, number: int, name: str) -> None:
        partition = self.partition(number)
        answer = self.send("PATCH", f"/partitions/{partition.id}", {"name": name})
        if self.expect(answer, self.locked, self.taken(self.partitions, name, partition)):
            partition.name = STORED.get(name, name)

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, is_editable=st.sampled_from([True, True, False]))
    def set_editable(self, number: int, is_editable: bool) -> None:
        partition = self.partition(number)
        change = {"groups_editable": is_editable}
        if self.expect(self.send("PATCH", f"/partitions/{partition.id}", change), self.locked):
            partition.is_editable = is_editable

    @precondition(lambda self: len(self.partitions) > 1)
    @rule(number=NUMBERS)
    def delete_partition(self, number: int) -> None:
        partition = self.partition(number)
        if self.expect(self.send("DELETE", f"/partitions/{partition.id}"), self.locked):
            self.partitions.remove(partition)

    @rule(random=st.randoms(use_true_random=False))
    def order_partitions(self, random: Any) -> None:
        wanted = random.sample(self.partitions, len(self.partitions))
        ids = {"ids": [partition.id for partition in wanted]}
        if self.expect(self.send("PUT", f"{self.course}/partitions/order", ids), self.locked):
            self.partitions = wanted
            put_in_order(wanted)

    # Groups

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, name=NAMES, place=PLACES, capacity=CAPACITIES)
    def create_group(self, number: int, name: str, place: int | None, capacity: int | None) -> None:
        partition = self.partition(number)
        body = {"name": name, "position": place, "capacity": capacity}
        answer = self.send("POST", f"/partitions/{partition.id}/groups", body)
        frozen = not partition.is_editable, "groups_not_editable"
        if self.expect(answer, self.locked, frozen, self.taken(partition.groups, name)):
            name = STORED.get(name, name)
            made = Group(answer.json()["id"], name, last(partition.groups), capacity)
            if place is None:
                partition.groups.append(made)
            else:
                partition.groups.insert(place - 1, made)
                put_in_order(partition.groups)

    @precondition(lambda self: self.has_groups)
    @rule(number=NUMBERS, name=NAMES)
    def rename_group(self, number: int, name: str) -> None:
        partition, group = self.group(number)
        answer = self.send("PATCH", f"/groups/{group.id}", {"name": name})
        frozen = not partition.is_editable, "groups_not_editable"
        if self.expect(answer, self.locked, frozen, self.taken(partition.groups, name, group)):
            group.name = STORED.get(name, name)

    @precondition(lambda self: self.has_groups)
    @rule(number=NUMBERS, capacity=CAPACITIES)
    def set_capacity(self, number: int, capacity: int | None) -> None:
        _, group = self.group(number)
        answer = self.send("PATCH", f"/groups/{group.id}", {"capacity": capacity})
        full = capacity is not None and capacity < len(group.members), "group_full"
        if self.expect(answer, self.locked, full):
            group.capacity = capacity

    @precondition(lambda self: self.has_groups)
    @rule(number=NUMBERS)
    def delete_group(self, number: int) -> None:
        partition, group = self.group(number)
        frozen = not partition.is_editable, "groups_not_editable"
        if self.expect(self.send("DELETE", f"/groups/{group.id}"), self.locked, frozen):
            partition.groups.remove(group)

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, random=st.randoms(use_true_random=False))
    def order_groups(self, number: int, random: Any) -> None:
        partition = self.partition(number)
        wanted = random.sample(partition.groups, len(partition.groups))
        ids = {"ids": [group.id for group in wanted]}
        path = f"/partitions/{partition.id}/groups/order"
        if self.expect(self.send("PUT", path, ids), self.locked):
            partition.groups = wanted
            put_in_order(wanted)

    # Memberships

    @property
    def has_groups(self) -> bool:
        return any(partition.groups for partition in self.partitions)

    @precondition(lambda self: self.has_groups)
    @rule(number=NUMBERS, who=NUMBERS)
    def assign(self, number: int, who: int) -> None:
        partition, group = self.group(number)
        user, previous = self.user(who), partition.group_of(self.user(who))
        answer = self.send("PUT", f"/groups/{group.id}/members/{user}")
        stranger = user not in self.enrolled, "not_enrolled"
        full = group.is_full and previous is not group, "group_full"
        if self.expect(answer, self.locked, stranger, full):
            changed = previous is not group
            was = previous.id if changed and previous else None
            assert (answer.json()["changed"], answer.json()["previous_group_id"]) == (changed, was)
            partition.move(user, group)

    @precondition(lambda self: self.has_groups)
    @rule(number=NUMBERS, who=NUMBERS)
    def remove(self, number: int, who: int) -> None:
        _, group = self.group(number)
        user = self.user(who)
        if self.expect(self.send("DELETE", f"/groups/{group.id}/members/{user}"), self.locked):
            group.members.discard(user)

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, who=NUMBERS)
    def leave(self, number: int, who: int) -> None:
        partition, user = self.partition(number), self.user(who)
        path = f"/partitions/{partition.id}/members/{user}"
        if self.expect(self.send("DELETE", path), self.locked):
            partition.move(user, None)

    @precondition(lambda self: self.partitions)
    @rule(
        number=NUMBERS,
        wishes=st.lists(st.tuples(NUMBERS, st.none() | NUMBERS), max_size=8),
        all_or_nothing=st.booleans(),
        dry_run=st.booleans(),
    )
    def assign_many(
        self,
        number: int,
        wishes: list[tuple[int, int | None]],
        all_or_nothing: bool,
        dry_run: bool,
    ) -> None:
        partition = self.partition(number)
        rows = [(self.user(who), self.target(partition, where)) for who, where in wishes]
        mode = "all_or_nothing" if all_or_nothing else "row_by_row"
        body = {
            "rows": [
                {"user_id": user, "group_id": group.id if group else None} for user, group in rows
            ],
            "mode": mode,
            "dry_run": dry_run,
        }
        answer = self.send("POST", f"/partitions/{partition.id}/assignments", body)
        if not self.expect(answer, self.locked):
            return
        codes = self.decide(partition, rows)
        assert [row["code"] for row in answer.json()["rows"]] == codes
        written = not dry_run and not (all_or_nothing and any(codes))
        assert answer.json()["written"] is written
        for (user, group), code in zip(rows, codes, strict=True):
            if written and code is None:
                partition.move(user, group)

    def target(self, partition: Partition, number: int | None) -> Group | None:
        if number is None or not partition.groups:
            return None
        return partition.groups[number % len(partition.groups)]

    def decide(self, partition: Partition, rows: list[Row]) -> list[str | None]:
        """As long as a group ends over its capacity, whoever came by the latest row is refused."""
        codes = [
            "not_enrolled" if group is not None and user not in self.enrolled else None
            for user, group in rows
        ]
        while (refused := self.latest_in_excess(partition, rows, codes)) is not None:
            codes = [
                "group_full" if row == refused else code
                for row, code in zip(rows, codes, strict=True)
            ]
        return codes

    def latest_in_excess(
        self, partition: Partition, rows: list[Row], codes: list[str | None]
    ) -> Row | None:
        ends = {user: to for (user, to), code in zip(rows, codes, strict=True) if code is None}
        for group in partition.groups:
            came = [user for user, to in ends.items() if to is group and user not in group.members]
            stayed = [user for user in group.members if ends.get(user, group) is group]
            if group.capacity is not None and len(came) + len(stayed) > group.capacity:
                return max(((user, group) for user in came), key=rows.index)
        return None

    # The course

    @rule(number=NUMBERS)
    def turn_the_lock(self, number: int) -> None:
        """Seldom, and not for long: a locked course refuses nearly everything."""
        if self.is_locked or number % 7 == 0:
            self.is_locked = not self.is_locked
            method = "PUT" if self.is_locked else "DELETE"
            answer = self.send(method, f"{self.course}/lock")
            assert answer.json()["is_locked"] is self.is_locked

    @rule(who=NUMBERS, state=st.sampled_from(["active", "withdrawn", "defaulted"]))
    def enroll(self, who: int, state: str) -> None:
        user = self.user(who)
        self.expect(self.send("PUT", f"{self.course}/enrollments/{user}", {"state": state}))
        self.enrolled.add(user)

    @precondition(lambda self: len(self.enrolled) == USERS)
    @rule(who=NUMBERS)
    def disenroll(self, who: int) -> None:
        user = self.user(who)
        is_member = any(partition.group_of(user) for partition in self.partitions)
        locked = self.is_locked and is_member, "course_locked"
        if self.expect(self.send("DELETE", f"{self.course}/enrollments/{user}"), locked):
            self.enrolled.discard(user)
            for partition in self.partitions:
                partition.move(user, None)

    # What must be true after every step

    @invariant()
    def the_board_is_the_model(self) -> None:
        board = self.send("GET", f"{self.course}/board").json()
        assert board["enrolled"] == len(self.enrolled)
        assert board["course"]["is_locked"] is self.is_locked
        assert [
            (
                each["id"],
                each["name"],
                each["position"],
                each["groups_editable"],
                [
                    (
                        group["id"],
                        group["name"],
                        group["position"],
                        group["capacity"],
                        set(group["members"]),
                        group["member_count"],
                    )
                    for group in each["groups"]
                ],
                set(each["unassigned"]),
            )
            for each in board["partitions"]
        ] == [
            (
                each.id,
                each.name,
                each.position,
                each.is_editable,
                [
                    (
                        group.id,
                        group.name,
                        group.position,
                        group.capacity,
                        group.members,
                        len(group.members),
                    )
                    for group in each.groups
                ],
                {user for user in self.enrolled if each.group_of(user) is None},
            )
            for each in self.partitions
        ]

    @invariant()
    def the_log_tells_the_same(self) -> None:
        enrolled: set[int] = set()
        where: dict[int, dict[int, int]] = {}
        for kind, user, group, before, after in self.run(self.world.log("%")):
            if kind == "enrollment.created":
                enrolled.add(user)
            elif kind == "enrollment.deleted":
                enrolled.remove(user)
            elif kind.startswith("membership."):
                held = where.setdefault(user, {})
                place = (after or before)["group_id"]
                assert group == place
                if before is not None:
                    del held[before["group_id"]]
                if after is not None:
                    held[after["group_id"]] = group
        assert enrolled == self.enrolled
        members: dict[int, set[int]] = {}
        for user, held in where.items():
            for group in held:
                members.setdefault(group, set()).add(user)
        assert members == {
            group.id: group.members
            for partition in self.partitions
            for group in partition.groups
            if group.members
        }


@pytest.mark.parametrize("way", WAYS)
async def test_any_sequence_of_changes_does_what_the_rules_say(
    client: httpx.AsyncClient, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    gather(monkeypatch, way)
    bound = {
        "loop": asyncio.get_running_loop(),
        "client": client,
        "home": await make_world(USERS),
    }
    machine = type("Bound", (Machine,), bound)
    limits = settings(
        max_examples=examples(12),
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=limits)
