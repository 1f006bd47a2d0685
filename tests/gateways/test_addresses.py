"""Addresses in answers are those of the gateway: prefix, host and port, in all faces."""

import re
from urllib.parse import urljoin

import httpx
import pytest

from tests.api.logins import SECRET, fresh_name
from tests.api.openedx.conftest import Course
from tests.conftest import World
from tests.gateways.conftest import PREFIX

DOCUMENTS = [
    ("/docs", ""),
    ("/docs/scodoc", "/ScoDoc"),
    ("/docs/openedx", ""),
]


async def test_what_is_made_is_found_where_the_answer_says(
    outside: httpx.AsyncClient, world: World
) -> None:
    path = f"{PREFIX}/v1/courses/{world.course_id}/partitions"
    for key in ("a key", None):
        headers = {"idempotency-key": f"{fresh_name()}"} if key else {}
        made = await outside.post(path, json={"name": f"TD {key}"}, headers=headers)
        assert made.headers["location"] == f"{PREFIX}/v1/partitions/{made.json()['id']}"
        assert (await outside.get(made.headers["location"])).json() == made.json()
        if key:
            again = await outside.post(path, json={"name": f"TD {key}"}, headers=headers)
            assert again.headers["idempotent-replayed"] == "true"
            assert again.headers["location"] == made.headers["location"]


async def test_the_next_page_is_where_the_link_says(
    outside: httpx.AsyncClient, world: World
) -> None:
    first = await outside.get(f"{PREFIX}/v1/courses/{world.course_id}/enrollments?limit=3")
    link = re.fullmatch(r'<([^>]*)>; rel="next"', first.headers["link"])
    assert link is not None
    second = await outside.get(urljoin(str(first.url), link[1]))
    users = [item["user_id"] for page in (first, second) for item in page.json()["items"]]
    assert sorted(users) == sorted(world.users)


@pytest.mark.parametrize(("page", "mounted"), DOCUMENTS)
async def test_a_page_of_documentation_finds_all_that_it_needs(
    browser: httpx.AsyncClient, page: str, mounted: str
) -> None:
    shown = await browser.get(PREFIX + page)
    assert shown.status_code == 200
    assets = re.findall(r'(?:href|src)="([^"]*assets[^"]*)"', shown.text)
    assert len(assets) == 3
    for asset in assets:
        assert (await browser.get(urljoin(str(shown.url), asset))).status_code == 200
    (document,) = re.findall(r'"url": "([^"]+)"', shown.text)
    described = await browser.get(urljoin(str(shown.url), document))
    assert described.json()["servers"][0] == {"url": PREFIX + mounted}


async def test_the_dialog_of_the_page_gets_its_token(
    outside: httpx.AsyncClient, world: World
) -> None:
    name = fresh_name()
    account = {"secret": SECRET, "grants": [f"groups:read@course:{world.course}"]}
    assert (await outside.put(f"{PREFIX}/v1/accounts/{name}", json=account)).status_code == 201
    document = (await outside.get(f"{PREFIX}/openapi.json")).json()
    flows = document["components"]["securitySchemes"]["account"]["flows"]
    token_url = flows["clientCredentials"]["tokenUrl"]
    assert token_url == f"{PREFIX}/v1/token"
    login = {"client_id": name, "client_secret": SECRET, "grant_type": "client_credentials"}
    for address in (token_url, f"{PREFIX}/oauth2/access_token"):
        given = await outside.post(address, data=login)
        assert given.status_code == 200, given.text
        headers = {"authorization": f"Bearer {given.json()['access_token']}"}
        courses = await outside.get(f"{PREFIX}/v1/courses", headers=headers)
        assert [course["key"] for course in courses.json()["items"]] == [world.course]


async def test_pages_of_open_edx_are_whole_addresses_with_the_port(
    outside: httpx.AsyncClient, world: World
) -> None:
    course = Course(world)
    cohorts = [await course.add(f"Cohort {number}") for number in range(3)]
    path = f"{PREFIX}{course.v2}/cohorts/"
    first = await outside.get(path, params={"page_size": 2})
    shown = str(outside.base_url).rstrip("/")
    assert first.json()["next"] == f"{shown}{path}?page=2&page_size=2"
    last = await outside.get(first.json()["next"])
    found = [each["id"] for page in (first, last) for each in page.json()["results"]]
    assert found == cohorts
    assert (await outside.get(last.json()["previous"])).json() == first.json()
    old = await outside.get(PREFIX + course.settings)
    successor = re.fullmatch(r'<([^>]*)>; rel="successor-version"', old.headers["link"])
    assert successor is not None
    assert (await outside.get(successor[1])).status_code == 200


async def test_a_stranger_logs_in_at_the_lms_and_comes_back(
    browser: httpx.AsyncClient, world: World
) -> None:
    answer = await browser.get(PREFIX + Course(world).legacy + "/")
    back = f"{PREFIX}/courses/{world.course}/cohorts/".replace(":", "%3A").replace("+", "%2B")
    assert (answer.status_code, answer.headers["location"]) == (302, f"/login?next={back}")


async def test_a_client_of_scodoc_logs_in_and_reads_and_writes(
    outside: httpx.AsyncClient, world: World
) -> None:
    name = fresh_name()
    roles = [f"{role}@department:{world.department}" for role in ("ScoView", "EtudChangeGroups")]
    account = {"secret": SECRET, "grants": roles}
    assert (await outside.put(f"{PREFIX}/v1/accounts/{name}", json=account)).status_code == 201
    given = await outside.post(f"{PREFIX}/ScoDoc/api/tokens", auth=(name, SECRET))
    headers = {"authorization": f"Bearer {given.json()['token']}"}
    face = f"{PREFIX}/ScoDoc/{world.department}/api"
    made = await outside.post(
        f"{face}/formsemestre/{world.course_id}/partition/create",
        headers=headers,
        json={"partition_name": "TP"},
    )
    assert made.status_code == 200, made.text
    path = f"{face}/formsemestre/{world.course_id}/partitions"
    read = await outside.get(path, headers=headers)
    assert [each["partition_name"] for each in read.json().values()] == ["TP"]


async def test_a_doubled_slash_leads_a_client_of_scodoc_to_the_single_one(
    outside: httpx.AsyncClient, world: World
) -> None:
    path = f"{PREFIX}/ScoDoc/api//partition/{await world.add_partition()}"
    answer = await outside.get(path, follow_redirects=True)
    assert answer.status_code == 200, answer.text
    assert answer.url.path in (path, path.replace("//", "/"))


async def test_the_prefix_alone_leads_to_the_documentation(browser: httpx.AsyncClient) -> None:
    page = await browser.get(f"{PREFIX}/", headers={"accept": "text/html"})
    assert page.headers["location"] == f"{PREFIX}/docs"
    assert (await browser.get(page.headers["location"])).status_code == 200


async def test_what_is_not_there_is_told_in_the_shape_of_its_face(
    browser: httpx.AsyncClient,
) -> None:
    native = await browser.get(f"{PREFIX}/nothing")
    assert (native.status_code, native.json()["code"]) == (404, "not_found")
    scodoc = await browser.get(f"{PREFIX}/ScoDoc/nothing")
    assert (scodoc.status_code, scodoc.json()["status"]) == (404, 404)
    assert (await browser.get(f"{PREFIX}/health/live")).status_code == 200
