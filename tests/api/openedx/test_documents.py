"""The OpenAPI document and its page, answers held against it, and failures in this shape."""

import json
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from sqlalchemy import make_url
from starlette.routing import Mount

from groupsvc.app import create_app
from groupsvc.cli.openapi import describe
from groupsvc.settings import Settings
from tests.api.openedx.conftest import Course, envelope, told
from tests.conftest import Auth, serving

FILE = {"uploaded-file": ("a.csv", b"cohort,email\n")}
COHORT = {"name": "new", "assignment_type": "manual"}

# Every operation of the document once: method, path, body, and the status of success.
CALLS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "get_settings": ("GET", "{settings}", {}, 200),
    "put_settings": ("PUT", "{settings}", {"json": {"is_cohorted": True}}, 200),
    "list_cohorts": ("GET", "{cohorts}", {}, 200),
    "create_cohort": ("POST", "{cohorts}", {"json": COHORT}, 200),
    "get_cohort": ("GET", "{cohorts}{cohort}", {}, 200),
    "edit_cohort": ("PATCH", "{cohorts}{cohort}", {"json": {"name": "B"}}, 204),
    "list_users": ("GET", "{cohorts}{cohort}/users/", {}, 200),
    "add_users": (
        "POST",
        "{cohorts}{cohort}/users/",
        {"json": {"users": ["{loose}", "{moved}", "{member}", "x", "x@y.org", "x@y"]}},
        200,
    ),
    "list_users_of_any_name": ("GET", "{cohorts}{cohort}/users/bob", {}, 200),
    "add_user": ("POST", "{cohorts}{cohort}/users/{loose}", {}, 200),
    "remove_user": ("DELETE", "{cohorts}{cohort}/users/{member}", {}, 204),
    "upload_users": ("POST", "{upload}", {"files": FILE}, 204),
    "list_content_groups": ("GET", "{v2}/group_configurations", {}, 200),
    "get_configuration": ("GET", "{v2}/group_configurations/50", {}, 200),
    "get_cohort_settings_v2": ("GET", "{v2}/cohort_settings/", {}, 200),
    "put_cohort_settings_v2": (
        "PUT",
        "{v2}/cohort_settings/",
        {"json": {"is_cohorted": True}},
        200,
    ),
    "list_cohorts_v2": ("GET", "{v2}/cohorts/", {}, 200),
    "create_cohort_v2": ("POST", "{v2}/cohorts/", {"json": COHORT}, 201),
    "get_cohort_v2": ("GET", "{v2}/cohorts/{cohort}/", {}, 200),
    "edit_cohort_v2": ("PATCH", "{v2}/cohorts/{cohort}/", {"json": {"name": "B"}}, 200),
    "list_users_v2": ("GET", "{v2}/cohorts/{cohort}/users/", {}, 200),
    "add_users_v2": (
        "POST",
        "{v2}/cohorts/{cohort}/users/",
        {"json": {"users": ["{loose}", "{moved}"]}},
        200,
    ),
    "remove_user_v2": ("DELETE", "{v2}/cohorts/{cohort}/users/{member}/", {}, 204),
    "get_instructor_settings": ("GET", "{legacy}/settings", {}, 200),
    "edit_instructor_settings": (
        "PATCH",
        "{legacy}/settings",
        {"json": {"is_cohorted": True}},
        200,
    ),
    "list_instructor_cohorts": ("GET", "{legacy}/", {}, 200),
    "get_instructor_cohort": ("GET", "{legacy}/{cohort}", {}, 200),
    **{
        f"{method}_new_instructor_cohort": (
            method.upper(),
            "{legacy}/",
            {"json": COHORT},
            200,
        )
        for method in ("put", "post", "patch")
    },
    **{
        f"{method}_instructor_cohort": (
            method.upper(),
            "{legacy}/{cohort}",
            {"json": COHORT},
            200,
        )
        for method in ("put", "post", "patch")
    },
    "add_instructor_users": (
        "POST",
        "{legacy}/{cohort}/add",
        {"data": {"users": "{loose} {moved}"}},
        200,
    ),
    "remove_instructor_user": (
        "POST",
        "{legacy}/{cohort}/delete",
        {"data": {"username": "{member}"}},
        200,
    ),
    "upload_instructor_users": ("POST", "{upload_twin}", {"files": FILE}, 204),
}


def routes(app: FastAPI) -> dict[str, APIRoute]:
    """Those that are documented, by the name of their operation."""
    return {
        route.operation_id: route
        for mount in app.routes
        if isinstance(mount, Mount) and mount.path in ("/api/cohorts", "/courses")
        for route in mount.app.routes  # type: ignore[attr-defined]
        if isinstance(route, APIRoute) and route.include_in_schema and route.operation_id
    }


async def names(course: Course, client: httpx.AsyncClient) -> dict[str, Any]:
    cohort, other = await course.add("A"), await course.add("Other")
    loose, moved, member, *_ = await course.people()
    await course.join(other, course.world.users[1])
    await course.join(cohort, course.world.users[2])
    path = f"/v1/courses/{course.world.course_id}/content-partitions/50"
    await client.put(path, json={"name": "Content", "groups": [{"id": 1, "name": "One"}]})
    return {
        "settings": course.settings,
        "cohorts": course.cohorts,
        "cohort": cohort,
        "upload": course.upload,
        "upload_twin": f"/courses/{course.key}/instructor/api/add_users_to_cohorts",
        "v2": course.v2,
        "legacy": course.legacy,
        "loose": loose["username"],
        "moved": moved["username"],
        "member": member["username"],
    }


def filled(value: Any, names: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {name: filled(each, names) for name, each in value.items()}
    return [filled(each, names) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CALLS)
async def test_answers_are_what_the_document_says(
    app: FastAPI, client: httpx.AsyncClient, course: Course, name: str
) -> None:
    known = await names(course, client)
    method, path, more, status = CALLS[name]
    answer = await client.request(method, filled(path, known), **filled(more, known))
    assert answer.status_code == status, answer.text
    route = routes(app)[name]
    assert route.methods == {method}
    if status == 204:
        assert answer.content == b""
        return
    TypeAdapter(route.response_model).validate_json(answer.content, strict=True)


def test_every_operation_is_called_here(app: FastAPI) -> None:
    assert set(routes(app)) == set(CALLS)


async def test_the_document_is_whole(anonymous: httpx.AsyncClient) -> None:
    document = (await anonymous.get("/api/cohorts/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    open_to_all = [each["operationId"] for each in operations if not each.get("security")]
    assert open_to_all == ["access_token"]
    assert {each["operationId"] for each in operations} == {*CALLS, *open_to_all}
    assert len(operations) == len(CALLS) + 1
    assert all(each["summary"] for each in operations)
    assert "422" not in json.dumps(document["paths"])
    assert "HTTPValidationError" not in json.dumps(document["paths"])
    assert document["servers"] == [{"url": "/"}]
    assert describe()["openedx"] == document
    for path, methods in document["paths"].items():
        declared = set(re.findall(r"\{(\w+)\}", path))
        for each in methods.values():
            named = [one["name"] for one in each.get("parameters", []) if one["in"] == "path"]
            assert set(named) == declared, path


async def test_the_page_is_served_from_here(anonymous: httpx.AsyncClient) -> None:
    page = await anonymous.get("/docs/openedx")
    assert (page.status_code, "../api/cohorts/openapi.json" in page.text) == (200, True)
    assert "http" not in re.sub(r"http-equiv", "", page.text)
    assert (await anonymous.get("/docs/openedx/assets/swagger-ui.css")).status_code == 200


async def test_without_documents(url: Any, home: Any) -> None:
    async with serving(create_app(Settings(docs=False), url, home)) as client:
        for path in ("/docs/openedx", "/api/cohorts/openapi.json"):
            assert (await client.get(path)).status_code == 404


async def test_the_document_behind_a_gateway(app: FastAPI) -> None:
    async def prefixed(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "root_path": "/groups", "path": "/groups" + scope["path"]}
        await app(scope, receive, send)

    async with app.router.lifespan_context(app) as state:

        async def started(scope: Any, receive: Any, send: Any) -> None:
            await prefixed({**scope, "state": dict(state or {})}, receive, send)

        transport = httpx.ASGITransport(app=started)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            document = (await client.get("/api/cohorts/openapi.json")).json()
            assert document["servers"] == [{"url": "/groups"}]
            refused = await client.get("/api/cohorts/v1/settings/course-v1:a+b+c")
            successor = "/groups/api/cohorts/v2/courses/course-v1%3Aa%2Bb%2Bc/cohort_settings/"
            assert refused.headers["link"] == f'<{successor}>; rel="successor-version"'
            assert refused.status_code == 401
            login = await client.get("/courses/course-v1:a+b+c/cohorts/")
            back = "/groups/courses/course-v1%3Aa%2Bb%2Bc/cohorts/"
            assert login.headers["location"] == f"/login?next={back}"
            problem = (await client.get("/api/cohorts/v2/courses/course-v1:a+b+c/cohorts/")).json()
            assert problem["instance"] == "/api/cohorts/v2/courses/course-v1:a+b+c/cohorts/"


async def test_a_database_that_is_away(home: Any, auth: Auth, course: Course) -> None:
    app = create_app(Settings(), make_url("postgresql+asyncpg://x@127.0.0.1:9/x"), home)
    async with serving(app) as client:
        client.headers.update(auth("groups:write"))
        message = "Service temporarily unavailable, try again later."
        for path in (course.cohorts, course.settings):
            answer = await client.get(path)
            assert told(answer) == (503, envelope(message))
            assert answer.headers["retry-after"] == "1"
        problem = await client.get(f"{course.v2}/cohorts/")
        assert (problem.status_code, problem.json()["detail"]) == (503, message)
        assert (await client.get(f"{course.legacy}/")).status_code == 503


async def test_a_bug_is_told_in_this_shape(broken_app: FastAPI, auth: Auth, course: Course) -> None:
    async with serving(broken_app) as client:
        client.headers.update(auth("groups:write"))
        answer = await client.get(course.cohorts)
        assert told(answer) == (500, envelope("Internal server error."))
        assert (await client.get(f"{course.legacy}/")).status_code == 500
