"""What happens to one institution, what it costs the process, and what the others see of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.recorder import Recorder
from groupsvc.settings import Settings
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.fleet import Fleet
from groupsvc.tenants.registry import Tenant
from groupsvc.tenants.rounds import Rounds
from tests.conftest import MakeDatabase, World, serving
from tests.tenants.conftest import (
    SHARED,
    House,
    MakeControl,
    MakeTown,
    Town,
    found,
    registry_of,
    save,
    text_of,
)
from tests.tenants.test_isolation import PATHS
from tests.waiting import examined, until

FACES = {
    "v1": lambda body: body["code"] == "unavailable",
    "scodoc": lambda body: body["status"] == 503,
    "openedx": lambda body: "developer_message" in body,
}


async def until_status(town: Town, house: House, status: int) -> None:
    async def is_so() -> bool:
        return (await town.get(house)).status_code == status

    await until(is_so)


async def test_one_database_is_away_and_the_others_go_on(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    house = await town.add("away")
    await Databases(town.settings).close(house.url)
    for face, path in PATHS.items():
        answer = await town.get(house, path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert FACES[face](answer.json()), answer.text
    assert (await town.get(town.b)).status_code == 200
    assert "has it been moved elsewhere?" in caplog.text
    # The process is as good as it was; who asks at its host learns about one institution.
    for host in ("10.0.0.1", "b.example"):
        ready = await examined(town.client, f"http://{host}")
        assert (host, ready.status_code) == (host, 200)
    assert (await town.client.get("http://away.example/health/ready")).status_code == 503


async def test_while_it_moves_it_is_only_read(town: Town) -> None:
    house = await town.add("moving")
    async with registry_of(town.settings) as registry:
        await registry.run(lambda list_: list_.move("moving", "postgresql://elsewhere/a"))

    async def is_refused() -> bool:
        return (await town.put(house, "X")).status_code == 503

    await until(is_refused)
    answer = await town.put(house, "Y")
    assert answer.headers["retry-after"] == "10"
    assert answer.json()["detail"] == "this is being moved, and only read meanwhile"
    items = (await town.get(house)).json()["items"]
    assert {each["acronym"] for each in items} <= {"X"}
    assert (await town.put(town.b, "Y")).status_code in (200, 201)


async def test_a_writer_who_has_not_heard_of_the_move_is_stopped_by_the_database(
    town: Town,
) -> None:
    databases = Databases(town.settings)
    await databases.close_to_writers(town.a.url)
    try:
        assert (await town.get(town.a)).status_code == 200
        assert (await town.put(town.a, "LATE")).status_code == 503
    finally:
        await databases.open_to_writers(town.a.url)
    assert (await town.put(town.a, "LATE")).status_code == 201


async def test_it_is_never_served_with_the_data_of_another(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(town.a, tenant=Tenant("wrong", ("wrong.example",), text_of(town.a.url)))
    await save(town.settings, wrong.tenant)
    await until_status(town, wrong, 503)
    assert (await town.client.get("http://wrong.example/health/ready")).status_code == 503
    assert "groupsvc migrate" in caplog.text


async def test_settings_that_cannot_be_used_are_told_and_stop_nobody_else(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    house = await town.add("keyless")
    keyless = replace(house.tenant, settings=json.dumps({"jwt_issuer": "https://x.example"}))
    await save(town.settings, keyless)
    await until_status(town, house, 503)
    assert "the institution keyless cannot be served" in caplog.text
    assert (await town.get(town.b)).status_code == 200


async def test_who_gets_another_name_is_served_there_and_nowhere_else(town: Town) -> None:
    house = await town.add("renamed")
    other = replace(house, tenant=replace(house.tenant, hosts=("other.example",)))
    await save(town.settings, other.tenant)
    await until_status(town, house, 421)
    assert (await town.get(other)).status_code == 200


async def test_without_a_list_nobody_is_known_and_nobody_is_sent_away(
    shared: Settings, server_url: URL, home: Path
) -> None:
    absent = SecretStr(text_of(server_url.set(database="groupsvc_no_such_list")))
    settings = shared.model_copy(update={"control_url": absent})
    async with serving(create_app(settings, server_url, home)) as client:
        answer = await client.get("http://a.example/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        ready = await client.get("http://10.0.0.1/health/ready")
        assert (ready.status_code, ready.json()["checks"]) == (503, {"tenants": "not listed yet"})
        assert (await client.get("http://10.0.0.1/health/live")).status_code == 200


async def connections(*houses: House) -> int:
    async with houses[0].sql() as sql:
        ((count,),) = await sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = ANY (:names)"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
            names=[house.url.database for house in houses],
        )
    return int(count)


async def test_all_together_have_no_more_connections_than_the_ceiling(
    make_town: MakeTown,
) -> None:
    """Reads, and transactions that hold a connection for several statements."""
    async with make_town(pool_size=6, max_connections=8) as town:
        houses = [town.a, town.b, await town.add("c")]
        for number in range(4):
            asked = (
                town.put(house, f"N{number}{each}") if each % 2 else town.get(house)
                for each in range(8)
                for house in houses
            )
            answers = await asyncio.gather(*asked)
            assert {each.status_code for each in answers} == {200, 201}
            assert 0 < await connections(*houses) <= 8


@asynccontextmanager
async def other_process(town: Town, **own: Any) -> AsyncIterator[tuple[Fleet, Rounds]]:
    fleet = Fleet(town.settings.model_copy(update=own), town.home)
    rounds = Rounds(fleet)
    async with registry_of(town.settings) as registry:
        await fleet.read(registry)
    try:
        yield fleet, rounds
    finally:
        await rounds.stop()
        await fleet.aclose()


async def test_a_visit_does_the_jobs_that_others_have_left_and_seals_the_log(town: Town) -> None:
    often = other_process(town, audit_seal_seconds=1)
    async with town.a.sql() as sql, often as (fleet, rounds):
        world = await World(sql).make(1)
        await sql(
            "INSERT INTO jobs (course_id, kind, total, payload, created_by)"
            " VALUES (:course, 'cohort_upload', 0, convert_to('cohort,username', 'UTF8'), 'x')",
            course=world.course_id,
        )

        async def done() -> bool:
            # A visit does not wait for what somebody is writing on that server: the next one seals.
            if "a" not in rounds._visits:
                rounds.visit(fleet.tenants["a"])
            states = await sql("SELECT state FROM jobs")
            sealed = await sql("SELECT count(*) > 0 FROM audit_seals")
            return (states, sealed) == ([("done",)], [(True,)])

        await until(done)


async def test_who_rests_is_put_aside_and_comes_back(town: Town) -> None:
    async with other_process(town) as (fleet, _):
        now = asyncio.get_running_loop().time
        a, b = fleet.tenants["a"], fleet.tenants["b"]
        served = fleet.use(a)
        fleet.get(b)

        async def have_looked_for_jobs() -> bool:
            return not any(each.institution.jobs.is_busy for each in fleet.served())

        await until(have_looked_for_jobs)
        # One is asked for just now, and nobody has asked for the other.
        await fleet.put_aside(since=now())
        assert [each.tenant.name for each in fleet.served()] == ["a"]
        fleet.leave(served)
        await fleet.put_aside(since=now() - 60)
        assert [each.tenant.name for each in fleet.served()] == ["a"]
        await fleet.put_aside(since=now())
        assert fleet.served() == []

        async def is_closed() -> bool:
            return fleet.budget.limiter.in_use == 0

        await until(is_closed)
        assert fleet.get(a) is not served


async def test_one_cannot_take_all_that_a_worker_can_do(make_town: MakeTown) -> None:
    async with make_town(max_requests=4) as town, other_process(town) as (fleet, _):
        assert fleet.most_of_one == 2
        answers = await asyncio.gather(*(town.get(town.a) for _ in range(4)))
        assert sorted(each.status_code for each in answers) == [200, 200, 503, 503]


async def test_its_own_pages_may_call_and_those_of_another_may_not(town: Town) -> None:
    house = await town.add("pages", cors_origins=["https://app.pages.example"])
    origin = {"origin": "https://app.pages.example"}
    asked = origin | {"access-control-request-method": "GET"}
    for each, allowed in ((house, "https://app.pages.example"), (town.b, None)):
        answer = await town.client.get(each.at + "/v1/me", headers=each.headers | origin)
        assert answer.headers.get("access-control-allow-origin") == allowed
        before = await town.client.options(each.at + "/v1/me", headers=asked)
        assert before.headers.get("access-control-allow-origin") == allowed
    # Asked without a token, nobody can tell whose pages they are.
    shared = await town.client.options(f"http://{SHARED}/v1/me", headers=asked)
    assert shared.status_code == 401
    assert "access-control-allow-origin" not in shared.headers


async def test_requests_are_counted_by_institution_when_that_is_asked_for(
    make_control: MakeControl, make_migrated: MakeDatabase, home: Path
) -> None:
    counted: list[tuple[str, int]] = []

    class Counting(Recorder):
        def served(self, tenant: str, status: int) -> None:
            counted.append((tenant, status))

    control = await make_control()
    house = await found(control, home, make_migrated, "counted")
    for asked in (True, False):
        settings = control.model_copy(update={"metrics_tenants": asked})
        async with serving(create_app(settings, house.url, home, recorder=Counting())) as client:
            await client.get(f"{house.at}/v1/me", headers=house.headers)
            await client.get(f"{house.at}/v1/me")
    assert counted == [("counted", 200), ("counted", 401)]
