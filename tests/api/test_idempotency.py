"""A POST that is repeated with its key is answered again and not done again."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.api.refusals import problem, told
from tests.conftest import EVERYTHING, SQL, Auth, World, serving
from tests.tour import SECRET, TOUR, set_stage

KEPT = ("content-type", "etag", "location")
REUSED = problem(422, "idempotency_key_reused", "the key was used for another request")
MALFORMED = problem(422, "invalid_idempotency_key", "the key must have 1 to 255 visible characters")
POSTS = [name for name, visit in TOUR.items() if visit.method == "POST" and visit.json is not None]


@pytest.fixture
def header() -> dict[str, str]:
    return {"idempotency-key": uuid.uuid4().hex}


async def create(
    client: httpx.AsyncClient, world: World, name: str, *headers: dict[str, str]
) -> httpx.Response:
    path = f"/v1/courses/{world.course_id}/partitions"
    merged = {name: value for each in headers for name, value in each.items()}
    return await client.post(path, json={"name": name}, headers=merged)


async def names(sql: SQL, world: World) -> list[str]:
    rows = "SELECT name FROM partitions WHERE course_id = :id AND name IS NOT NULL ORDER BY name"
    return [name for (name,) in await sql(rows, id=world.course_id)]


def is_replay(answer: httpx.Response) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


@pytest.mark.parametrize("name", POSTS)
async def test_a_repeated_request_gets_the_same_answer_and_has_no_effect(
    client: httpx.AsyncClient, sql: SQL, header: dict[str, str], name: str
) -> None:
    stage = await set_stage(sql)
    visit = TOUR[name]
    request: Any = {**visit.payload(stage), "headers": header}
    first = await client.post(visit.path_on(stage), **request)
    assert (first.status_code, is_replay(first)) == (visit.status, False), first.text
    count = "SELECT count(*) FROM changes"
    before = await sql(count)
    again = await client.post(visit.path_on(stage), **request)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert [again.headers.get(each) for each in KEPT] == [first.headers.get(each) for each in KEPT]
    assert (is_replay(again), await sql(count)) == (True, before)


async def test_without_a_key_a_request_is_done_again(
    client: httpx.AsyncClient, world: World
) -> None:
    answers = [await create(client, world, "TD") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]


async def test_an_answer_outlives_what_it_is_about(
    client: httpx.AsyncClient, world: World, header: dict[str, str]
) -> None:
    first = await create(client, world, "TD", header)
    await client.delete(first.headers["location"])
    again = await create(client, world, "TD", header)
    assert (again.status_code, again.content, is_replay(again)) == (201, first.content, True)


async def test_a_key_is_for_one_request_alone(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    partition = (await create(client, world, "TD", header)).json()["id"]
    path = f"/v1/courses/{world.course_id}/partitions"
    others = [
        await create(client, world, "TP", header),
        await client.post(path, content=b'{"name":  "TD"}', headers=header),
        await client.post(f"{path}?x=1", json={"name": "TD"}, headers=header),
        await client.post(
            f"/v1/partitions/{partition}/groups", json={"name": "TD"}, headers=header
        ),
    ]
    assert [told(answer) for answer in others] == [REUSED] * 4
    assert await names(sql, world) == ["TD"]


async def test_a_key_belongs_to_its_caller(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth, header: dict[str, str]
) -> None:
    await create(client, world, "TD", header)
    other = auth(*EVERYTHING, subject="other")
    same = await create(client, world, "TD", header, other)
    assert told(same) == problem(409, "name_taken", "a partition of the course has this name")
    own = await create(client, world, "TP", header, other)
    assert (own.status_code, is_replay(own)) == (201, False)
    nobody = await create(client, world, "TD", header, {"authorization": ""})
    assert (nobody.status_code, is_replay(nobody)) == (401, False)
    assert await names(sql, world) == ["TD", "TP"]


async def test_quotes_do_not_belong_to_a_key(client: httpx.AsyncClient, world: World) -> None:
    key = uuid.uuid4().hex
    await create(client, world, "TD", {"idempotency-key": f'"{key}"'})
    assert is_replay(await create(client, world, "TD", {"idempotency-key": key}))


@pytest.mark.parametrize("given", ["k" * 255, f'"{"q" * 255}"', "!", "a-b_c:d/e.f~{}", 'a"b'])
async def test_what_may_be_a_key(client: httpx.AsyncClient, world: World, given: str) -> None:
    headers = {"idempotency-key": given}
    first = await create(client, world, world.department, headers)
    again = await create(client, world, world.department, headers)
    assert (first.status_code, again.content, is_replay(again)) == (201, first.content, True)


@pytest.mark.parametrize(
    "given", ["", '""', "a b", '"a', '"a b"', "k" * 256, f'"{"k" * 256}"', "\u00e9", '"a"b"', "\t"]
)
async def test_what_may_not_be_a_key(
    client: httpx.AsyncClient, sql: SQL, world: World, given: str
) -> None:
    headers: Any = {"idempotency-key": given.encode()}
    assert told(await create(client, world, "TD", headers)) == MALFORMED
    assert await names(sql, world) == []


async def test_one_key_is_enough(client: httpx.AsyncClient, world: World) -> None:
    path = f"/v1/courses/{world.course_id}/partitions"
    headers: Any = [("idempotency-key", "one"), ("idempotency-key", "two")]
    answer = await client.post(path, json={"name": "TD"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "repeated_header")


async def test_only_posts_have_keys(
    client: httpx.AsyncClient, world: World, header: dict[str, str]
) -> None:
    partition = await world.add_partition()
    path = f"/v1/partitions/{partition}"
    for name in ("A", "B"):
        answer = await client.patch(path, json={"name": name}, headers=header)
        assert (answer.json()["name"], is_replay(answer)) == (name, False)


async def test_a_token_is_never_given_out_twice(
    client: httpx.AsyncClient, sql: SQL, header: dict[str, str]
) -> None:
    stage = await set_stage(sql)
    visit = TOUR["issue_token"]
    answers = [
        await client.post(visit.path, headers=header, **visit.payload(stage)) for _ in range(2)
    ]
    tokens = {answer.json()["access_token"] for answer in answers}
    assert (len(tokens), any(map(is_replay, answers))) == (2, False)


@pytest.mark.parametrize(
    ("kept", "status"),
    [
        (["groups:write"], 201),
        (["groups:write@department:{department}"], 201),
        (["groups:write@department:nowhere"], 404),
        (["groups:write@department:nowhere", "groups:read@course:{course}"], 403),
        (["groups:read"], 403),
        ([], 403),
    ],
)
async def test_an_answer_is_told_again_only_to_who_still_has_the_right(
    anonymous: httpx.AsyncClient,
    world: World,
    auth: Auth,
    header: dict[str, str],
    kept: list[str],
    status: int,
) -> None:
    names = {"department": world.department, "course": world.course}
    first = await create(
        anonymous, world, "TD", header, auth(f"groups:write@course:{world.course}")
    )
    assert first.status_code == 201
    now = auth(*(grant.format(**names) for grant in kept))
    again = await create(anonymous, world, "TD", header, now)
    assert (again.status_code, is_replay(again)) == (status, status == 201)


async def test_so_it_is_for_an_account(
    client: httpx.AsyncClient, sql: SQL, header: dict[str, str]
) -> None:
    stage = await set_stage(sql)
    path = f"/v1/accounts/{stage.account}"
    body: dict[str, Any] = {"grants": ["groups:write"], "secret": SECRET}
    await client.put(path, json=body)
    issued = await TOUR["issue_token"].go(client, stage)
    bearer = {"authorization": f"Bearer {issued.json()['access_token']}"}
    visit = TOUR["create_group"]
    request: Any = {**visit.payload(stage), "headers": header | bearer}
    assert (await client.post(visit.path_on(stage), **request)).status_code == 201
    await client.put(path, json=body | {"grants": ["groups:write@department:" + stage.empty]})
    refused = await client.post(visit.path_on(stage), **request)
    assert told(refused) == problem(404, "not_found", "no such resource")


async def test_of_many_at_once_one_is_done(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    answers = await asyncio.gather(*(create(client, world, "TD", header) for _ in range(12)))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (201, answers[0].content)
    }
    assert sorted(map(is_replay, answers)) == [False, *[True] * 11]
    assert await names(sql, world) == ["TD"]


async def test_of_many_different_ones_at_once_one_is_done(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    answers = await asyncio.gather(*(create(client, world, f"P{n}", header) for n in range(8)))
    (done,) = [answer for answer in answers if answer.status_code == 201]
    assert [told(answer) for answer in answers if answer is not done] == [REUSED] * 7
    assert await names(sql, world) == [done.json()["name"]]


async def test_a_refusal_is_not_remembered(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    partition = await world.add_partition("TD")
    refused = [
        await create(client, world, "", header),
        await create(client, world, "TD", header),
        await create(client, world, "TP", header, {"content-type": "text/plain"}),
        await client.post("/v1/courses/1/partitions", content=b"{", headers=header),
        await client.post(f"/v1/courses/{2**62}/partitions", json={"name": "x"}, headers=header),
    ]
    assert [answer.status_code for answer in refused] == [422, 409, 415, 415, 404]
    await client.delete(f"/v1/partitions/{partition}")
    done = await create(client, world, "TD", header)
    assert (done.status_code, is_replay(done)) == (201, False)


async def age(sql: SQL, header: dict[str, str], hours: float) -> None:
    await sql(
        "UPDATE idempotency_keys SET created_at = now() - CAST(:hours AS float) * interval '1h'"
        " WHERE key = :key",
        hours=hours,
        key=header["idempotency-key"],
    )


async def test_a_key_is_remembered_for_a_day(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    await create(client, world, "TD", header)
    await age(sql, header, 23.9)
    assert is_replay(await create(client, world, "TD", header))
    await age(sql, header, 24.1)
    fresh = await create(client, world, "TP", header)
    assert (fresh.status_code, is_replay(fresh)) == (201, False)
    assert is_replay(await create(client, world, "TP", header))


async def test_an_old_key_is_forgotten_when_another_is_used(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    await create(client, world, "TD", header)
    await age(sql, header, 24.1)
    await create(client, world, "TP", {"idempotency-key": uuid.uuid4().hex})
    known = "SELECT 1 FROM idempotency_keys WHERE key = :key"
    assert await sql(known, key=header["idempotency-key"]) == []


async def test_a_replay_writes_so_that_it_is_as_durable_as_the_first_answer(
    client: httpx.AsyncClient, sql: SQL, world: World, header: dict[str, str]
) -> None:
    for _ in range(3):
        await create(client, world, "TD", header)
    replays = "SELECT replays FROM idempotency_keys WHERE key = :key"
    assert await sql(replays, key=header["idempotency-key"]) == [(2,)]


@pytest.fixture
def impatient(app: FastAPI, settings: Settings, url: Any, home: Any) -> FastAPI:
    return create_app(settings.model_copy(update={"lock_timeout": 0.1}), url, home)


async def test_while_the_first_is_running_the_second_is_told_to_wait(
    impatient: FastAPI, engine: AsyncEngine, world: World, auth: Auth, header: dict[str, str]
) -> None:
    claim = "INSERT INTO idempotency_keys (subject, key, fingerprint) VALUES ('tester', :key, '')"
    async with serving(impatient) as client, engine.connect() as connection:
        transactional = await connection.execution_options(isolation_level="READ COMMITTED")
        await transactional.execute(text(claim), {"key": header["idempotency-key"]})
        headers = auth(*EVERYTHING)
        answer = await create(client, world, "TD", header, headers)
        assert told(answer) == problem(
            409,
            "request_in_progress",
            "the first request with this key is still running",
            retry_after=1,
        )
        assert answer.headers["retry-after"] == "1"
        await connection.rollback()
        assert (await create(client, world, "TD", header, headers)).status_code == 201
