"""Any sequence of calls against a small model of the rules: status, board, order and log agree."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.db.engine import make_engine
from groupsvc.settings import Settings
from tests.conftest import EVERYTHING, SQL, Auth, World, serving, statements

NAMES = st.sampled_from("ABC")
CAPACITIES = st.sampled_from([None, 0, 1, 2])
PICK = st.integers(0, 20)


class Group:
    def __init__(self, group_id: int, name: str, capacity: int | None) -> None:
        self.id, self.name, self.capacity = group_id, name, capacity
        self.members: set[int] = set()

    @property
    def is_full(self) -> bool:
        return self.capacity is not None and len(self.members) >= self.capacity


class Partition:
    def __init__(self, partition_id: int, name: str) -> None:
        self.id, self.name, self.editable = partition_id, name, True
        self.groups: list[Group] = []

    def of(self, user: int) -> Group | None:
        return next((group for group in self.groups if user in group.members), None)


class Course(RuleBasedStateMachine):
    """One course of five users, of whom some are enrolled."""

    runner: asyncio.Runner
    client: httpx.AsyncClient
    sql: SQL

    def __init__(self) -> None:
        super().__init__()
        self.world = self.runner.run(World(self.sql).make(5))
        self.path = f"/v1/courses/{self.world.course_id}"
        self.partitions: list[Partition] = []
        self.locked = False
        self.enrolled = set(self.world.users)

    @initialize(capacities=st.lists(CAPACITIES, min_size=6, max_size=6))
    def divide(self, capacities: list[int | None]) -> None:
        """Something to act on from the first step."""
        for place, name in enumerate("AB"):
            self.create_partition(name)
            for offset, group in enumerate("ABC"):
                self.create_group(place, group, capacities[place * 3 + offset])

    def call(self, method: str, path: str, **body: Any) -> httpx.Response:
        json = body if method in ("POST", "PATCH") or body else None
        return self.runner.run(self.client.request(method, path, json=json))

    def partition(self, pick: int) -> Partition:
        return self.partitions[pick % len(self.partitions)]

    def group(self, pick: int) -> tuple[Partition, Group]:
        pairs = [(each, group) for each in self.partitions for group in each.groups]
        return pairs[pick % len(pairs)]

    def user(self, pick: int) -> int:
        return self.world.users[pick % len(self.world.users)]

    def has_partitions(self) -> bool:
        return bool(self.partitions)

    def has_groups(self) -> bool:
        return any(partition.groups for partition in self.partitions)

    def refused(self, answer: httpx.Response, *codes: str | None) -> bool:
        """Hold the answer against the first refusal that the model knows of."""
        code = next((code for code in codes if code), None)
        if code is None:
            assert answer.is_success, answer.text
            return False
        assert (answer.status_code, answer.json()["code"]) == (409, code), answer.text
        return True

    @property
    def lock(self) -> str | None:
        return "course_locked" if self.locked else None

    @rule(name=NAMES)
    def create_partition(self, name: str) -> None:
        answer = self.call("POST", f"{self.path}/partitions", name=f" {name} ")
        taken = "name_taken" if name in [each.name for each in self.partitions] else None
        if not self.refused(answer, self.lock, taken):
            self.partitions.append(Partition(answer.json()["id"], name))

    @precondition(has_partitions)
    @rule(pick=PICK, name=NAMES, editable=st.booleans())
    def edit_partition(self, pick: int, name: str, editable: bool) -> None:
        target = self.partition(pick)
        answer = self.call(
            "PATCH", f"/v1/partitions/{target.id}", name=name, groups_editable=editable
        )
        others = [each.name for each in self.partitions if each is not target]
        if not self.refused(answer, self.lock, "name_taken" if name in others else None):
            target.name, target.editable = name, editable

    @precondition(lambda self: len(self.partitions) > 1)
    @rule(pick=PICK)
    def delete_partition(self, pick: int) -> None:
        target = self.partition(pick)
        if not self.refused(self.call("DELETE", f"/v1/partitions/{target.id}"), self.lock):
            self.partitions.remove(target)

    @precondition(has_partitions)
    @rule(data=st.data())
    def order_partitions(self, data: st.DataObject) -> None:
        wanted = data.draw(st.permutations(self.partitions))
        ids = [each.id for each in wanted]
        if not self.refused(self.call("PUT", f"{self.path}/partitions/order", ids=ids), self.lock):
            self.partitions = list(wanted)

    @precondition(has_partitions)
    @rule(pick=PICK, name=NAMES, capacity=CAPACITIES)
    def create_group(self, pick: int, name: str, capacity: int | None) -> None:
        target = self.partition(pick)
        path = f"/v1/partitions/{target.id}/groups"
        answer = self.call("POST", path, name=name, capacity=capacity)
        fixed = None if target.editable else "groups_not_editable"
        taken = "name_taken" if name in [each.name for each in target.groups] else None
        if not self.refused(answer, self.lock, fixed, taken):
            target.groups.append(Group(answer.json()["id"], name, capacity))

    @precondition(has_groups)
    @rule(pick=PICK, name=NAMES)
    def rename_group(self, pick: int, name: str) -> None:
        parent, target = self.group(pick)
        answer = self.call("PATCH", f"/v1/groups/{target.id}", name=name)
        fixed = None if parent.editable else "groups_not_editable"
        taken = name in [each.name for each in parent.groups if each is not target]
        if not self.refused(answer, self.lock, fixed, "name_taken" if taken else None):
            target.name = name

    @precondition(has_groups)
    @rule(pick=PICK, capacity=CAPACITIES)
    def limit_group(self, pick: int, capacity: int | None) -> None:
        _, target = self.group(pick)
        answer = self.call("PATCH", f"/v1/groups/{target.id}", capacity=capacity)
        over = capacity is not None and len(target.members) > capacity
        if not self.refused(answer, self.lock, "group_full" if over else None):
            target.capacity = capacity

    @precondition(has_groups)
    @rule(pick=PICK)
    def delete_group(self, pick: int) -> None:
        parent, target = self.group(pick)
        answer = self.call("DELETE", f"/v1/groups/{target.id}")
        if not self.refused(answer, self.lock, None if parent.editable else "groups_not_editable"):
            parent.groups.remove(target)

    @precondition(has_groups)
    @rule(pick=PICK, data=st.data())
    def order_groups(self, pick: int, data: st.DataObject) -> None:
        parent, _ = self.group(pick)
        wanted = data.draw(st.permutations(parent.groups))
        ids = [each.id for each in wanted]
        answer = self.call("PUT", f"/v1/partitions/{parent.id}/groups/order", ids=ids)
        if not self.refused(answer, self.lock):
            parent.groups = list(wanted)

    @precondition(has_groups)
    @rule(pick=PICK, who=PICK)
    def assign(self, pick: int, who: int) -> None:
        parent, target = self.group(pick)
        user = self.user(who)
        answer = self.call("PUT", f"/v1/groups/{target.id}/members/{user}")
        stranger = None if user in self.enrolled else "not_enrolled"
        full = target.is_full and user not in target.members
        if not self.refused(answer, self.lock, stranger, "group_full" if full else None):
            previous = parent.of(user)
            told = answer.json()["previous_group_id"]
            assert told == (previous.id if previous and previous is not target else None)
            self.move(parent, user, target)

    @precondition(has_groups)
    @rule(pick=PICK, who=PICK)
    def remove(self, pick: int, who: int) -> None:
        _, target = self.group(pick)
        user = self.user(who)
        answer = self.call("DELETE", f"/v1/groups/{target.id}/members/{user}")
        if not self.refused(answer, self.lock):
            target.members.discard(user)

    @precondition(has_groups)
    @rule(pick=PICK, rows=st.lists(st.tuples(PICK, PICK), max_size=6))
    def assign_many(self, pick: int, rows: list[tuple[int, int]]) -> None:
        parent, _ = self.group(pick)
        wishes = [
            (self.user(who), parent.groups[which % len(parent.groups)]) for who, which in rows
        ]
        answer = self.call(
            "POST",
            f"/v1/partitions/{parent.id}/assignments",
            rows=[{"user_id": user, "group_id": group.id} for user, group in wishes],
            mode="row_by_row",
        )
        if self.refused(answer, self.lock):
            return
        for (user, group), row in zip(wishes, answer.json()["rows"], strict=True):
            if user not in self.enrolled:
                assert row["code"] == "not_enrolled"
            elif group.is_full and user not in group.members:
                assert row["code"] == "group_full"
            else:
                assert row["code"] is None
                self.move(parent, user, group)

    @rule(pick=PICK)
    def toggle_lock(self, pick: int) -> None:
        """Locked courses refuse almost everything: seldom, and not for long."""
        if pick % 7 and not self.locked:
            return
        self.call("DELETE" if self.locked else "PUT", f"{self.path}/lock")
        self.locked = not self.locked

    @rule(who=PICK)
    def toggle_enrollment(self, who: int) -> None:
        user = self.user(who)
        path = f"{self.path}/enrollments/{user}"
        if user not in self.enrolled:
            assert self.call("PUT", path, state="active").status_code == 201
            self.enrolled.add(user)
            return
        in_groups = any(each.of(user) for each in self.partitions)
        if not self.refused(self.call("DELETE", path), self.lock if in_groups else None):
            self.enrolled.remove(user)
            for each in self.partitions:
                if (group := each.of(user)) is not None:
                    group.members.remove(user)

    @staticmethod
    def move(parent: Partition, user: int, target: Group) -> None:
        for group in parent.groups:
            group.members.discard(user)
        target.members.add(user)

    @invariant()
    def the_board_agrees(self) -> None:
        board = self.call("GET", f"{self.path}/board").json()
        shown = [
            (
                partition["id"],
                partition["name"],
                [
                    (group["id"], group["name"], group["capacity"], set(group["members"]))
                    for group in partition["groups"]
                ],
            )
            for partition in board["partitions"]
        ]
        assert shown == [
            (
                partition.id,
                partition.name,
                [
                    (group.id, group.name, group.capacity, group.members)
                    for group in partition.groups
                ],
            )
            for partition in self.partitions
        ]

    def teardown(self) -> None:
        """The log, read from the beginning, tells who is where."""
        told: dict[tuple[int, int], int] = {}
        lines = self.runner.run(
            self.sql(
                "SELECT partition_id, user_id, (after ->> 'group_id')::bigint FROM changes"
                " WHERE course_id = :id AND kind LIKE 'membership.%' ORDER BY seq",
                id=self.world.course_id,
            )
        )
        for partition, user, group in lines:
            if group is None:
                told.pop((partition, user))
            else:
                told[partition, user] = group
        assert told == {
            (partition.id, user): group.id
            for partition in self.partitions
            for group in partition.groups
            for user in group.members
        }


def test_any_sequence_of_calls_keeps_the_rules(
    url: URL, settings: Settings, home: Path, auth: Auth
) -> None:
    with asyncio.Runner() as runner:
        app = create_app(settings, url, home)
        context = serving(app)
        client = runner.run(context.__aenter__())
        client.headers.update(auth(*EVERYTHING, subject="model"))
        machine: Any = type("Machine", (Course,), {"runner": runner, "client": client})
        engine = make_engine(url, settings)
        machine.sql = staticmethod(statements(engine))
        try:
            run_state_machine_as_test(
                machine,
                settings=hypothesis_settings(
                    max_examples=15,
                    stateful_step_count=40,
                    deadline=None,
                    derandomize=True,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(engine.dispose())
            runner.run(context.__aexit__(None, None, None))
