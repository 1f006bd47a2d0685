"""Changesets, undone; and all that an observer sees of a course."""

from collections.abc import Mapping
from typing import Any

import httpx

from tests.conftest import World

TABLES = ("structure", "assignments", "preassignments", "content_groups", "roster")


async def changeset_of(client: httpx.AsyncClient, world: World) -> str:
    """The last one of the course."""
    answer = await client.get("/v1/changes", params={"course_id": world.course_id, "limit": 1})
    return answer.json()["items"][0]["changeset_id"]


async def lines_of(client: httpx.AsyncClient, changeset: str) -> list[dict[str, Any]]:
    """Oldest first."""
    answer = await client.get("/v1/changes", params={"changeset_id": changeset, "limit": 200})
    return answer.json()["items"][::-1]


async def undo(
    client: httpx.AsyncClient,
    changeset: str,
    *,
    dry_run: bool = False,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    query = {"dry_run": "true"} if dry_run else {}
    path = f"/v1/changesets/{changeset}/undo"
    return await client.post(path, params=query, headers=headers)


async def everything(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    """All tables of the course as they go out, the board with its ids, and settings."""
    query = {"course_id": world.course_id}
    found = {}
    for table in TABLES:
        answer = await client.get(f"/v1/export/{table}", params=query)
        assert answer.status_code == 200, answer.text
        found[table] = answer.text
    for page in ("board", "cohort-settings"):
        answer = await client.get(f"/v1/courses/{world.course_id}/{page}")
        assert answer.status_code == 200, answer.text
        found[page] = answer.text
    return found
