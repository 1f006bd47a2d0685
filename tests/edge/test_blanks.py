"""White space around the value of a header is no part of it, whatever the parser leaves there."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from tests.conftest import EVERYTHING, Auth, World
from tests.live.serving import listening

BLANKS = [b"", b" ", b"\t", b" \t  "]


@pytest_asyncio.fixture(scope="module", params=["httptools", "h11"])
async def address(request: pytest.FixtureRequest, app: FastAPI) -> AsyncIterator[str]:
    async with listening(app, request.param) as address:
        yield address


class Wire:
    """Requests as they are written here, by whoever may do everything."""

    def __init__(self, address: str, auth: Auth) -> None:
        self._port = urlsplit(address).port
        self._token = auth(*EVERYTHING, subject="root")["authorization"].encode()

    async def send(
        self, line: str, headers: dict[str, bytes], body: bytes, blank: bytes
    ) -> tuple[int, bytes]:
        """Status and all that follows; every value has the blank before it and behind it."""
        own = {
            "Host": b"localhost",
            "Connection": b"close",
            "Authorization": self._token,
            "Content-Length": b"%d" % len(body),
            **headers,
        }
        head = [name.encode() + b":" + blank + own[name] + blank for name in own]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"\r\n".join([f"{line} HTTP/1.1".encode(), *head, b"", body]))
        answer = await reader.read()
        writer.close()
        return int(answer.split(b" ", 2)[1]), answer


@pytest.fixture
def wire(address: str, auth: Auth) -> Wire:
    return Wire(address, auth)


@pytest.mark.parametrize("blank", BLANKS)
async def test_headers_that_are_compared_have_no_blanks(
    wire: Wire, client: httpx.AsyncClient, world: World, blank: bytes
) -> None:
    path = f"/v1/partitions/{await world.add_partition()}"
    etag = (await client.get(path)).headers["etag"].encode()
    assert (await wire.send(f"GET {path}", {"If-None-Match": etag}, b"", blank))[0] == 304
    headers = {"If-Match": etag, "Content-Type": b"application/merge-patch+json"}
    status, answer = await wire.send(f"PATCH {path}", headers, b'{"name": "TP"}', blank)
    assert status == 200, answer
    assert (await wire.send(f"PATCH {path}", headers, b'{"name": "TE"}', blank))[0] == 412


async def test_a_key_is_the_same_with_blanks_and_without(wire: Wire, world: World) -> None:
    line = f"POST /v1/courses/{world.course_id}/partitions"
    headers = {
        "Idempotency-Key": f"key-{world.course_id}".encode(),
        "Content-Type": b"application/json; charset=utf-8",
        "X-Request-ID": b"named-by-the-caller",
    }
    answers = [await wire.send(line, headers, b'{"name": "TD"}', blank) for blank in BLANKS]
    assert {status for status, _ in answers} == {201}
    assert {answer.rsplit(b"\r\n\r\n")[-1] for _, answer in answers} == {
        answers[0][1].rsplit(b"\r\n\r\n")[-1]
    }
    assert [b"idempotent-replayed: true" in answer for _, answer in answers] == [
        False,
        *[True] * (len(BLANKS) - 1),
    ]
    assert all(b"x-request-id: named-by-the-caller\r\n" in answer for _, answer in answers)
