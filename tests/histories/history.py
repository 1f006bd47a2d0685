"""A history: some clients, what each asks for, and what became of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

import httpx

from tests.histories.meanings import LOCK, Act
from tests.histories.operations import EVERY, OPERATIONS, Operation
from tests.histories.registers import Call
from tests.histories.requests import Request, Step
from tests.histories.stage import NothingThereError, Stage

MOST_TRIES: Final = 40
RARE: Final = {
    "lock": 0.3,
    "delete_group": 0.3,
    "scodoc_delete": 0.2,
    "disenroll": 0.3,
    "visit": 0.4,
    "assign": 3.0,
    "scodoc_assign": 2.0,
    "cohort_add": 2.0,
    "board": 2.0,
}
TOO_SOON: Final = ("request_in_progress",)


@dataclass(frozen=True)
class Program:
    """Steps by client. ``fault`` happens when so many steps were taken."""

    seed: int
    clients: tuple[tuple[Step, ...], ...]
    fault: str | None = None
    fault_at: int = 0

    @property
    def size(self) -> int:
        return sum(map(len, self.clients))


FAULTS: Final = {None: 40, "impatience": 25, "lock": 15, "disconnect": 14, "kill": 6}


BY_CHANCE: Final = "by chance"


def make_program(seed: int, fault: str | None = BY_CHANCE) -> Program:
    """A seed makes the same program every time; how its steps meet is up to the machine."""
    chance = random.Random(seed)
    # Each history leaves some operations out: what is left meets more often.
    names = [name for name in OPERATIONS if chance.random() < 0.7] or list(OPERATIONS)
    weights = [RARE.get(name, 1.0) for name in names]
    if fault == BY_CHANCE:
        fault = chance.choices(list(FAULTS), list(FAULTS.values()))[0]
    clients = chance.randint(4, 8)
    size = chance.randint(30, 60)

    def step() -> Step:
        impatient = fault == "impatience" and chance.random() < 0.4
        return Step(
            chance.choices(names, weights)[0],
            chance.randrange(2),
            chance.randrange(1000),
            chance.randrange(1000),
            chance.randrange(1000),
            chance.uniform(0.001, 0.015) if impatient else None,
            chance.random() < 0.3,
        )

    steps = [step() for _ in range(size)]
    return Program(
        seed,
        tuple(tuple(steps[client::clients]) for client in range(clients)),
        fault,
        chance.randrange(size // 2),
    )


@dataclass
class Event:
    """A step that was taken. ``status`` None: nobody has seen an answer."""

    id: str
    step: Step
    request: Request
    begin: float
    end: float = 0.0
    status: int | None = None
    body: Any = None
    headers: Any = None
    odd: list[str] = field(default_factory=list)

    @property
    def operation(self) -> Operation:
        return EVERY[self.step.name]

    @property
    def is_unknown(self) -> bool:
        return self.status is None or self.status >= 500 or self.code in TOO_SOON

    @property
    def is_done(self) -> bool:
        return self.status is not None and self.status < 300

    @property
    def code(self) -> str:
        """Why it was refused, in the words of the native face."""
        if not isinstance(self.body, dict) or self.is_done:
            return ""
        text = str(
            self.body.get("code") or self.body.get("error_code") or self.body.get("message") or ""
        )
        is_locked = text in ("course-locked", "formsemestre verrouillé")
        return "course_locked" if is_locked else text

    def acts(self, stage: Stage) -> Iterator[Act]:
        operation = self.operation
        if self.is_unknown:
            if operation.may is not None:
                yield from operation.may(stage, self.request)
        elif self.is_done:
            yield from operation.read(stage, self.request, self.body)
            if operation.may is not None and operation.needs_open:
                yield LOCK, ("read", False)
        elif self.code == "course_locked":
            yield LOCK, ("read", True)
        elif self.code == "not_enrolled":
            yield ("enrolled", self.request.user), ("read", False)

    def calls(self, stage: Stage) -> Iterator[tuple[Any, Call]]:
        for key, action in self.acts(stage):
            yield key, Call(self.begin, self.end, action, certain=not self.is_unknown)

    def __str__(self) -> str:
        return (
            f"{self.begin:.4f}-{self.end:.4f} {self.id} P{self.step.process} {self.step.name} "
            f"{self.request.method} {self.request.path} {self.request.json or ''} -> "
            f"{self.status} {str(self.body)[:400]}"
        )


class Run:
    """Takes the steps of a program. ``disturb`` is called when its fault is due."""

    def __init__(
        self,
        program: Program,
        stage: Stage,
        clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
        disturb: Callable[[], Awaitable[None]],
    ) -> None:
        self.program, self.stage = program, stage
        self.events: list[Event] = []
        self._clients, self._disturb = clients, disturb
        self._taken = 0

    async def all(self) -> list[Event]:
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for steps in self.program.clients:
                tasks.create_task(self._client(steps))
        return self.events

    async def _client(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if self.program.fault and self._taken == self.program.fault_at:
                self._tasks.create_task(self._disturb())
            self._taken += 1
            with suppress(NothingThereError):
                await self.take(step)

    async def take(self, step: Step) -> Event:
        request = EVERY[step.name].make(self.stage, step)
        name = f"h{self.program.seed}-{self.stage.course}-{len(self.events)}"
        event = Event(name, step, request, monotonic())
        self.events.append(event)
        answers = [self._answer(event, step.process)]
        if request.keyed and step.twice and step.patience is None:
            answers.append(self._answer(event, 1 - step.process))
        found = await asyncio.gather(*answers)
        event.end = monotonic()
        self._keep(event, found)
        return event

    def _keep(self, event: Event, found: list[httpx.Response | None]) -> None:
        """Of two answers to one key the one that tells most: what was done, or else nothing."""
        answers = [answer for answer in found if answer is not None]
        done = [answer for answer in answers if answer.is_success]
        if len({(answer.status_code, answer.content) for answer in done}) > 1:
            event.odd.append(f"two answers to one key: {[answer.text for answer in done]}")
        chosen = done[0] if done else answers[0] if len(answers) == len(found) else None
        if chosen is not None:
            event.status, event.headers = chosen.status_code, chosen.headers
            event.body = chosen.json() if chosen.content else None
        event.odd.extend(_odd(answer) for answer in answers if _odd(answer))
        if event.is_done:
            list(event.operation.read(self.stage, event.request, event.body))  # what there is now

    async def _answer(self, event: Event, process: int) -> httpx.Response | None:
        """What has a key is sent again, through either process, until there is an answer."""
        request, answer = event.request, None
        for number in range(MOST_TRIES if request.keyed else 1):
            answer = await self._send(event, process, None if number else event.step.patience)
            if not request.keyed or (answer is not None and _is_settled(answer)):
                return answer
            process = 1 - process
            await asyncio.sleep(0.05)
        return None

    async def _send(
        self, event: Event, process: int, patience: float | None
    ) -> httpx.Response | None:
        request = event.request
        headers = {"x-request-id": event.id}
        if request.keyed:
            headers["idempotency-key"] = event.id
        try:
            async with asyncio.timeout(patience):
                return await self._clients[process].request(
                    request.method, request.path, json=request.json, headers=headers
                )
        except (httpx.TransportError, TimeoutError):
            return None


def _is_settled(answer: httpx.Response) -> bool:
    is_running = answer.status_code == 409 and answer.json().get("code") in TOO_SOON
    return answer.status_code < 500 and not is_running


def _odd(answer: httpx.Response) -> str:
    if answer.status_code == 503:
        return "" if "retry-after" in answer.headers else "503 without Retry-After"
    return f"{answer.status_code}: {answer.text[:300]}" if answer.status_code >= 500 else ""
