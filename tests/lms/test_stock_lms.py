"""Tokens, cookies and clients of a stock LMS, from whose address a gateway sends cohorts here."""

import asyncio
import json
import sys
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.api.openedx.conftest import Course
from tests.live.browser import Browser, browsing, needs_browser
from tests.live.nginx import needs_nginx
from tests.lms.conftest import Campus

pytestmark = needs_nginx

ASYMMETRIC = {"asymmetric_jwt": "true", "token_type": "jwt"}


@pytest_asyncio.fixture
async def teacher(course: Course) -> str:
    """Their username; the roster has them, the team has not."""
    return (await course.person(course.world.users[0]))["username"]


async def test_a_token_of_the_lms_brings_the_roles_that_its_user_has_here(
    campus: Campus, course: Course, client: httpx.AsyncClient, teacher: str
) -> None:
    cohort = await course.add("A")
    team = f"/v1/courses/{course.world.course_id}/team"
    headers = {"authorization": f"JWT {await campus.token(teacher, **ASYMMETRIC)}"}
    async with campus.calling("lms") as lms:
        assert (await lms.get("/api/me", headers=headers)).json() == {"username": teacher}
        statuses = []
        for roles in ([], ["moderator"], ["instructor"], []):
            members = [{"username": teacher, "roles": roles}] if roles else []
            assert (await client.put(team, json={"members": members})).status_code == 200
            listed = await lms.get(course.cohorts, headers=headers)
            renamed = await lms.patch(
                course.cohort(cohort), headers=headers, json={"name": f"A{len(statuses)}"}
            )
            statuses.append((listed.status_code, renamed.status_code))
    assert statuses == [(403, 403), (200, 403), (200, 204), (403, 403)]


async def test_global_staff_of_the_lms_may_do_everything(campus: Campus, course: Course) -> None:
    await course.add("A", "random")
    headers = {"authorization": f"JWT {await campus.token('admin', **ASYMMETRIC)}"}
    async with campus.calling("lms") as lms:
        listed = await lms.get(course.cohorts, headers=headers)
    assert [cohort["name"] for cohort in listed.json()] == ["A"]


async def test_a_token_that_only_the_lms_can_check_is_refused(
    campus: Campus, course: Course
) -> None:
    headers = {"authorization": f"JWT {await campus.token('admin')}"}
    async with campus.calling("lms") as lms:
        assert (await lms.get("/api/me", headers=headers)).status_code == 200
        refused = await lms.get(course.cohorts, headers=headers)
    assert refused.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"x-csrftoken": "{token}"}, 200),
        ({"x-csrftoken": "x" * 64}, 403),
        ({}, 403),
    ],
    ids=["token", "wrong token", "no token"],
)
async def test_a_change_with_cookies_is_judged_as_the_lms_does(
    campus: Campus, course: Course, headers: dict[str, str], status: int
) -> None:
    async with campus.calling("lms") as lms:
        login = await lms.post("/login", data={"username": "admin"})
        csrf = await lms.get("/csrf/api/v1/token")
        kept = [*login.headers.get_list("set-cookie"), *csrf.headers.get_list("set-cookie")]
        cookies = "; ".join(each.partition(";")[0].strip() for each in kept)
        told = {name: text.format(token=csrf.json()["csrfToken"]) for name, text in headers.items()}
        told |= {"cookie": cookies, "origin": campus.address("lms")}
        there = await lms.put("/api/me", headers=told)
        here = await lms.put(course.settings, headers=told, json={"is_cohorted": True})
        read = await lms.get(course.settings, headers=told)
    assert (there.status_code, here.status_code) == (status, status)
    if status != 200:
        assert here.json() == {"developer_message": there.json()["detail"]}
    assert read.json()["is_cohorted"] is (status == 200)


# Even outside of Django the client asks for its settings.
PROGRAM = """
import sys
from django.conf import settings
settings.configure()
from edx_rest_api_client.client import OAuthAPIClient
base, path, name, secret = sys.argv[1:]
print(OAuthAPIClient(base, name, secret).get(base + path).text)
"""


async def test_the_published_client_gets_its_token_here(
    campus: Campus, course: Course, client: httpx.AsyncClient
) -> None:
    await course.add("A", "random")
    name, secret = f"bridge-{course.world.course_id}", "a secret of the bridge"
    account = {"secret": secret, "grants": [f"groups:read@course:{course.key}"]}
    assert (await client.put(f"/v1/accounts/{name}", json=account)).status_code == 201
    line = (sys.executable, "-c", PROGRAM, campus.groupsvc, course.cohorts, name, secret)
    process = await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert [cohort["name"] for cohort in json.loads(output)] == ["A"]


FRONTEND = """(async () => {{
    const own = {{credentials: 'include'}};
    const csrf = await (await fetch('{lms}/csrf/api/v1/token', own)).json();
    const headers = {{'USE-JWT-COOKIE': 'true', 'X-CSRFToken': csrf.csrfToken,
                     'Content-Type': 'application/json'}};
    const body = JSON.stringify({{is_cohorted: true}});
    const put = await fetch('{lms}{path}', {{...own, method: 'PUT', headers, body}});
    return [put.status, await put.json()];
}})()"""


@needs_browser
async def test_a_micro_frontend_on_another_origin_changes_settings(
    campus: Campus, course: Course, tmp_path: Path
) -> None:
    lms = campus.address("lms")
    async with browsing(tmp_path / "profile") as browser:
        await visit(browser, f"{lms}/csrf/api/v1/token")
        form = "new URLSearchParams({username: 'admin'})"
        await browser.wait_for(f"fetch('/login', {{method: 'POST', body: {form}}})")
        script = FRONTEND.format(lms=lms, path=course.settings)
        await visit(browser, campus.address("elsewhere"))
        blocked = await browser.wait_for(script)
        await visit(browser, campus.address("apps"))
        changed = await browser.wait_for(script)
    assert blocked == "TypeError: Failed to fetch"
    assert changed[0] == 200, changed
    assert changed[1]["is_cohorted"] is True


async def visit(browser: Browser, address: str) -> None:
    await browser.ask("POST", "/url", url=address)
