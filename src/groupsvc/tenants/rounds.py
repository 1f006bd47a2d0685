"""What a process does beside requests: it reads the list, and looks after institutions in turn."""

import asyncio
import contextvars
import logging
import random
from contextlib import suppress
from typing import Final

from groupsvc import logs
from groupsvc.db.engine import close_engine, make_engine
from groupsvc.tenants.fleet import Fleet, Served
from groupsvc.tenants.registry import Registry, Tenant, control_url

# At a time: a database that does not answer holds up its own visit and not the others.
MOST_VISITS: Final = 4
# Between two looks for connections that nobody needs, and for institutions that rest.
SECONDS_AT_REST: Final = 1.0

_log = logging.getLogger(__name__)


class Rounds:
    """One institution after another, however many there are: so the load does not grow with their
    number. What grows is the time until each has its turn.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        settings = fleet.settings
        self._engine = make_engine(
            control_url(settings), settings.model_copy(update={"pool_size": 2})
        )
        self._registry = Registry(self._engine)
        self._turns: list[str] = []
        self._tended: dict[str, float] = {}
        self._visits: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._read()
        works = {"list": self._follow, "rounds": self._go_round, "rest": self._put_aside}
        for name, work in works.items():
            self._tasks.append(asyncio.create_task(work(), name=f"groupsvc {name}"))

    async def stop(self) -> None:
        tasks = [*self._tasks, *self._visits.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        await close_engine(self._engine)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self._fleet.settings.tenant_poll)
            await self._read()

    async def _read(self) -> None:
        try:
            await self._fleet.read(self._registry)
        except Exception as error:
            # What is known goes on being served.
            _log.warning("the list of institutions cannot be read just now", exc_info=error)

    async def _go_round(self) -> None:
        while True:
            await asyncio.sleep(1 / self._fleet.settings.tenant_visits)
            try:
                self._visit_next()
            except Exception as error:
                _log.warning("an institution cannot be looked after just now", exc_info=error)

    async def _put_aside(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SECONDS_AT_REST)
            try:
                await self._fleet.put_aside(loop.time() - self._fleet.settings.tenant_idle)
            except Exception as error:
                _log.warning("an institution cannot be put aside just now", exc_info=error)

    def _visit_next(self) -> None:
        if len(self._visits) >= MOST_VISITS:
            return
        if not self._turns:
            self._turns = list(self._fleet.tenants)
            random.shuffle(self._turns)  # workers do not go the same way
        while self._turns:
            tenant = self._fleet.tenants.get(self._turns.pop())
            # One that is being moved can do no jobs.
            if tenant is not None and not (tenant.target_url or tenant.name in self._visits):
                self.visit(tenant)
                return

    def visit(self, tenant: Tenant) -> None:
        """Have the jobs done that others have left and, when it is time, what is now and then."""
        # One that is made now looks for jobs by itself.
        wakes = self._fleet.is_made(tenant)
        served = self._fleet.get(tenant)
        context = contextvars.Context()
        context.run(logs.tenant.set, tenant.name)
        now = asyncio.get_running_loop().time()
        due = now - self._fleet.settings.audit_seal_seconds
        tended = self._tended.get(tenant.name)
        served.under_way += 1
        is_due = tended is None or tended <= due
        if is_due:
            self._tended[tenant.name] = now
        visit = asyncio.get_running_loop().create_task(
            _look_after(served, wakes=wakes, tends=is_due), name="groupsvc visit", context=context
        )
        self._visits[tenant.name] = visit
        visit.add_done_callback(lambda _: self._visits.pop(tenant.name))


async def _look_after(served: Served, *, wakes: bool, tends: bool) -> None:
    try:
        if wakes:
            await served.institution.jobs.wake()
        if tends:
            await served.institution.upkeep.visit()
    except Exception as error:
        _log.warning("an institution cannot be looked after just now", exc_info=error)
    finally:
        served.under_way -= 1
