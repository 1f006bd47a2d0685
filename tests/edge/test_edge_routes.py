"""What is documented and done for a native route follows from what it declares."""

from typing import Any

import httpx
import pytest
from fastapi import Depends
from fastapi.routing import APIRoute
from pydantic import BaseModel

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Resource
from groupsvc.faces.v1.routing import Options, Routes
from groupsvc.http.idempotency import IDEMPOTENT
from groupsvc.http.routing import BulkTransactionalRoute, Public, Requires, TransactionalRoute


class Thing(BaseModel):
    id: int


async def read() -> Resource:
    raise NotImplementedError


async def write(body: Thing) -> Resource:
    raise NotImplementedError


async def declare(body: Thing, expected: IfMatchDep) -> Declared:
    raise NotImplementedError


async def remove() -> None: ...


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "options", "statuses"),
    [
        ("get", "/x", read, {}, {200, 304, 401, 403, 429, 503}),
        ("get", "/x", read, {"permission": None}, {200, 304, 401, 429, 503}),
        ("get", "/x", read, {"permission": None, "errors": (403,)}, {200, 304, 401, 403, 429, 503}),
        ("get", "/x/{x_id}", read, {}, {200, 304, 401, 403, 404, 414, 429, 503}),
        ("post", "/x", write, {}, {200, 400, 401, 403, 409, 413, 415, 429, 503}),
        ("post", "/x", write, {"bulk": True}, {200, 400, 401, 403, 409, 413, 415, 429, 503}),
        ("put", "/x", declare, {}, {200, 201, 400, 401, 403, 409, 412, 413, 415, 429, 503}),
        (
            "put",
            "/x",
            declare,
            {"never": (409,)},
            {200, 201, 400, 401, 403, 412, 413, 415, 429, 503},
        ),
        ("delete", "/x/{x_id}", remove, {}, {204, 401, 403, 404, 409, 414, 429, 503}),
    ],
)
def test_refusals_follow_from_the_declaration(
    method: str, path: str, endpoint: Any, options: Options, statuses: set[int]
) -> None:
    routes = Routes("things")
    model = None if method == "delete" else Thing
    getattr(routes, method)(path, "A thing", model, **options)(endpoint)
    (route,) = routes.router.routes
    assert isinstance(route, APIRoute)
    assert set(route.responses) == statuses
    assert (route.operation_id, route.path) == (endpoint.__name__, f"/v1{path}")
    assert isinstance(route, BulkTransactionalRoute) is options.get("bulk", False)


@pytest.mark.parametrize(
    ("method", "options", "permission"),
    [
        ("get", {}, Permission.GROUPS_READ),
        ("delete", {}, Permission.GROUPS_WRITE),
        ("get", {"permission": Permission.ADMIN}, Permission.ADMIN),
        ("delete", {"permission": None}, None),
    ],
)
def test_nothing_is_open_that_does_not_say_so(
    method: str, options: Options, permission: Permission | None
) -> None:
    routes = Routes("things")
    getattr(routes, method)("/x", "A thing", **options)(remove)
    (route,) = routes.router.routes
    assert isinstance(route, APIRoute)
    (access,) = (
        each.call for each in route.dependant.dependencies if isinstance(each.call, Requires)
    )
    assert access.permission is permission


def test_a_route_that_declares_no_callers_is_none() -> None:
    with pytest.raises(TypeError, match="the route declares no permission"):
        TransactionalRoute("/x", remove)


def test_answers_for_anybody_are_never_kept_under_a_key() -> None:
    with pytest.raises(TypeError, match="never stored under an idempotency key"):
        TransactionalRoute("/x", remove, dependencies=[Depends(Public()), IDEMPOTENT])


@pytest.mark.parametrize("path", ["/health/live", "/docs", "/openapi.json", "/v1/departments"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    names = ("content-type", "content-length", "etag", "allow")
    assert [head.headers.get(name) for name in names] == [got.headers.get(name) for name in names]


async def test_head_where_there_is_no_get(client: httpx.AsyncClient) -> None:
    head = await client.head("/v1/groups/1/members/1")
    assert (head.status_code, head.content) == (405, b"")
    assert head.headers["allow"] == "DELETE, PUT"
