"""What a worker records. Values are those of a registry of its own."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from asyncpg.exceptions import LockNotAvailableError, SerializationError, UndefinedTableError
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.pool import ConnectionLimiter, ConnectionPool
from groupsvc.domain.errors import UnavailableError
from groupsvc.settings import Settings
from groupsvc.telemetry import metrics
from groupsvc.telemetry.metrics import PrometheusRecorder
from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.tour import Stage, set_stage
from tests.waiting import until

Values = dict[str, float]


class Watched:
    """An application whose values can be read."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.recorder = PrometheusRecorder(self.registry)

    def values(self, beginning: str) -> Values:
        """What begins so and is not zero, by name and labels."""
        lines = generate_latest(self.registry).decode().splitlines()
        found = (line.rpartition(" ") for line in lines if line.startswith(f"groupsvc_{beginning}"))
        return {
            name.removeprefix("groupsvc_"): float(value)
            for name, _, value in found
            if float(value) and "_created" not in name
        }

    async def next_values(self, beginning: str) -> Values:
        """The same after the recorder has looked again."""
        first = await self._looks()

        async def is_later() -> bool:
            return await self._looks() >= first + 2

        await until(is_later)
        return self.values(beginning)

    async def _looks(self) -> float:
        return self.registry.get_sample_value("groupsvc_event_loop_lag_seconds_count") or 0


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "TICK", 0.01)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest_asyncio.fixture
async def client(
    watched: Watched, url: URL, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    app: FastAPI = create_app(settings, url, home, recorder=watched.recorder)
    async with serving(app) as client:
        client.headers.update(auth(*EVERYTHING))
        yield client


@pytest_asyncio.fixture(scope="module")
async def stage(sql: SQL) -> Stage:
    return await set_stage(sql)


async def test_requests_are_counted_by_face_method_route_and_status(
    watched: Watched, client: httpx.AsyncClient, stage: Stage
) -> None:
    paths = [
        *(f"/v1/partitions/{stage.partition}", f"/v1/partitions/{2**40}", "/v1/partitions/x"),
        *(f"/ScoDoc/api/partition/{stage.partition}", "/ScoDoc/nothing", "/nothing"),
        *(f"/api/cohorts/v1/settings/{stage.key}", "/health/live", "/ScoDoc/RT/api/partition/1"),
    ]
    for path in paths:
        await client.get(path)
    await client.request("BREW", "/v1/me")
    await client.put(f"/v1/groups/{stage.group}/members/{stage.loose}")

    def key(face: str, route: str, status: int, method: str = "GET") -> str:
        labels = f'face="{face}",method="{method}",route="{route}",status="{status}"'
        return f"requests_total{{{labels}}}"

    assert await watched.next_values("requests_total") == {
        key("native", "/v1/partitions/{partition_id}", 200): 1,
        key("native", "/v1/partitions/{partition_id}", 404): 1,
        key("native", "none", 404): 2,
        key("native", "/v1/me", 405, "other"): 1,
        key("native", "/health/live", 200): 1,
        key("native", "/v1/groups/{group_id}/members/{user_id}", 200, "PUT"): 1,
        key("scodoc", "/ScoDoc/api/partition/{partition_id}", 200): 1,
        key("scodoc", "/ScoDoc/{acronym}/api/partition/{partition_id}", 404): 1,
        key("scodoc", "none", 404): 1,
        key("openedx", "/api/cohorts/v1/settings/{key}", 200): 1,
    }


async def test_durations_and_round_trips_are_those_of_a_route(
    watched: Watched, client: httpx.AsyncClient, stage: Stage
) -> None:
    for _ in range(3):
        await client.get(f"/v1/partitions/{stage.partition}")
    await client.post(f"/v1/courses/{stage.course}/partitions", json={"name": "another"})
    reading = '{face="native",method="GET",route="/v1/partitions/{partition_id}"}'
    writing = '{face="native",method="POST",route="/v1/courses/{course_id}/partitions"}'
    durations = await watched.next_values("request_duration_seconds_count")
    assert durations == {
        f"request_duration_seconds_count{reading}": 3,
        f"request_duration_seconds_count{writing}": 1,
    }
    # Of the transaction: its beginning, who is acting, three more, its end.
    assert await watched.next_values("round_trips_total") == {
        f"round_trips_total{reading}": 3,
        f"round_trips_total{writing}": 6,
    }


def test_many_durations_at_once_are_what_they_are_one_by_one() -> None:
    seconds = [0.0, 0.005, 0.0051, 0.2, 0.25, 30.0, 120.0, 121.0, 9000.0]
    one_by_one, at_once = CollectorRegistry(), CollectorRegistry()
    plain = Histogram("x", "", ("a",), registry=one_by_one, buckets=metrics.SECONDS).labels("b")
    for each in seconds:
        plain.observe(each)
    many = metrics.ManyAtOnce("x", "", ("a",), registry=at_once, buckets=metrics.SECONDS)
    many.labels("b").observe_all(seconds)

    def told(registry: CollectorRegistry) -> list[str]:
        lines = generate_latest(registry).decode().splitlines()
        return [line for line in lines if "_created" not in line]

    assert told(at_once) == told(one_by_one)
    assert 'x_bucket{a="b",le="0.005"} 2.0' in told(at_once)


async def test_what_is_being_answered_is_seen(watched: Watched) -> None:
    watched.recorder.in_flight = 2
    async with watched.recorder.watching({"requests": ConnectionLimiter(1, 1)}, str):
        assert await watched.next_values("requests_in_flight") == {"requests_in_flight": 2}
        watched.recorder.answered("/ScoDoc/x", "GET", None, None, 0.1, 0)
    lost = 'requests_total{face="/ScoDoc/x",method="GET",route="none",status="none"}'
    assert watched.values("requests_total") == {lost: 1}


async def test_the_last_answers_are_counted_when_the_worker_stops(watched: Watched) -> None:
    async with watched.recorder.watching({}, str):
        await watched.next_values("requests_total")
        watched.recorder.answered("/v1/me", "GET", "/v1/me", 200, 0.1, 0)
    counted = 'requests_total{face="/v1/me",method="GET",route="/v1/me",status="200"}'
    assert watched.values("requests_total") == {counted: 1}


async def test_a_pool_is_seen_with_those_who_wait(watched: Watched) -> None:
    def waited(seconds: float) -> None:
        watched.recorder.waited("requests", seconds)

    limiter = ConnectionLimiter(1, 100, waited)
    async with watched.recorder.watching({"requests": limiter}, str):
        await limiter.enter()
        waiting = asyncio.create_task(limiter.enter())
        assert await watched.next_values("pool_") == {
            'pool_size{pool="requests"}': 1,
            'pool_in_use{pool="requests"}': 1,
            'pool_waiting{pool="requests"}': 1,
        }
        limiter.leave()
        await waiting
        limiter.leave()
        found = await watched.next_values("pool_")
        assert found['pool_wait_seconds_count{pool="requests"}'] == 1
        assert 'pool_in_use{pool="requests"}' not in found


@pytest.mark.parametrize(
    ("error", "retried", "given_up", "labels"),
    [
        (SerializationError("x"), 5, 1, 'failure="retry",retried="{}",sqlstate="40001"'),
        (LockNotAvailableError("x"), 0, 1, 'failure="busy",retried="{}",sqlstate="55P03"'),
        (UndefinedTableError("x"), 0, 1, 'failure="unfit",retried="{}",sqlstate="42P01"'),
        (ConnectionResetError("x"), 2, 1, 'failure="lost",retried="{}",sqlstate="none"'),
        (TimeoutError("x"), 0, 1, 'failure="busy",retried="{}",sqlstate="none"'),
    ],
)
async def test_failures_are_counted_by_class_and_whether_they_were_tried_again(
    watched: Watched,
    pool: ConnectionPool,
    error: Exception,
    retried: int,
    given_up: int,
    labels: str,
) -> None:
    async def fail(_: UnitOfWork) -> None:
        raise error

    with pytest.raises(UnavailableError):
        await TransactionRunner(pool, recorder=watched.recorder).run("r", fail, reading=True)
    counted = {"true": retried, "false": given_up}
    assert watched.values("database_failures_total") == {
        f"database_failures_total{{{labels.format(again)}}}": times
        for again, times in counted.items()
        if times
    }


async def test_an_event_loop_that_stands_still_is_late(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    async with watched.recorder.watching({}, str):
        clock = loop.time
        await watched.next_values("event_loop_lag")
        monkeypatch.setattr(loop, "time", lambda: clock() + 3)
        found = await watched.next_values("event_loop_lag")
    late = found["event_loop_lag_seconds_count"] - found['event_loop_lag_seconds_bucket{le="2.5"}']
    assert late >= 1


async def test_labels_are_known_beforehand(watched: Watched) -> None:
    """What a client makes up never becomes a label."""
    text = generate_latest(watched.registry).decode()
    names = set(re.findall(r'(\w+)="', text)) - {"le"}
    assert names == {"failure", "retried", "sqlstate"}
    assert len(text.splitlines()) < 250
