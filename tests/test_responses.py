"""Answers are bytes that PostgreSQL has built: here they are held against the schemas."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.tour import TOUR, set_stage


def operations(app: FastAPI) -> dict[str, APIRoute]:
    return {
        route.operation_id: route
        for route in app.routes
        if isinstance(route, APIRoute) and route.operation_id and route.path.startswith("/v1/")
    }


def route_of(app: FastAPI, request: httpx.Request) -> APIRoute:
    for route in operations(app).values():
        if request.method in route.methods and route.path_regex.match(request.url.path):
            return route
    raise AssertionError(f"no operation is at {request.url.path}")


def hold_against_schema(route: APIRoute, answer: httpx.Response) -> None:
    """The answer has every member of the schema, of its very type, and no other member."""
    model = route.responses.get(answer.status_code, {}).get("model", route.response_model)
    if model is None:
        kinds = ("text/csv", "text/event-stream")
        assert answer.content == b"" or answer.headers["content-type"].startswith(kinds)
        return
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    read = adapter.validate_json(answer.content, strict=True)
    assert adapter.dump_python(read, exclude_unset=True) == adapter.dump_python(read)


@pytest_asyncio.fixture(scope="module")
async def watched(app: FastAPI, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """A client who holds each answer against the schema of its route."""

    async def check(answer: httpx.Response) -> None:
        await answer.aread()
        if answer.is_success:
            hold_against_schema(route_of(app, answer.request), answer)

    async with serving(app) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        client.event_hooks = {"response": [check]}
        yield client


def test_the_tour_leaves_no_operation_out(app: FastAPI) -> None:
    assert set(TOUR) == set(operations(app))


@pytest.mark.parametrize("name", TOUR)
async def test_an_answer_is_what_its_schema_says(
    watched: httpx.AsyncClient, app: FastAPI, sql: SQL, name: str
) -> None:
    visit = TOUR[name]
    answer = await visit.go(watched, await set_stage(sql))
    assert (answer.status_code, answer.text) == (visit.status, answer.text)
    assert route_of(app, answer.request).operation_id == name


LINK = {"content_partition_id": 50, "content_group_id": 1}
NOBODY = {"user": "nobody", "group": "G001"}

VARIANTS = {
    "members then": "/v1/groups/{group}/members?as_of={now}",
    "groups then": "/v1/courses/{course}/users/{member}/groups?as_of={now}",
    "a page of members": "/v1/groups/{group}/members?limit=1",
    "a page of changes": "/v1/changes?course_id={course}&limit=1",
    "lines outside every course": "/v1/changes?kind=account.created",
    "a board of counts": "/v1/courses/{course}/board?members=false",
    "the default partition": "/v1/partitions/{default}",
    "the default group": "/v1/groups/{default_group}",
    "everybody": "/v1/groups/{default_group}/members",
    "everybody then": "/v1/groups/{default_group}/members?as_of={now}",
    "a cohort": "/v1/groups/{cohort}",
    "a cohort with strangers": "/v1/groups/{cohort}/members",
    "the groups of a stranger": "/v1/users/{stranger}/groups",
    "a board with strangers": "/v1/courses/{course}/board",
    "someone without anything": "/v1/users/{stranger}",
    "an enrollment with a track": "/v1/courses/{course}/enrollments/{member}",
}


@pytest_asyncio.fixture(scope="module")
async def names(watched: httpx.AsyncClient, sql: SQL) -> dict[str, Any]:
    """A stage with one of everything that is null elsewhere."""
    stage = await set_stage(sql)
    course = f"/v1/courses/{stage.course}"
    ((default, default_group),) = await sql(
        "SELECT partition_id, id FROM groups WHERE course_id = :id AND name IS NULL",
        id=stage.course,
    )
    ((stranger,),) = await sql(
        "INSERT INTO users (username, sort_key) VALUES (:name, :name) RETURNING id",
        name=f"stranger-{stage.department}",
    )
    await watched.put(f"{course}/tracks", json={"codes": ["A"]})
    await watched.put(
        f"{course}/enrollments/{stage.member}", json={"state": "active", "track": "A"}
    )
    arrival = await watched.post(f"{course}/cohort-assignments", json={"user_id": stranger})
    cohort = arrival.json()["group_id"]
    await watched.patch(f"/v1/groups/{cohort}", json={"content_link": LINK, "timetable_id": "x"})
    return {
        **vars(stage),
        "now": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "default": default,
        "default_group": default_group,
        "stranger": stranger,
        "cohort": cohort,
    }


@pytest.mark.parametrize("variant", VARIANTS)
async def test_so_is_an_answer_about_what_is_rare(
    watched: httpx.AsyncClient, names: dict[str, Any], variant: str
) -> None:
    answer = await watched.get(VARIANTS[variant].format(**names))
    assert (answer.status_code, answer.text) == (200, answer.text)


@pytest.mark.parametrize("mode", ["all_or_nothing", "row_by_row"])
async def test_so_is_an_answer_to_rows_that_are_refused(
    watched: httpx.AsyncClient, sql: SQL, mode: str
) -> None:
    stage = await set_stage(sql)
    path = f"/v1/partitions/{stage.partition}/assignments"
    answer = await watched.post(path, json={"rows": [NOBODY], "mode": mode})
    assert (answer.status_code, answer.json()["counts"]) == (200, {"refused": 1})


@pytest.mark.parametrize("name", ["put_course", "put_user", "put_department", "put_account"])
async def test_so_is_the_answer_to_a_second_declaration(
    watched: httpx.AsyncClient, sql: SQL, name: str
) -> None:
    stage = await set_stage(sql)
    visit = TOUR[name]
    await visit.go(watched, stage)
    again = await visit.go(watched, stage)
    assert again.status_code == 200


def test_a_schema_finds_what_is_wrong(app: FastAPI) -> None:
    route = operations(app)["get_course"]
    good = {"id": 1, "key": "k", "department": "d", "title": "t", "is_locked": False}
    hold_against_schema(route, httpx.Response(200, json=good))
    for wrong in ({**good, "more": 1}, {**good, "id": "1"}, {**good, "is_locked": 0}, {}):
        with pytest.raises(ValueError, match="validation error"):
            hold_against_schema(route, httpx.Response(200, json=wrong))
