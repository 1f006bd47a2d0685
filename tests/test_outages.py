"""A database that goes away in the middle of requests: seen by clients, through a cut wire."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.refusals import told
from tests.conftest import EVERYTHING, SQL, Auth, World, serving
from tests.waiting import examined, until

COMMIT = b"COMMIT;"
AWAY = {
    "type": "urn:groupsvc:problem:unavailable",
    "title": "Temporarily unavailable",
    "status": 503,
    "detail": "the database is not available",
    "code": "unavailable",
    "retry_after": 1,
}


class Wire:
    """What lies between the application and the server.

    ``cut_before`` and ``cut_after`` name what a message holds that ends its connection, either
    before the server gets it or before its answer gets back. Each happens once.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self._flows = asyncio.Event()
        self._flows.set()
        self.cut_before = self.cut_after = b""
        self._answer_is_lost = False

    @property
    def url(self) -> URL:
        url = self._url.set(host="127.0.0.1", port=self.port)
        return url.difference_update_query(["host", "port"])

    async def connect(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def disconnect(self) -> None:
        """Nobody is there any more: open connections end, new ones are refused."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """The server is there, takes connections, and does not answer."""
        self._flows.clear()

    def thaw(self) -> None:
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server_writer = None
        try:
            server_reader, server_writer = await self._open()
            ends = [
                asyncio.ensure_future(self._ask(reader, server_writer, server_reader)),
                asyncio.ensure_future(self._answer(server_reader, writer)),
            ]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()
                await asyncio.gather(*ends, return_exceptions=True)
        finally:
            self._tasks.discard(task)
            for end in (writer, server_writer):
                if end is not None:
                    end.transport.abort()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        query = self._url.query
        host = str(self._url.host or query.get("host", "127.0.0.1"))
        port = int(str(self._url.port or query.get("port", 5432)))
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        answers: asyncio.StreamReader,
    ) -> None:
        while data := await reader.read(65_536):
            await self._flows.wait()
            if self.cut_before and self.cut_before in data:
                self.cut_before = b""
                return
            self._answer_is_lost = bool(self.cut_after) and self.cut_after in data
            server.write(data)
            await server.drain()

    async def _answer(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await server.read(65_536):
            if self._answer_is_lost:
                self._answer_is_lost, self.cut_after = False, b""
                return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def on_a_wire(
    url: URL, settings: Settings, home: Path, auth: Auth, **changes: Any
) -> AsyncIterator[tuple[Wire, httpx.AsyncClient]]:
    """An application whose database is at the other end of a wire."""
    wire = Wire(url)
    await wire.connect()
    app = create_app(settings.model_copy(update={"pool_size": 2, **changes}), wire.url, home)
    try:
        async with serving(app) as client:
            client.headers.update(auth(*EVERYTHING, subject="root"))
            yield wire, client
    finally:
        with suppress(asyncio.CancelledError):
            await wire.disconnect()


@pytest.fixture
async def wired(
    url: URL, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[tuple[Wire, httpx.AsyncClient]]:
    async with on_a_wire(url, settings, home, auth) as wired:
        yield wired


Wired = tuple[Wire, httpx.AsyncClient]


async def names(sql: SQL, world: World) -> list[str]:
    rows = "SELECT name FROM partitions WHERE course_id = :id AND name IS NOT NULL"
    return [name for (name,) in await sql(rows, id=world.course_id)]


async def until_answered(client: httpx.AsyncClient, path: str) -> None:
    """A slow machine may first be told to come again."""

    async def answered() -> bool:
        return (await client.get(path)).status_code == 200

    await until(answered)


def assert_away(answer: httpx.Response) -> None:
    assert told(answer) == AWAY
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("cut", "happened"), [("cut_before", []), ("cut_after", ["TD"])], ids=["before", "after"]
)
async def test_a_commit_that_is_cut_off_is_told_as_unknown_and_repeated_with_its_key(
    wired: Wired, sql: SQL, world: World, cut: str, happened: list[str]
) -> None:
    wire, client = wired
    path = f"/v1/courses/{world.course_id}/partitions"
    request: Any = {
        "json": {"name": "TD"},
        "headers": {"idempotency-key": uuid.uuid4().hex},
    }
    setattr(wire, cut, COMMIT)
    assert_away(await client.post(path, **request))
    assert await names(sql, world) == happened
    again = await client.post(path, **request)
    assert (again.status_code, again.json()["name"]) == (201, "TD")
    assert ("idempotent-replayed" in again.headers) == bool(happened)
    assert await names(sql, world) == ["TD"]
    assert len(await world.log("partition.created")) == 2


@pytest.mark.parametrize(
    ("cut", "changed"), [("cut_before", True), ("cut_after", False)], ids=["before", "after"]
)
async def test_an_assignment_that_is_cut_off_can_simply_be_repeated(
    wired: Wired, world: World, cut: str, changed: bool
) -> None:
    wire, client = wired
    group = await world.add_group(await world.add_partition())
    first, second = world.users[:2]
    await client.put(f"/v1/groups/{group}/members/{second}")
    path = f"/v1/groups/{group}/members/{first}"
    # The statement is known to the connection by now: only its parameters are sent.
    setattr(wire, cut, b"the-cut")
    assert_away(await client.put(path, headers={"x-request-id": "the-cut"}))
    assert (await world.members(group)) == ([second] if changed else [first, second])
    again = await client.put(path)
    assert (again.status_code, again.json()["changed"]) == (200, changed)
    assert await world.members(group) == [first, second]
    assert len(await world.log("membership.assigned")) == 2


@pytest.mark.parametrize("cut", ["cut_before", "cut_after"])
async def test_a_read_that_is_cut_off_is_answered(wired: Wired, world: World, cut: str) -> None:
    wire, client = wired
    # The id of the course, as it is sent: the statement itself may be known to the connection.
    setattr(wire, cut, world.course_id.to_bytes(8, "big"))
    answer = await client.get(f"/v1/courses/{world.course_id}/board")
    assert (answer.status_code, answer.json()["enrolled"]) == (200, 5)
    assert getattr(wire, cut) == b""


async def test_a_change_that_is_cut_off_before_its_commit_is_done(
    wired: Wired, sql: SQL, world: World
) -> None:
    wire, client = wired
    wire.cut_after = b"INSERT INTO partitions"
    path = f"/v1/courses/{world.course_id}/partitions"
    answer = await client.post(path, json={"name": "TD"})
    assert (answer.status_code, wire.cut_after) == (201, b"")
    assert await names(sql, world) == ["TD"]


async def test_while_the_database_is_away_everything_is_503_and_then_it_works_again(
    wired: Wired, world: World
) -> None:
    wire, client = wired
    group = await world.add_group(await world.add_partition())
    board, member = f"/v1/courses/{world.course_id}/board", f"/v1/groups/{group}/members/"
    assert (await client.get(board)).status_code == 200
    await wire.disconnect()
    assert_away(await client.get(board))
    assert_away(await client.put(f"{member}{world.users[0]}"))
    assert_away(await client.post(f"/v1/courses/{world.course_id}/partitions", json={"name": "x"}))
    assert (await client.get("/health/live")).status_code == 200
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "not reachable")
    await wire.connect()
    assert (await client.get(board)).status_code == 200
    assert (await client.put(f"{member}{world.users[0]}")).status_code == 200


async def test_a_database_that_is_frozen_is_given_up(
    url: URL, settings: Settings, home: Path, auth: Auth, world: World
) -> None:
    quick = {"command_timeout": 0.2, "connect_timeout": 0.2, "pool_timeout": 0.2}
    async with on_a_wire(url, settings, home, auth, **quick) as (wire, client):
        path = f"/v1/courses/{world.course_id}/board"
        await until_answered(client, path)
        wire.freeze()
        for answer in await asyncio.gather(*(client.get(path) for _ in range(6))):
            assert_away(answer)
        wire.thaw()
        await until_answered(client, path)


async def test_a_crowd_that_finds_no_connection_is_told_to_come_again(
    url: URL, settings: Settings, home: Path, auth: Auth, sql: SQL, world: World
) -> None:
    changes = {"pool_size": 1, "pool_timeout": 0.05, "command_timeout": 0.5}
    async with on_a_wire(url, settings, home, auth, **changes) as (wire, client):
        path = f"/v1/courses/{world.course_id}"
        await until_answered(client, path)
        wire.freeze()
        for answer in await asyncio.gather(*(client.get(path) for _ in range(4))):
            assert_away(answer)
        wire.thaw()


async def test_a_frozen_database_does_not_keep_the_application_from_ending(
    url: URL, settings: Settings, home: Path, auth: Auth, world: World
) -> None:
    async with on_a_wire(url, settings, home, auth) as (wire, client):
        path = f"/v1/courses/{world.course_id}"
        assert (await client.get(path)).status_code == 200
        wire.freeze()


PROCESS = b"K\0\0\0\x0c"  # a message with the process that answers


class Pooler(Wire):
    """Names a process of its own making, as poolers do."""

    async def _answer(self, server: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await server.read(65_536):
            before, found, after = data.partition(PROCESS)
            writer.write(before + found + b"\x7f\xff" + after[2:] if found else data)
            await writer.drain()


@pytest.mark.parametrize("announced", [False, True])
async def test_nothing_is_served_through_a_pooler_that_was_not_announced(
    url: URL,
    settings: Settings,
    home: Path,
    auth: Auth,
    world: World,
    caplog: pytest.LogCaptureFixture,
    announced: bool,
) -> None:
    pooler = Pooler(url)
    await pooler.connect()
    app = create_app(settings.model_copy(update={"pooler": announced}), pooler.url, home)
    async with serving(app) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        answer = await client.get(f"/v1/courses/{world.course_id}/board")
        ready = await examined(client)
    await pooler.disconnect()
    if announced:
        assert (answer.status_code, ready.status_code) == (200, 200)
        return
    assert_away(answer)
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "behind a pooler")
    assert "set GROUPSVC_POOLER=true" in caplog.text
