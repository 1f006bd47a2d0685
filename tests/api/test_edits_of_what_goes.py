"""Edits that wait for a deletion find nothing when it is done: 404, and never an error."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import SQL, World
from tests.locks import until_it_waits

GONE = {
    "group": "DELETE FROM groups WHERE id = {group}",
    "partition": "DELETE FROM partitions WHERE id = {partition}",
    "user": "DELETE FROM users WHERE id = {user}",
    "course": "DELETE FROM courses WHERE id = {course}",
    "enrollment": "DELETE FROM enrollments WHERE course_id = {course} AND user_id = {user}",
}
COHORTS = "/api/cohorts/v1/courses/{key}/cohorts"
EDITS = [
    ("group", "PATCH", "/v1/groups/{group}", {"capacity": 3}),
    ("group", "PATCH", "/v1/groups/{group}", {"name": "New"}),
    ("group", "PATCH", "/v1/groups/{group}", {"name": "New", "assignment_type": "random"}),
    ("group", "DELETE", "/v1/groups/{group}", None),
    ("group", "POST", "/ScoDoc/api/group/{group}/edit", {"group_name": "N"}),
    ("group", "POST", "/ScoDoc/api/group/{group}/set_edt_id/E", None),
    ("group", "POST", "/ScoDoc/api/group/{group}/delete", None),
    ("partition", "PATCH", "/v1/partitions/{partition}", {"name": "New"}),
    ("partition", "POST", "/v1/partitions/{partition}/groups", {"name": "New"}),
    ("partition", "PUT", "/v1/partitions/{partition}/groups/order", {"ids": [1]}),
    ("partition", "DELETE", "/v1/partitions/{partition}", None),
    ("partition", "POST", "/ScoDoc/api/partition/{partition}/edit", {"bul_show_rank": True}),
    ("user", "PATCH", "/v1/users/{user}", {"given_name": "New"}),
    ("user", "DELETE", "/v1/users/{user}", None),
    ("user", "PUT", "/v1/users/{user}/roles", {"roles": ["staff"]}),
    ("course", "PUT", "/v1/courses/{course}/lock", None),
    ("course", "POST", "/v1/courses/{course}/partitions", {"name": "New"}),
    ("course", "PUT", "/v1/courses/{course}/team", {"members": []}),
    ("course", "PUT", "/v1/courses/{course}/cohort-settings", {"is_cohorted": True}),
    ("course", "PUT", "/v1/courses/{course}/enrollments/{user}", {"state": "active"}),
    ("enrollment", "PATCH", "/v1/courses/{course}/enrollments/{user}", {"state": "withdrawn"}),
    ("cohort", "PATCH", COHORTS + "/{cohort}", {"name": "New"}),
    ("cohort", "PATCH", "/v1/groups/{cohort}", {"name": "New"}),
]
GONE["cohort"] = "DELETE FROM groups WHERE id = {cohort}"


@pytest.mark.parametrize(
    ("what", "method", "path", "body"),
    EDITS,
    ids=[f"{n} {e[1]} {e[2]}" for n, e in enumerate(EDITS)],
)
async def test_an_edit_that_waits_for_a_deletion_finds_nothing(
    client: httpx.AsyncClient,
    engine: AsyncEngine,
    sql: SQL,
    world: World,
    what: str,
    method: str,
    path: str,
    body: dict[str, Any] | None,
) -> None:
    partition = await world.add_partition("TD")
    cohorts = await world.add_partition("Cohorts", "cohorts")
    names = {
        "course": world.course_id,
        "key": world.course,
        "user": world.users[0],
        "partition": partition,
        "group": await world.add_group(partition if what == "group" else cohorts, "A"),
        "cohort": await world.add_group(cohorts, "C", assignment_type="random"),
    }
    async with engine.connect() as other:
        await other.execution_options(isolation_level="READ COMMITTED")
        await other.exec_driver_sql(GONE[what].format(**names))
        request = asyncio.create_task(client.request(method, path.format(**names), json=body))
        await until_it_waits(sql, request)
        await other.commit()
    answer = await request
    assert answer.status_code in (404, 204), answer.text
