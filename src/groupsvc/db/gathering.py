"""Gathering: calls of one statement that come at a time leave as one.

A hot statement costs more to send than to answer. A call leaves at once and by itself while few of
its kind are under way: nobody waits in order to be gathered. Whoever comes then waits for one of
them to return, and all who wait leave together.

Calls share nothing but the statement. It is sent after each of them was made, on a connection of
the pool that each of them chose. One who goes away leaves the others alone. When PostgreSQL refuses
the statement it has done nothing: each call is then sent by itself, to learn what is wrong with it.
When the connection breaks each learns that, and nothing is sent again.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncpg import PostgresError

from groupsvc.db.failures import AWAY
from groupsvc.db.rows import Row
from groupsvc.db.statements import Statement
from groupsvc.recorder import round_trips

if TYPE_CHECKING:
    from groupsvc.db.pool import ConnectionPool
    from groupsvc.db.pooled import PooledConnection


@dataclass(slots=True, eq=False)
class Call:
    """``rows`` are those of the call; None when it is to be sent by itself."""

    arguments: Sequence[Any]
    rows: asyncio.Future[list[Row] | None]

    def answer(self, rows: list[Row] | None) -> None:
        if not self.rows.done():
            self.rows.set_result(rows)

    def fail(self, error: BaseException) -> None:
        if not self.rows.done():
            self.rows.set_exception(error)


class Gatherer:
    """The calls of one statement in one pool."""

    FEW = 2  # statements under way: more would only split what could be one
    LEAST = 2  # calls: one goes as it would have gone at once
    MOST = 32  # calls: more would wait longer and save next to nothing

    def __init__(self, pool: "ConnectionPool", statement: Statement) -> None:
        self._pool, self._statement = pool, statement
        self.under_way = 0
        self.waiting: deque[Call] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, arguments: Sequence[Any]) -> list[Row] | None:
        """The rows of a call that goes with others. None: it is to be sent by itself."""
        round_trips.get()[0] += 1
        call = Call(arguments, asyncio.get_running_loop().create_future())
        self.waiting.append(call)
        if not self.under_way or len(self.waiting) % self.MOST == 0:
            self._start()
        return await call.rows

    def go_on(self) -> None:
        """When one has returned, those who wait leave."""
        if self.waiting and (not self.under_way or self.under_way < self.FEW):
            self._start()

    def _start(self) -> None:
        """In a task of no request: those may go away."""
        self.under_way += 1
        task = asyncio.get_running_loop().create_task(self._send(), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self) -> None:
        """Whoever comes while there is no connection goes along."""
        calls: Sequence[Call] = ()
        try:
            try:
                connection = await self._pool.acquire()
            except BaseException:
                calls, self.waiting = tuple(self.waiting), deque()
                raise
            try:
                calls = self._together()
                await self._answer(calls, connection)
            finally:
                self._pool.release(connection)
        except Exception as error:
            _tell(calls, error)
        except BaseException as error:  # the process ends
            _tell(calls, error)
            raise
        finally:
            self.under_way -= 1
            self.go_on()

    def _together(self) -> list[Call]:
        """The first that waits, and those that can go with it."""
        shared, apart = self._statement.gathered.shared, self._statement.gathered.apart
        together, later = list[Call](), list[Call]()
        first: list[Any] | None = None
        taken = set[Any]()
        while self.waiting and len(together) < self.MOST:
            call = self.waiting.popleft()
            if call.rows.done():
                continue  # it went away
            key = [call.arguments[place] for place in shared]
            what = len(together) if apart is None else call.arguments[apart]
            if (first is None or key == first) and what not in taken:
                first = key
                taken.add(what)
                together.append(call)
            else:
                later.append(call)
        self.waiting.extendleft(reversed(later))
        return together

    async def _answer(self, calls: Sequence[Call], connection: "PooledConnection") -> None:
        if len(calls) < self.LEAST:
            for call in calls:
                query = self._statement.query
                call.answer(await self._pool.fetch(query, call.arguments, connection))
            return
        gathered = self._statement.gathered
        arguments = gathered.arguments([call.arguments for call in calls])
        found = [list[Row]() for _ in calls]
        for row in await self._pool.fetch(gathered.query, arguments, connection):
            number: int = row[-1]
            found[number - 1].append(row)
        for call, rows in zip(calls, found, strict=True):
            call.answer(rows)


class Gatherers(dict[Statement, Gatherer]):
    """Those of a pool, made when they are first asked for."""

    def __init__(self, pool: "ConnectionPool") -> None:
        self._pool = pool

    def __missing__(self, statement: Statement) -> Gatherer:
        made = self[statement] = Gatherer(self._pool, statement)
        return made


def _tell(calls: Sequence[Call], error: BaseException) -> None:
    refused = isinstance(error, PostgresError) and error.sqlstate not in AWAY
    for call in calls:
        if refused and len(calls) > 1:
            call.answer(None)
        else:
            call.fail(error)
