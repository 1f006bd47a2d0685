"""Reads that a real standby answers, whose replay can be held up."""

import asyncio
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.db.connect import parse_url
from groupsvc.db.engine import connector, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.replication import Line, Moment, Primary
from groupsvc.recorder import Recorder
from groupsvc.settings import Settings
from tests.api.logins import SECRET, fresh_name, issue, put
from tests.conftest import EVERYTHING, SQL, Auth, World, serving, statements
from tests.test_statements import STATEMENTS
from tests.torture.cluster import Cluster
from tests.tour import TOUR, set_stage
from tests.waiting import until

POSITION = "groupsvc-position"
# What takes more than statements that stand alone, or is of who is calling.
AT_THE_PRIMARY = {"get_me", "get_personal_data", "export_table", "export_partition"} | {
    # Who is still writing is known there alone.
    "list_course_changes",
    "stream_course_events",
}
READS = sorted(name for name, visit in TOUR.items() if visit.method == "GET")


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    home.chmod(0o755)
    cluster = Cluster(home, "primary").create().start("-c fsync=off")
    yield cluster
    cluster.remove()
    shutil.rmtree(home)


@pytest_asyncio.fixture(scope="module")
async def there(primary: Cluster, settings: Settings) -> AsyncIterator[SQL]:
    """Statements on the primary, which is migrated."""
    engine = make_engine(parse_url(primary.url), settings)
    await migrate.upgrade(engine)
    yield statements(engine)
    await engine.dispose()


@pytest.fixture(scope="module")
def standby(primary: Cluster, there: SQL) -> Iterator[Cluster]:
    del there  # migrated before it is copied
    cluster = Cluster(primary.data.parent, "standby").follow(primary).start("-c fsync=off")
    yield cluster
    cluster.remove()


@pytest.fixture
def held_up(standby: Cluster) -> Any:
    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        """The standby gets what is written, and does not replay it."""
        await pause(standby)
        try:
            yield
        finally:
            await standby.ask("SELECT pg_wal_replay_resume()")

    return hold


class Replica:
    """An application that reads the standby, and by which pools it was answered."""

    def __init__(self, client: httpx.AsyncClient, asked: list[str]) -> None:
        self.client, self.asked = client, asked

    async def get(self, path: str, **request: Any) -> httpx.Response:
        self.asked.clear()
        return await self.client.get(path, **request)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    fetch = ConnectionPool.fetch

    async def noted(pool: ConnectionPool, *arguments: Any) -> Any:
        names.append(pool.name)
        return await fetch(pool, *arguments)

    monkeypatch.setattr(ConnectionPool, "fetch", noted)
    return names


@pytest.fixture
def replica(
    primary: Cluster, standby: Cluster, settings: Settings, home: Path, auth: Auth, asked: list[str]
) -> Any:
    @asynccontextmanager
    async def make(lag: float = 3600, of: Cluster = standby) -> AsyncIterator[Replica]:
        """Ready to read the standby."""
        changes = {"read_hosts": (of.address,), "read_lag": lag}
        app = create_app(settings.model_copy(update=changes), parse_url(primary.url), home)
        async with serving(app) as client:
            client.headers.update(auth(*EVERYTHING, subject="root"))
            made = Replica(client, asked)

            async def reads() -> bool:
                await made.get("/v1/departments?limit=1")
                return asked == ["standby1"]

            await until(reads)
            yield made

    return make


async def caught_up(primary: Cluster, standby: Cluster) -> None:
    ((position,),) = await primary.ask("SELECT pg_current_wal_flush_lsn()::text")
    seen = f"SELECT 1 WHERE pg_last_wal_replay_lsn() >= '{position}'"
    await until(lambda: standby.ask(seen))


async def test_a_standby_answers_what_the_primary_does_in_as_many_statements(
    replica: Any,
    there: SQL,
    primary: Cluster,
    standby: Cluster,
    settings: Settings,
    home: Path,
    auth: Auth,
) -> None:
    stage = await set_stage(there)
    await caught_up(primary, standby)
    app = create_app(settings, parse_url(primary.url), home)
    async with replica() as reader, serving(app) as usual:
        usual.headers.update(auth(*EVERYTHING, subject="root"))
        for name in READS:
            visit = TOUR[name]
            path, payload = visit.path_on(stage), visit.payload(stage)
            wanted = await usual.get(path, **payload)
            answer = await reader.get(path, **payload)
            asked = list(reader.asked)
            assert (answer.status_code, answer.content) == (wanted.status_code, wanted.content)
            assert POSITION not in answer.headers
            if name not in AT_THE_PRIMARY:
                assert asked == ["standby1"] * STATEMENTS[name], name


async def test_writes_and_what_they_read_are_at_the_primary_and_tell_how_far_they_got(
    replica: Any, there: SQL, standby: Cluster
) -> None:
    world = await World(there).make(2)
    group = await world.add_group(await world.add_partition())
    async with replica() as reader:
        reader.asked.clear()
        answer = await reader.client.put(f"/v1/groups/{group}/members/{world.users[0]}")
        assert (answer.status_code, reader.asked) == (200, ["requests"])
        position = answer.headers[POSITION]
        await until(lambda: standby.ask(f"SELECT 1 WHERE pg_last_wal_replay_lsn()>='{position}'"))
        assert await members_on(standby, group) == world.users[:1]


async def members_on(cluster: Cluster, group: int) -> list[int]:
    rows = await cluster.ask(f"SELECT user_id FROM memberships WHERE group_id = {group}")
    return [user for (user,) in rows]


async def test_nobody_reads_what_is_older_than_their_own_write(
    replica: Any, there: SQL, held_up: Any, auth: Auth
) -> None:
    world = await World(there).make(2)
    path = f"/v1/courses/{world.course_id}"

    async def title(reader: Replica, **request: Any) -> tuple[str, list[str]]:
        answer = await reader.get(path, **request)
        return answer.json()["title"], list(reader.asked)

    async with replica() as writer, replica() as other:
        await until_replayed(other, path)
        async with held_up():
            body = {"department": world.department, "title": "New"}
            made = await writer.client.put(f"/v1/courses/by-key/{world.course}", json=body)
            told = {POSITION: made.headers[POSITION]}
            assert await title(writer) == ("New", ["requests"])
            assert await title(other, headers=told) == ("New", ["requests"])
            assert await title(other, headers={POSITION: "no position"}) == ("New", ["requests"])
            # Of others, and of what does not send it back, an older one may be read.
            strangers = {"headers": auth(*EVERYTHING, subject="somebody else")}
            assert await title(writer, **strangers) == ("Course", ["standby1"])
            assert await title(other) == ("Course", ["standby1"])

        async def reads() -> bool:
            return await title(other, headers=told) == ("New", ["standby1"])

        await until(reads)


@pytest.fixture
def other_standby(primary: Cluster, standby: Cluster) -> Iterator[Cluster]:
    cluster = Cluster(primary.data.parent, "other").follow(primary).start("-c fsync=off")
    yield cluster
    cluster.remove()


async def test_a_page_is_not_older_than_the_one_before(
    replica: Any, there: SQL, held_up: Any, other_standby: Cluster
) -> None:
    """Whatever standby has it, and without the header."""
    world = await World(there).make(1)
    partition = await world.add_partition()
    for name in "AB":
        await world.add_group(partition, name)
    path = f"/v1/changes?partition_id={partition}&kind=group.created&limit=1"

    async def page(reader: Replica, cursor: str | None) -> tuple[list[str], str, list[str]]:
        answer = await reader.get(path if cursor is None else f"{path}&cursor={cursor}")
        told = answer.json()
        assert (f"cursor={told['next_cursor']}" in answer.headers.get("link", "")) is (
            told["next_cursor"] is not None
        )
        names = [each["after"]["name"] for each in told["items"]]
        return names, told["next_cursor"], list(reader.asked)

    async with replica() as writer, replica(of=other_standby) as other:
        await until_replayed(other, f"/v1/partitions/{partition}")
        await until_replayed(writer, f"/v1/partitions/{partition}")
        _, old, asked = await page(other, None)
        assert asked == ["standby1"]
        assert (await page(other, old))[2] == ["standby1"]
        await pause(other_standby)
        # Read at the primary, by whoever has written.
        made = await writer.client.post(f"/v1/partitions/{partition}/groups", json={"name": "C"})
        assert made.status_code == 201
        names, cursor, asked = await page(writer, None)
        assert (names, asked) == (["C"], ["requests"])
        names, _, asked = await page(other, cursor)
        assert (names, asked) == (["B"], ["requests"])
        # Read of the standby that has it, which goes on with what follows.
        await until_replayed(writer, path)
        names, cursor, asked = await page(writer, None)
        assert (names, asked) == (["C"], ["standby1"])
        assert (await page(writer, cursor))[::2] == (["B"], ["standby1"])
        assert (await page(other, cursor))[::2] == (["B"], ["requests"])
        # What does not say how new it has to be may be older.
        unmarked, _ = cursor.split(".")
        assert (await page(other, unmarked))[2] == ["standby1"]
        await page(other, old)
        assert other.asked == ["standby1"]


async def pause(cluster: Cluster) -> None:
    await cluster.ask("SELECT pg_wal_replay_pause()")
    await until(lambda: cluster.ask("SELECT 1 WHERE pg_get_wal_replay_pause_state() = 'paused'"))


async def test_nor_do_those_whose_place_is_read_before_they_may_anything(
    replica: Any, there: SQL, held_up: Any, auth: Auth
) -> None:
    """Of a department: which one a course is in, and whether there is such a one, is looked up."""
    world = await World(there).make(1)
    partition = await world.add_partition()
    grants = [f"groups:{each}@department:{world.department}" for each in ("read", "write")]
    staff = {"headers": auth(*grants, subject="staff")}
    cohorts = f"/api/cohorts/v2/courses/{world.course}/cohorts/"
    groups = f"/ScoDoc/{world.department}/api/partition/{partition}"
    async with replica() as reader:
        await until_replayed(reader, f"/v1/courses/{world.course_id}")
        async with held_up():
            body = {"name": "New", "assignment_type": "manual"}
            made = await reader.client.post(cohorts, json=body, **staff)
            assert made.is_success, made.text
            listed = (await reader.get(cohorts, **staff)).json()
            assert "New" in [each["name"] for each in listed["results"]]
            url = f"/v1/partitions/{partition}/groups"
            assert (await reader.client.post(url, json={"name": "G"}, **staff)).status_code == 201
            shown = (await reader.get(groups, **staff)).json()
            assert [each["group_name"] for each in shown["groups"].values()] == ["G"]


async def test_a_primary_that_does_not_answer_fails_for_all_who_ask_at_a_time(
    primary: Cluster, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    watched = Primary(Line(connector(parse_url(primary.url), settings)))

    async def fail() -> Moment:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        raise TimeoutError

    monkeypatch.setattr(watched.look, "_ask", fail)
    found = await asyncio.gather(*(watched.look() for _ in range(10)), return_exceptions=True)
    assert [type(each) for each in found] == [OSError] * 10
    assert looks <= 2


async def until_replayed(reader: Replica, path: str) -> None:
    async def reads() -> bool:
        answer = await reader.get(path)
        return answer.status_code == 200 and reader.asked == ["standby1"]

    await until(reads)


async def test_a_standby_that_is_further_behind_is_not_read(
    replica: Any, there: SQL, held_up: Any
) -> None:
    world = await World(there).make(2)
    path = f"/v1/courses/{world.course_id}"
    async with replica(lag=0.5) as reader:
        await until_replayed(reader, path)
        async with held_up():
            await there("UPDATE courses SET title = 'New' WHERE id = :id", id=world.course_id)

            async def reads() -> bool:
                return (await reader.get(path)).json()["title"] == "New"

            await until(reads)
            assert reader.asked == ["requests"]
        await until_replayed(reader, path)


async def test_how_far_a_standby_is_behind_is_told(
    primary: Cluster, settings: Settings, home: Path, standby: Cluster, held_up: Any, there: SQL
) -> None:
    told: list[tuple[float, bool]] = []

    class Listening(Recorder):
        def standby(self, name: str, lag: float, *, answers: bool) -> None:
            assert name == "standby1"
            told.append((lag, answers))

    async def within(least: float, most: float, *, answers: bool) -> None:
        """Whatever it was before."""
        told.clear()

        async def is_told() -> bool:
            return any(least <= lag <= most and able is answers for lag, able in told)

        await until(is_told)

    changes = {"read_hosts": (standby.address,), "read_lag": 2.0}
    app = create_app(
        settings.model_copy(update=changes), parse_url(primary.url), home, recorder=Listening()
    )
    async with serving(app):
        await within(0, 2, answers=True)
        async with held_up():
            await World(there).make(1)
            await within(2, 60, answers=False)
        await within(0, 2, answers=True)
        await asyncio.to_thread(standby.kill)
        await within(math.inf, math.inf, answers=False)
        await asyncio.to_thread(standby.start, "-c fsync=off")
        await within(0, 2, answers=True)


async def test_a_standby_is_never_the_reason_why_something_is_not_there(
    replica: Any, there: SQL, held_up: Any
) -> None:
    async with replica() as reader, held_up():
        world = await World(there).make(2)
        answer = await reader.get(f"/v1/courses/{world.course_id}")
        assert (answer.status_code, reader.asked) == (200, ["standby1", "requests"])
        answer = await reader.get("/v1/courses/1")
        assert (answer.status_code, reader.asked) == (404, ["standby1", "requests"])


async def test_who_is_calling_is_asked_at_the_primary_and_revoked_as_soon_as_it_is_looked_at(
    replica: Any, there: SQL, held_up: Any
) -> None:
    world = await World(there).make(2)
    path = f"/v1/courses/{world.course_id}"
    name = fresh_name()
    async with replica() as reader, replica() as other:
        await until_replayed(reader, path)
        async with held_up():
            await put(other.client, name, grants=["groups:read"], secret=SECRET)
            headers = {"authorization": f"Bearer {await issue(other.client, name)}"}
            assert (await reader.get(path, headers=headers)).status_code == 200
            assert reader.asked == ["requests", "standby1"]
        caught_up = {"headers": headers}

        async def reads_cached() -> bool:
            await reader.get(path, **caught_up)
            return reader.asked == ["standby1"]

        await until(reads_cached)
        async with held_up():
            await put(other.client, name, grants=["groups:read"], is_active=False)

            async def refused() -> bool:
                return (await reader.get(path, headers=headers)).status_code == 401

            await until(refused)
            assert "standby1" not in reader.asked


async def test_a_read_goes_on_when_its_standby_breaks(
    replica: Any, there: SQL, primary: Cluster, standby: Cluster
) -> None:
    world = await World(there).make(2)
    path = f"/v1/courses/{world.course_id}"
    async with replica() as reader:
        await until_replayed(reader, path)
        await asyncio.to_thread(standby.kill)
        for _ in range(3):
            assert (await reader.get(path)).status_code == 200
            assert reader.asked[-1] == "requests"
        await asyncio.to_thread(standby.start, "-c fsync=off")
        await until_replayed(reader, path)


def test_the_header_is_documented_where_standbys_are_read(settings: Settings, home: Path) -> None:
    url = parse_url("postgresql://nobody@127.0.0.1/none")
    reading = settings.model_copy(update={"read_hosts": ("db2:5432",)})
    app = create_app(reading, url, home)
    document = app.openapi()
    assert app.openapi() == document  # made twice of the same
    usual = create_app(settings, url, home).openapi()
    path = "/v1/groups/{group_id}/members"
    named = [each["name"] for each in document["paths"][path]["get"]["parameters"]]
    assert named.count("Groupsvc-Position") == 1
    written = document["paths"][f"{path}/{{user_id}}"]["put"]["responses"]["200"]["headers"]
    assert "Groupsvc-Position" in written
    assert "Groupsvc-Position" not in str(usual)
