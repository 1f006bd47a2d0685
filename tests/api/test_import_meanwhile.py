"""Imports of assignments, whose users others assign between the planning and the writing."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.tables import CSV, table
from tests.api.test_assignments_meanwhile import DELETE, INSERT, MOVE
from tests.conftest import SQL, World
from tests.locks import until_it_waits

HEADER = ("course_key", "user", "partition", "group", "action")


@pytest.mark.parametrize(
    ("before", "meanwhile", "rows", "told", "after"),
    [
        (None, INSERT, ["A"], ["moved"], "A"),
        (None, INSERT, ["B"], ["unchanged"], "B"),
        ("A", MOVE, [None], ["removed"], None),
        ("A", DELETE, [None], ["unchanged"], None),
        ("A", DELETE, ["C"], ["assigned"], "C"),
        (None, INSERT, ["B", "C"], ["unchanged", "moved"], "C"),
        ("A", MOVE, ["B", None, "B"], ["unchanged", "removed", "assigned"], "B"),
        ("A", MOVE, ["-A"], ["unchanged"], "B"),
    ],
    ids=["moved", "there", "removed", "gone", "new", "two rows", "three rows", "from another"],
)
async def test_an_import_tells_what_others_did_while_it_was_planned(
    client: httpx.AsyncClient,
    sql: SQL,
    engine: AsyncEngine,
    world: World,
    before: str | None,
    meanwhile: str,
    rows: list[str | None],
    told: list[str],
    after: str | None,
) -> None:
    partition = await world.add_partition("TD")
    other_partition = await world.add_partition("TP", position=2)
    groups = {name: await world.add_group(partition, name) for name in "ABC"}
    await world.add_group(other_partition, "A")
    user, (name,) = world.users[0], await _names(sql, world.users[0])
    if before is not None:
        await client.put(f"/v1/groups/{groups[before]}/members/{user}")
    wanted = [_cells(group or "-") for group in rows]
    places = [("TP", "A", ""), *(("TD", *each) for each in wanted)]
    given = [(world.course, name, *place) for place in places]
    async with engine.connect() as other:
        await other.execution_options(isolation_level="READ COMMITTED")
        values = {"c": world.course_id, "p": partition, "u": user, "g": groups["B"]}
        await other.execute(text(meanwhile), values)
        request = asyncio.create_task(
            client.post("/v1/import/assignments", content=table(HEADER, *given), headers=CSV)
        )
        await until_it_waits(sql, request)
        await other.commit()
    body = (await request).json()
    assert [row["result"] for row in body["rows"]] == ["assigned", *told]
    assert sum(body["counts"].values()) == len(given)
    found = await sql(
        "SELECT g.name FROM memberships m JOIN groups g ON g.id = m.group_id"
        " WHERE m.user_id = :user AND m.partition_id = :partition",
        user=user,
        partition=partition,
    )
    assert [each for (each,) in found] == [each for each in (after,) if each is not None]


def _cells(group: str) -> tuple[str, str]:
    """The group, and whether they are to be taken out of it."""
    return group.removeprefix("-"), "remove" if group.startswith("-") else ""


async def _names(sql: SQL, user: int) -> list[Any]:
    found = await sql("SELECT username FROM users WHERE id = :id", id=user)
    return [name for (name,) in found]
