"""Limits before the application: how many requests, how many large bodies, how often."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from groupsvc.domain.errors import ThrottledError
from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http.edge import Guard
from groupsvc.http.large_bodies import LARGE, LargeBodies
from groupsvc.http.routing import CallRate
from groupsvc.settings import Settings

PATIENCE = 60.0


class Held:
    """An application that answers when it is let go, and counts whom it holds."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.hosts: list[bytes] = []
        self.came = asyncio.Condition()
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].startswith("/health/"):
            await self._answer(send)
            return
        async with self.came:
            self.inside += 1
            self.hosts.append(dict(scope["headers"])[b"host"])
            self.most = max(self.most, self.inside)
            self.came.notify_all()
        await self.go.wait()
        while (await receive()).get("more_body"):
            pass
        self.inside -= 1
        await self._answer(send)

    @staticmethod
    async def _answer(send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def holds(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE), self.came:
            await self.came.wait_for(lambda: self.inside >= count)


def client_of(app: Any, whose: Any = None, **limits: Any) -> httpx.AsyncClient:
    settings = Settings().model_copy(update=limits)
    guard = Guard(
        app,
        settings=settings,
        render=PROBLEMS.render,
        is_bulk=lambda _, path: path == "/b",
        whose=whose,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://test")


@pytest.fixture
async def held() -> AsyncIterator[Held]:
    app = Held()
    yield app
    app.go.set()


async def test_beyond_the_ceiling_callers_are_asked_to_come_again_and_health_is_told(
    held: Held,
) -> None:
    async with client_of(held, max_requests=2) as client:
        first = [asyncio.create_task(client.get("/x")) for _ in range(2)]
        await held.holds(2)
        refused = await client.get("/x")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json()["code"] == "too_busy"
        assert (await client.get("/health/live")).status_code == 200
        held.go.set()
        assert [each.status_code for each in await asyncio.gather(*first)] == [200, 200]
        assert (await client.get("/x")).status_code == 200


BODY = b"x" * (LARGE + 1)


async def in_pieces() -> AsyncIterator[bytes]:
    yield b"x"


def sending(
    client: httpx.AsyncClient, who: str, body: Any = BODY, **more: str
) -> asyncio.Task[httpx.Response]:
    headers = {"authorization": who, **more}
    return asyncio.create_task(client.post("/b", content=body, headers=headers))


async def test_a_worker_takes_in_one_large_body_of_a_caller_and_two_in_all(held: Held) -> None:
    async with client_of(held, bulk_queue_timeout=PATIENCE) as client:
        many = [sending(client, "one") for _ in range(3)]
        await held.holds(1)
        # However late the others of the first caller come, the second caller is let in.
        other = sending(client, "two", in_pieces())
        await held.holds(2)
        third = sending(client, "three")
        small = asyncio.create_task(client.post("/b", content=b"x"))
        await held.holds(3)  # of which the small one is no large body
        held.go.set()
        answers = await asyncio.gather(*many, other, third, small)
        assert [each.status_code for each in answers] == [200] * 6
        assert held.most == 3


async def test_where_nobody_is_done_large_bodies_are_refused_soon(held: Held) -> None:
    async with client_of(held, bulk_queue_timeout=0.1) as client:
        first = sending(client, "one")
        await held.holds(1)
        refused = await sending(client, "one")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "10"
        assert refused.json()["code"] == "too_busy"
        held.go.set()
        assert (await first).status_code == 200


async def test_callers_who_are_done_are_forgotten() -> None:
    bodies = LargeBodies(1, PATIENCE)
    kept = (bodies._clients.used, bodies._houses.used, bodies._there)
    for number in range(3):
        async with bodies.place(b"%d" % number, b"a"):
            assert [len(each) for each in kept] == [1, 1, 1]
    assert [len(each) for each in kept] == [0, 0, 0]


async def test_one_institution_leaves_a_place_to_the_others(held: Held) -> None:
    client = client_of(held, lambda headers: headers[b"host"], bulk_queue_timeout=PATIENCE)
    async with client:
        slow = [sending(client, who, in_pieces(), host="a") for who in ("one", "two")]
        await held.holds(1)
        other = sending(client, "three", host="b")
        await held.holds(2)
        assert held.hosts == [b"a", b"b"]
        held.go.set()
        answers = await asyncio.gather(*slow, other)
        assert [each.status_code for each in answers] == [200] * 3


@pytest.mark.parametrize("whose", [None, lambda headers: headers[b"host"]])
async def test_those_who_wait_with_large_bodies_leave_room_for_others(
    held: Held, whose: Any
) -> None:
    limits = {"max_requests": 8, "bulk_queue_timeout": PATIENCE}
    async with client_of(held, whose, **limits) as client:
        first = sending(client, "one")
        await held.holds(1)
        second = sending(client, "one")
        refused = await sending(client, "another")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_busy")
        held.go.set()
        answers = await asyncio.gather(first, second)
        assert [each.status_code for each in answers] == [200, 200]
        # Those who have been answered wait with others of their institution alone.
        held.go.clear()
        known = [sending(client, "one") for _ in range(2)]
        await held.holds(1)
        assert (await sending(client, "one")).status_code == 503
        elsewhere = sending(client, "one", host="b")
        await held.holds(2) if whose else await elsewhere
        held.go.set()
        answers = await asyncio.gather(*known)
        assert [each.status_code for each in answers] == [200, 200]
        assert (await elsewhere).status_code == (503 if whose is None else 200)


def test_while_many_calls_are_left_answers_do_not_differ() -> None:
    rate, told = CallRate(100_002), []
    for _ in range(3):
        state: dict[str, Any] = {}
        rate.count("a", state)
        told.append(dict(state["rate_limit"]))
    policy = {b"ratelimit-policy": b'"caller";q=100002;w=60'}
    assert told[:2] == [policy, policy]
    assert told[2][b"ratelimit"].startswith(b'"caller";r=99999;t=')


def test_a_caller_has_so_many_calls_in_a_minute_and_is_told_how_many_are_left() -> None:
    now = 1_000.0
    rate = CallRate(2, clock=lambda: now)

    def told(caller: str) -> bytes:
        state: dict[str, Any] = {}
        try:
            rate.count(caller, state)
        finally:
            policy, (name, value) = state["rate_limit"]
            assert policy == (b"ratelimit-policy", b'"caller";q=2;w=60')
            assert name == b"ratelimit"
            last.append(value)
        return value

    last: list[bytes] = []
    assert told("a") == b'"caller";r=1;t=60'
    now += 20
    assert told("a") == b'"caller";r=0;t=40'
    with pytest.raises(ThrottledError) as refused:
        told("a")
    assert last[-1] == b'"caller";r=0;t=40'
    assert refused.value.facts["retry_after"] == 40
    assert told("b") == b'"caller";r=1;t=40'
    now += 40
    assert told("a") == b'"caller";r=1;t=60'


async def test_whoever_invents_tokens_keeps_nobody_waiting_who_was_answered_before(
    held: Held,
) -> None:
    async with client_of(held, bulk_queue_timeout=PATIENCE) as client:
        held.go.set()
        assert (await sending(client, "Bearer known")).status_code == 200
        held.go.clear()
        strangers = [sending(client, f"Bearer {number}") for number in range(3)]
        await held.holds(2)
        # The same token in another spelling of its scheme.
        known = [sending(client, "Bearer known"), sending(client, "bearer  known")]
        await held.holds(3)
        held.go.set()
        answers = await asyncio.gather(*strangers, *known)
        assert [each.status_code for each in answers] == [200] * 5
        assert held.most == 3
