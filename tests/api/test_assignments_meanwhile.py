"""Many assignments, whose users others assign between the planning and the writing."""

import asyncio

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import SQL, World
from tests.locks import until_it_waits

INSERT = (
    "INSERT INTO memberships (course_id, partition_id, user_id, group_id) VALUES (:c, :p, :u, :g)"
)
MOVE = "UPDATE memberships SET group_id = :g WHERE partition_id = :p AND user_id = :u"
DELETE = "DELETE FROM memberships WHERE partition_id = :p AND user_id = :u AND group_id <> :g"


@pytest.mark.parametrize(
    ("before", "meanwhile", "wanted", "told"),
    [
        (None, INSERT, "A", ("moved", "B")),
        ("A", MOVE, None, ("removed", "B")),
        (None, INSERT, "B", ("unchanged", "B")),
        ("A", DELETE, None, ("unchanged", None)),
    ],
    ids=["moved", "removed", "there already", "gone already"],
)
async def test_many_assignments_tell_what_others_did_while_they_were_planned(
    client: httpx.AsyncClient,
    sql: SQL,
    engine: AsyncEngine,
    world: World,
    before: str | None,
    meanwhile: str,
    wanted: str | None,
    told: tuple[str, str | None],
) -> None:
    partition = await world.add_partition()
    groups = {name: await world.add_group(partition, name) for name in "AB"}
    user, ids = world.users[0], {**groups, None: None}
    if before is not None:
        await client.put(f"/v1/groups/{groups[before]}/members/{user}")
    async with engine.connect() as other:
        await other.execution_options(isolation_level="READ COMMITTED")
        values = {"c": world.course_id, "p": partition, "u": user, "g": groups["B"]}
        await other.execute(text(meanwhile), values)
        request = asyncio.create_task(
            client.post(
                f"/v1/partitions/{partition}/assignments",
                json={"rows": [{"user_id": user, "group_id": ids[wanted]}]},
            )
        )
        await until_it_waits(sql, request)
        await other.commit()
    (row,) = (await request).json()["rows"]
    assert (row["result"], row["previous_group_id"]) == (told[0], ids[told[1]])
