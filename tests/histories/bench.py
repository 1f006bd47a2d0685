"""Two services on one database, and histories through both."""

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from groupsvc.core.audit.repository import AuditRepository
from groupsvc.core.audit.verification import Verification, Verifier
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.connect import parse_url
from groupsvc.db.engine import make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.settings import Settings
from tests.histories.checks import Ending, violations
from tests.histories.faults import LIMITS, Disturber
from tests.histories.history import Event, Program, Run
from tests.histories.requests import Step
from tests.histories.stage import Database, Seen, Stage, open_database
from tests.torture.service import Service

MOST_LOOKS = 50
TRIES = 3
CRASHED, FAILED = '"status": 500', '"a request failed"'


@dataclass
class Figures:
    histories: int = 0
    operations: int = 0
    done: int = 0
    refused: int = 0
    unknown: int = 0
    undecided: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, program: Program, events: list[Event]) -> None:
        self.histories += 1
        self.operations += len(events)
        self.unknown += sum(event.is_unknown for event in events)
        self.done += sum(event.is_done for event in events)
        self.refused = self.operations - self.done - self.unknown
        self.faults[program.fault or "none"] += 1

    def __str__(self) -> str:
        return (
            f"{self.histories} histories, {self.operations} operations: {self.done} done, "
            f"{self.refused} refused, {self.unknown} unknown; values left open: {self.undecided}; "
            f"faults: {dict(self.faults)}"
        )


class Bench:
    def __init__(
        self,
        url: str,
        database: Database,
        services: tuple[Service, Service],
        clients: tuple[httpx.AsyncClient, httpx.AsyncClient],
    ) -> None:
        self.url = url
        self.database, self.services, self._clients = database, services, clients
        self._disturber = Disturber(database, services)
        self.figures = Figures()

    async def check(self, program: Program) -> list[str]:
        """What is wrong with a history of this program."""
        chance = random.Random(program.seed)
        stage = await self.database.make_stage(chance)
        first = await self.database.look(stage.course)

        async def disturb() -> None:
            await self._disturber.disturb(program.fault or "", stage, chance)

        run = Run(program, stage, self._clients, disturb)
        events = list(await run.all())
        seen, answers = await self._ending(run, stage)
        self.figures.add(program, events)
        found = list(violations(stage, events, Ending(first.held, seen, answers)))
        self.figures.undecided += sum(each.startswith("undecided") for each in found)
        return [each for each in found if not each.startswith("undecided")]

    async def _ending(self, run: Run, stage: Stage) -> tuple[Seen, list[Event]]:
        """Reads through all faces and both processes, between which nothing has changed."""
        for _ in range(MOST_LOOKS):
            before = await self.database.look(stage.course)
            cohorts = [row["id"] for row in before.held.groups(stage.cohorts)]
            stage.groups = {row["id"]: stage.cohorts for row in before.held.groups(stage.cohorts)}
            names = ["board", "cohorts", "scodoc_default", *["cohort_members"][: len(cohorts)]]
            answers = [
                await run.take(Step(name, process, run.program.seed, 0, 0))
                for process in (0, 1)
                for name in names
            ]
            after = await self.database.look(stage.course)
            if before == after and all(answer.is_done for answer in answers):
                return after, answers
        raise AssertionError(f"no quiet end: {[str(each) for each in answers]}")


@asynccontextmanager
async def open_bench(home: Path, url: str, before: str = "") -> AsyncIterator[Bench]:
    """``before`` is run by both services first: what a control breaks."""
    more: dict[str, Any] = {"before": before, "drain_time": 0, "log_level": "WARNING"}
    services = tuple(
        Service(home, url, audit_seal_seconds=3, pool_size=4, **more, **limits) for limits in LIMITS
    )
    async with AsyncExitStack() as stack:
        for service in services:
            stack.callback(service.kill)
            service.start()
        for service in services:
            await service.ready()
        clients = tuple([await stack.enter_async_context(each.client()) for each in services])
        database = await stack.enter_async_context(open_database(url))
        yield Bench(url, database, services, clients)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Found:
    """A history that breaks a rule."""

    program: Program
    wrong: list[str]

    @property
    def seed(self) -> int:
        return self.program.seed

    def told(self) -> str:
        steps = [" ".join(step.name for step in steps) for steps in self.program.clients]
        return "\n".join(
            [f"HISTORY_SEED={self.seed}, fault {self.program.fault}, clients:", *steps, *self.wrong]
        )


async def search(bench: Bench, programs: Iterable[Program], *, finds: str = "") -> Found | None:
    """The first history with a violation that begins so; its program is made smaller."""
    for program in programs:
        wrong = await bench.check(program)
        if any(each.startswith(finds) for each in wrong):
            return Found(program, wrong)
    return None


async def made_smaller(bench: Bench, found: Found) -> Found:
    """Without the clients, and then the steps, that it does not need; each is tried some times."""
    for shorter in _shorter(found.program):
        for _ in range(TRIES):
            if wrong := await bench.check(shorter):
                return await made_smaller(bench, Found(shorter, wrong))
    return found


def _shorter(program: Program) -> Iterator[Program]:
    clients = program.clients
    for place in range(len(clients)):
        yield replace(program, clients=(*clients[:place], *clients[place + 1 :]))
    for place, steps in enumerate(clients):
        for half in (steps[: len(steps) // 2], steps[len(steps) // 2 :]):
            if len(steps) > 1:
                yield replace(program, clients=(*clients[:place], half, *clients[place + 1 :]))


async def audit(bench: Bench) -> str | None:
    """What ``groupsvc audit verify`` would find."""
    engine = make_engine(parse_url(bench.url), Settings(command_timeout=300, statement_timeout=300))

    async def verify(uow: UnitOfWork) -> Verification:
        return await Verifier(uow.repository(AuditRepository), keys={}, known={}).verify()

    try:
        result = await TransactionRunner(ConnectionPool(engine)).run("audit", verify)
    finally:
        await engine.dispose()
    assert result.seals
    return result.fault


def failures_in_logs(bench: Bench) -> list[str]:
    """What a service did not answer as it should, whether anybody was there to see it or not."""
    lines = [line for service in bench.services for line in service.log.read_text().splitlines()]
    return [line for line in lines if CRASHED in line or FAILED in line]
