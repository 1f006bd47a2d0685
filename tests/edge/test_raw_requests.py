"""Requests as bytes, through both parsers: what is refused, what is read, and how it ends."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.edge.raw_requests import CASES, HOST, LEAVE, Answers, post, request
from tests.edge.test_edge_protocol import PATIENCE, connect, leave, serving

from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http.edge import Guard
from groupsvc.http.receive_deadline import DeadlineProtocol, H11DeadlineProtocol
from groupsvc.settings import Settings

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
DEADLINE = 0.3


class Soon(DeadlineProtocol):
    receive_timeout = DEADLINE


class SoonH11(H11DeadlineProtocol):
    receive_timeout = DEADLINE


class Recording:
    """Remembers what it was sent whole: path, body, and the headers once the body was there."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes, list[tuple[bytes, bytes]]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.seen.append((scope["raw_path"].decode("latin-1"), body, scope["headers"]))
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})


class Served:
    def __init__(self, app: Recording, port: int) -> None:
        self.app, self.port = app, port
        self.was_reset = False

    async def ask(self, *pieces: bytes) -> Answers:
        """What comes back until the other side closes, and what the application saw."""
        self.app.seen.clear()
        reader, writer = await connect(self.port)
        reading = asyncio.create_task(self._all_of(reader))
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                for _ in range(4):  # until the other side has read it, and closed if it will
                    await asyncio.sleep(0)
                if reading.done():
                    break
        async with asyncio.timeout(PATIENCE):
            told = await reading
        await leave(writer)
        statuses = tuple(int(each) for each in STATUS.findall(told))
        return Answers(statuses, tuple(path for path, *_ in self.app.seen))

    async def _all_of(self, reader: asyncio.StreamReader) -> bytes:
        told = b""
        self.was_reset = True
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                told += data
            self.was_reset = False
        return told


@pytest_asyncio.fixture(scope="module", params=[Soon, SoonH11], ids=["httptools", "h11"])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    app = Recording()
    guard = Guard(app, settings=Settings(), render=PROBLEMS.render, is_bulk=lambda *_: False)
    async with serving(guard, request.param) as port:
        yield Served(app, port)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_request_is_answered_rightly_and_others_after_it(served: Served, case: Any) -> None:
    found = await served.ask(case.data)
    assert case.allows(found), found
    assert await served.ask(request(headers=HOST + LEAVE)) == Answers((200,), ("/",))


SHORT = {name: case for name, case in CASES.items() if len(case.data) < 1_000}


@pytest.mark.parametrize("case", SHORT.values(), ids=SHORT)
async def test_it_does_not_matter_in_which_pieces_a_request_comes(
    served: Served, case: Any
) -> None:
    found = await served.ask(
        *(case.data[start : start + 5] for start in range(0, len(case.data), 5))
    )
    # An offer of another protocol is told by the whole of its line.
    offered = b"pgrade" in case.data.lower() and found == Answers((400,))
    # What is sent to a connection that is closed already takes the answer away with it.
    lost = served.was_reset and any(found.paths == each.paths for each in case.all_answers)
    assert case.allows(found) or offered or lost, found


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150


async def test_a_body_comes_whole_when_its_client_offers_another_protocol(served: Served) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    await served.ask(post(offer + LEAVE + b"Content-Length: 14\r\n", b"\r\nUpgrade: abc"))
    ((_, body, _),) = served.app.seen
    assert body == b"\r\nUpgrade: abc"


async def test_what_follows_a_body_is_no_header(served: Served) -> None:
    body = b"0\r\nAuthorization: Bearer x\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"
    await served.ask(post(b"Transfer-Encoding: chunked\r\n" + LEAVE, body))
    ((_, _, headers),) = served.app.seen
    assert [name for name, _ in headers] == [b"host", b"transfer-encoding", b"connection"]
