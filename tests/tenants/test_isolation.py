"""Two institutions behind one application: nothing of the one is seen, known or felt at the other.

Both databases begin alike, so that ids, keys and names are the same in both.
"""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from groupsvc import logs
from tests.api.logins import GRANT, SECRET, put, waits_are_long
from tests.tenants.conftest import SHARED, House, MakeTown, Town

PATHS = {
    "v1": "/v1/courses",
    "scodoc": "/ScoDoc/api/partition/1",
    "openedx": "/api/cohorts/v1/settings/course-v1:X+C1+2026",
}


@pytest_asyncio.fixture(scope="module")
async def town(make_town: MakeTown) -> AsyncIterator[Town]:
    """Which nobody else has changed."""
    async with make_town() as town:
        yield town


async def course(town: Town, house: House, title: str) -> dict[str, Any]:
    """A course with a partition: of the same key, and the same ids, in both."""
    client, headers = town.client, house.headers
    key = "course-v1:X+C1+2026"
    await client.put(f"{house.at}/v1/departments/X", json={"name": title}, headers=headers)
    answer = await client.put(
        f"{house.at}/v1/courses/by-key/{key}",
        json={"department": "X", "title": title},
        headers=headers,
    )
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


@pytest.mark.parametrize("face", PATHS)
@pytest.mark.parametrize("kind", ["headers", "issued"])
async def test_a_token_of_one_is_none_at_the_other(town: Town, face: str, kind: str) -> None:
    path = PATHS[face]
    for house, other in ((town.a, town.b), (town.b, town.a)):
        own = await town.client.get(house.at + path, headers=getattr(house, kind))
        assert own.status_code in (200, 404), own.text
        elsewhere = await town.client.get(other.at + path, headers=getattr(house, kind))
        assert elsewhere.status_code == 401, elsewhere.text
        # And not because somebody remembered it in the meantime.
        own = await town.client.get(house.at + path, headers=getattr(house, kind))
        assert own.status_code in (200, 404), own.text


@pytest.mark.parametrize("face", PATHS)
async def test_a_host_that_nobody_has_is_told_nothing(town: Town, face: str) -> None:
    path = PATHS[face]
    plain = await town.client.get(f"http://nobody.example{path}")
    assert plain.status_code == 421
    assert "this host is not served here" in plain.text
    known = await town.client.get(f"http://nobody.example{path}", headers=town.a.issued)
    assert (known.status_code, _without_id(known)) == (421, _without_id(plain))


@pytest.mark.parametrize("face", PATHS)
async def test_at_a_shared_host_the_issuer_chooses(town: Town, face: str) -> None:
    path = PATHS[face]
    for house in (town.a, town.b):
        answer = await town.client.get(f"http://{SHARED}{path}", headers=house.issued)
        assert answer.status_code in (200, 404), answer.text
    bare = await town.client.get(f"http://{SHARED}{path}")
    assert bare.status_code == 401
    # A development key is nobody's in particular, and a signature chooses nothing.
    for token in (town.a.headers["authorization"], "Bearer e30.e30.e30", "Bearer x"):
        answer = await town.client.get(f"http://{SHARED}{path}", headers={"authorization": token})
        assert (answer.status_code, _without_id(answer)) == (401, _without_id(bare))


async def test_an_issuer_only_chooses_who_verifies(town: Town) -> None:
    head, _, signature = town.a.issued["authorization"].rpartition(".")
    forged = f"{head}.{signature[:-6]}AAAAAA"
    answer = await town.client.get(f"http://{SHARED}/v1/me", headers={"authorization": forged})
    assert answer.status_code == 401


async def test_the_documents_are_there_at_every_host(town: Town) -> None:
    for host in (SHARED, "a.example", "b.example"):
        for path in ("/openapi.json", "/ScoDoc/openapi.json", "/docs"):
            answer = await town.client.get(f"http://{host}{path}")
            assert answer.status_code == 200, (host, path)
    assert (await town.client.get("http://nobody.example/openapi.json")).status_code == 421


async def test_the_same_ids_are_other_things(town: Town) -> None:
    a, b = await course(town, town.a, "In A"), await course(town, town.b, "In B")
    assert a["id"] == b["id"]
    for house, title in ((town.a, "In A"), (town.b, "In B"), (town.a, "In A")):
        answer = await town.client.get(f"{house.at}/v1/courses/{a['id']}", headers=house.headers)
        assert answer.json()["title"] == title
        path = f"/ScoDoc/api/formsemestre/{a['id']}"
        answer = await town.client.get(house.at + path, headers=house.headers)
        assert answer.json()["titre"] == title, answer.text


async def test_an_entity_tag_of_one_is_none_at_the_other(town: Town) -> None:
    a, _ = await course(town, town.a, "In A"), await course(town, town.b, "In B")
    path = f"/v1/courses/{a['id']}"
    tag = (await town.client.get(town.a.at + path, headers=town.a.headers)).headers["etag"]
    known = {"if-none-match": tag}
    same = await town.client.get(town.a.at + path, headers=town.a.headers | known)
    other = await town.client.get(town.b.at + path, headers=town.b.headers | known)
    assert (same.status_code, other.status_code) == (304, 200)


async def test_an_idempotency_key_is_of_one(town: Town) -> None:
    a, _ = await course(town, town.a, "In A"), await course(town, town.b, "In B")
    path, key = f"/v1/courses/{a['id']}/partitions", {"idempotency-key": "once"}
    answers: list[httpx.Response] = []
    for house, name in ((town.a, "TD"), (town.b, "TP"), (town.a, "TD")):
        answers.append(
            await town.client.post(
                house.at + path, json={"name": name}, headers=house.headers | key
            )
        )
    assert [each.status_code for each in answers] == [201, 201, 201]
    assert [each.json()["name"] for each in answers] == ["TD", "TP", "TD"]
    assert ["idempotent-replayed" in each.headers for each in answers] == [False, False, True]


async def test_wrong_secrets_lock_out_at_one(town: Town) -> None:
    for house in (town.a, town.b):
        town.client.headers.update(house.headers)
        town.client.base_url = httpx.URL(house.at)
        assert (await put(town.client, "bridge", secret=SECRET)).status_code in (200, 201)
    del town.client.headers["authorization"]
    url = "/v1/token"
    statuses = set[int]()
    async with town.a.sql() as sql, waits_are_long(sql):
        for _ in range(4):
            wrong = await town.client.post(town.a.at + url, data=GRANT, auth=("bridge", "x" * 16))
            statuses.add(wrong.status_code)
        locked = await town.client.post(town.a.at + url, data=GRANT, auth=("bridge", SECRET))
        free = await town.client.post(town.b.at + url, data=GRANT, auth=("bridge", SECRET))
    assert (statuses, locked.status_code, free.status_code) == ({401, 429}, 429, 200)
    # Nor is a token of the account good at the other.
    token = {"authorization": f"Bearer {free.json()['access_token']}"}
    assert (await town.client.get(f"{town.b.at}/v1/me", headers=token)).status_code == 200
    assert (await town.client.get(f"{town.a.at}/v1/me", headers=token)).status_code == 401


async def test_settings_and_rates_are_of_one(town: Town) -> None:
    told = [
        (await town.client.get(f"{house.at}/v1/me", headers=house.headers)).headers[
            "ratelimit-policy"
        ]
        for house in (town.a, town.b)
    ]
    assert told == ['"caller";q=600000;w=60', '"caller";q=100000000;w=60']


async def test_a_cursor_of_one_leads_nowhere_else(town: Town) -> None:
    await course(town, town.a, "In A")
    for name in ("Y", "Z"):
        path = f"{town.a.at}/v1/departments/{name}"
        await town.client.put(path, json={"name": name}, headers=town.a.headers)
    path = "/v1/departments?limit=1"
    page = (await town.client.get(town.a.at + path, headers=town.a.headers)).json()
    cursor = f"{path}&cursor={page['next_cursor']}"
    answer = await town.client.get(town.b.at + cursor, headers=town.b.headers)
    assert {each["acronym"] for each in answer.json()["items"]} <= {"X"}


async def test_lines_of_the_log_say_whose_they_are(town: Town) -> None:
    stream = io.StringIO()
    logs.configure("INFO", stream)
    try:
        for house in (town.a, town.b):
            await town.client.get(f"{house.at}/v1/me", headers=house.headers)
        await town.client.get("http://nobody.example/v1/me")
    finally:
        logs.logging.root.removeHandler(logs.logging.root.handlers[-1])
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    said = [line.get("tenant") for line in lines if line["logger"] == "groupsvc.access"]
    assert said[:2] == ["a", "b"]
    assert len(said) == 3


def _without_id(answer: httpx.Response) -> str:
    return answer.text.replace(answer.headers["x-request-id"], "-")


async def test_shared_hosts_are_names_as_all_others(make_town: MakeTown) -> None:
    async with make_town(shared_hosts=("Shared.Example", "[::1]")) as town:
        for host in ("shared.example", "SHARED.example.:8443", "[::1]", "[::1]:8443"):
            answer = await town.client.get(
                "http://a.example/v1/departments", headers={**town.a.issued, "host": host}
            )
            assert (host, answer.status_code) == (host, 200)


async def test_what_only_ends_like_a_document_is_of_an_institution(town: Town) -> None:
    for path in ("/v1/accounts/openapi.json", "/v1/departments/openapi.json"):
        assert (await town.client.get(f"http://{SHARED}{path}")).status_code == 401
