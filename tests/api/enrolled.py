"""Enrollments as the API shows them."""

from typing import Any

import httpx

from tests.api.refusals import problem
from tests.conftest import World

NO_COURSE = problem(404, "not_found", "no such course")


def address(world: World, user: int) -> str:
    return f"/v1/courses/{world.course_id}/enrollments/{user}"


async def shown(world: World, user: int, **known: Any) -> dict[str, Any]:
    ((username, family_name, given_name),) = await world.sql(
        "SELECT username, family_name, given_name FROM users WHERE id = :id", id=user
    )
    return {
        "course_id": world.course_id,
        "user_id": user,
        "username": username,
        "family_name": family_name,
        "given_name": given_name,
        "state": "active",
        "track": None,
        **known,
    }


async def add_tracks(client: httpx.AsyncClient, world: World, *codes: str) -> dict[str, int]:
    """Group ids by code."""
    answer = await client.put(f"/v1/courses/{world.course_id}/tracks", json={"codes": codes})
    assert answer.status_code == 200, answer.text
    return {group["name"]: group["id"] for group in answer.json()["groups"]}
