"""Any sequence of changes, undone one by one from the last to the first, and done again.

What an observer sees is what it was before each of them, byte for byte. On the way some are undone
out of turn: that is refused and changes nothing, or it can be done again.
"""

import asyncio
from typing import Any

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.api.tables import CSV, table
from tests.api.undoing import changeset_of, everything, undo
from tests.conftest import MakeWorld
from tests.examples import examples
from tests.test_model import NUMBERS, USERS, Machine


class UndoMachine(Machine):
    """``done`` are the changesets so far, each with what there was before it."""

    # What is not undone.
    turn_the_lock = None  # type: ignore[assignment]
    disenroll = None  # type: ignore[assignment]

    @initialize(capacities=st.lists(st.sampled_from([None, 1, 2]), min_size=6, max_size=6))
    def start(self, capacities: list[int | None]) -> None:
        super().start(capacities)
        self.done: list[tuple[str, dict[str, str]]] = []
        self.now = self.seen()
        self.latest = self.run(changeset_of(self.client, self.world))

    def seen(self) -> dict[str, str]:
        return self.run(everything(self.client, self.world))

    def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        answer = super().send(method, path, body)
        if method != "GET" and hasattr(self, "done"):
            self.note()
        return answer

    def note(self) -> None:
        latest = self.run(changeset_of(self.client, self.world))
        if latest != self.latest:
            self.done.append((latest, self.now))
            self.latest, self.now = latest, self.seen()

    @rule(who=NUMBERS, state=st.sampled_from(["active", "withdrawn", "defaulted"]))
    def enroll(self, who: int, state: str) -> None:
        path = f"{self.course}/enrollments/{self.user(who)}"
        self.expect(self.send("PATCH", path, {"state": state}))

    @precondition(lambda self: self.partitions)
    @rule(number=NUMBERS, names=st.lists(st.sampled_from(["Old", "Older"]), min_size=1))
    def remember_names(self, number: int, names: list[str]) -> None:
        """An import that adds names which a partition once had."""
        header = ("course_key", "partition", "partition_former_names")
        former = "[" + ", ".join(f'"{name}"' for name in dict.fromkeys(names)) + "]"
        content = table(header, (self.world.course, self.partition(number).name, former))
        answer = self.run(
            self.client.post("/v1/import/structure", content=content.encode(), headers=CSV)
        )
        assert answer.json()["counts"].keys() <= {"updated", "unchanged"}, answer.text
        self.note()

    @precondition(lambda self: self.done)
    @rule(number=NUMBERS)
    def undo_out_of_turn(self, number: int) -> None:
        """Whatever came after it stays; where it cannot, nothing is undone."""
        changeset, _ = self.done[-1 - number % min(len(self.done), 4)]
        answer = self.run(undo(self.client, changeset))
        if answer.status_code == 200:
            again = self.run(undo(self.client, answer.json()["changeset_id"]))
            assert again.status_code == 200, again.text
            self.latest = again.json()["changeset_id"]
        else:
            assert answer.status_code == 409, answer.text
        assert self.seen() == self.now

    def teardown(self) -> None:
        if not hasattr(self, "done"):
            return
        undone: list[tuple[str, dict[str, str]]] = []
        after = self.now
        for changeset, before in reversed(self.done):
            answer = self.run(undo(self.client, changeset))
            assert answer.status_code == 200, answer.text
            assert self.seen() == before
            undone.append((answer.json()["changeset_id"], after))
            after = before
        for changeset, then in reversed(undone):
            answer = self.run(undo(self.client, changeset))
            assert answer.status_code == 200, answer.text
            assert self.seen() == then


async def test_any_sequence_of_changes_is_undone_and_done_again(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    bound = {
        "loop": asyncio.get_running_loop(),
        "client": client,
        "home": await make_world(USERS),
    }
    machine = type("Bound", (UndoMachine,), bound)
    limits = settings(
        max_examples=examples(4),
        stateful_step_count=20,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=limits)
