"""(a) The limit: Starlette and asyncpg, one statement a request, its JSON sent as it comes.

No authentication, no log, no refusals told apart: what cannot be taken away.
"""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.contenders import bare_sql

Endpoint = Callable[[Request], Awaitable[Response]]

connections: asyncio.LifoQueue[asyncpg.Connection] = asyncio.LifoQueue()


async def fetch(statement: str, *arguments: Any) -> Response:
    connection = await connections.get()
    try:
        body = await connection.fetchval(statement, *arguments)
    finally:
        connections.put_nowait(connection)
    return Response(body or "{}", 200 if body else 404, media_type="application/json")


def telling(statement: str, *names: str) -> Endpoint:
    """What a statement answers, given what the path has."""

    async def endpoint(request: Request) -> Response:
        path = request.path_params
        return await fetch(statement, *(path[name] for name in names))

    return endpoint


async def members(request: Request) -> Response:
    query = request.query_params
    cursor = query.get("cursor", "WzBd")
    (after,) = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    limit = int(query.get("limit", 50))
    connection = await connections.get()
    try:
        group = request.path_params["group"]
        row = await connection.fetchrow(bare_sql.MEMBERS, group, after, limit)
    finally:
        connections.put_nowait(connection)
    items, last = row["items"], "null"
    if row["has_more"]:
        key = base64.urlsafe_b64encode(f"[{row['last_id']}]".encode()).decode()
        last = f'"{key.rstrip("=")}"'
    body = f'{{"items":[{items}],"next_cursor":{last}}}'
    return Response(body, media_type="application/json")


async def assign_many(request: Request) -> Response:
    rows = json.loads(await request.body())["rows"]
    users, groups = [row["user_id"] for row in rows], [row["group_id"] for row in rows]
    return await fetch(bare_sql.ASSIGN_MANY, request.path_params["id"], users, groups)


async def add_users(request: Request) -> Response:
    path, names = request.path_params, json.loads(await request.body())["users"]
    return await fetch(bare_sql.ADD_USERS, path["key"], path["cohort"], names)


async def arrive(request: Request) -> Response:
    user_id = json.loads(await request.body())["user_id"]
    return await fetch(bare_sql.ARRIVE, request.path_params["id"], user_id)


@contextlib.asynccontextmanager
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    settings = {"timezone": "UTC", "statement_timeout": "120s"}
    for _ in range(8):
        connections.put_nowait(
            await asyncpg.connect(os.environ["BENCHMARK_URL"], server_settings=settings)
        )
    yield
    while not connections.empty():
        await connections.get_nowait().close()


COHORTS = "/api/cohorts/v1/courses/{key}/cohorts/"
app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/v1/partitions/{id:int}", telling(bare_sql.PARTITION_READ, "id")),
        Route("/v1/courses/{id:int}/partitions", telling(bare_sql.IN_COURSE, "id")),
        Route("/v1/courses/{id:int}/board", telling(bare_sql.BOARD, "id")),
        Route("/v1/groups/{group:int}/members", members),
        Route(
            "/v1/courses/{course:int}/users/{user:int}/groups",
            telling(bare_sql.OF_USER_IN_COURSE, "user", "course"),
        ),
        Route("/v1/users/{user:int}/groups", telling(bare_sql.OF_USER, "user")),
        Route(
            "/v1/groups/{group:int}/members/{user:int}",
            telling(bare_sql.ASSIGN_MEMBER, "group", "user"),
            methods=["PUT"],
        ),
        Route("/v1/partitions/{id:int}/assignments", assign_many, methods=["POST"]),
        Route("/v1/courses/{id:int}/cohort-assignments", arrive, methods=["POST"]),
        Route(
            "/ScoDoc/api/formsemestre/{id:int}/partitions",
            telling(bare_sql.SCODOC_PARTITIONS, "id"),
        ),
        Route(
            "/ScoDoc/api/group/{group:int}/set_etudiant/{user:int}",
            telling(bare_sql.SET_ETUDIANT, "group", "user"),
            methods=["POST"],
        ),
        Route(COHORTS, telling(bare_sql.COHORTS, "key")),
        Route(COHORTS + "{cohort:int}/users/", add_users, methods=["POST"]),
    ],
)
