"""The name that readers of tracks expect is that of no other partition, whatever brings it."""

import httpx
import pytest

from tests.api.tables import CSV, all_of, answered, rows
from tests.conftest import World

NAME = "Parcours"
RESERVED = ("refused", "reserved_name", "this name is kept for the tracks")
KEEPS_ITS_NAME = "this partition keeps its name"


async def partitions(world: World) -> list[tuple[str, str]]:
    found = await world.sql(
        "SELECT name, kind FROM partitions WHERE course_id = :id AND kind <> 'default'"
        " ORDER BY position, id",
        id=world.course_id,
    )
    return [tuple(row) for row in found]


async def keys(client: httpx.AsyncClient, world: World) -> list[str]:
    """The keys of the partitions of a course, in their order."""
    answer = await client.get("/v1/export/structure", params={"course_id": world.course_id})
    header, *lines = (line.split(",") for line in answer.text.splitlines())
    return [line[header.index("partition_key")] for line in lines]


@pytest.mark.parametrize("name", [NAME, f" {NAME} "])
async def test_a_structure_creates_no_other_partition_of_the_name_of_the_tracks(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    answer = await client.post(f"/v1/courses/{world.course_id}/partitions", json={"name": name})
    assert (answer.status_code, answer.json()["code"]) == (409, "reserved_name")
    header = ("course_key", "partition", "kind", "group")
    given = [
        (world.course, name, "", ""),
        (world.course, name, "ordinary", "A"),
        (world.course, name, "cohorts", "A"),
        (world.course, name, "tracks", "A"),
    ]
    created = (5, "created", None, None)
    assert await rows(client, "structure", header, *given) == [
        *((line, *RESERVED) for line in (2, 3, 4)),
        created,
    ]
    assert await partitions(world) == [(NAME, "tracks")]
    again = (world.course, name, "", "A")
    assert await rows(client, "structure", header, again) == all_of("unchanged", 1)


async def test_a_structure_gives_no_other_partition_the_name_of_the_tracks(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("TD")
    await world.add_partition("TP", position=2)
    answer = await client.patch(f"/v1/partitions/{partition}", json={"name": NAME})
    assert (answer.status_code, answer.json()["code"]) == (409, "reserved_name")
    one, other = await keys(client, world)
    header = ("course_key", "partition", "partition_key")
    given = [(world.course, NAME, one), (world.course, "TD", other)]
    assert await rows(client, "structure", header, *given) == [
        (2, *RESERVED),
        (3, "refused", "name_taken", "a partition of the course has this name"),
    ]
    assert await partitions(world) == [("TD", "ordinary"), ("TP", "ordinary")]


@pytest.mark.parametrize("kind", ["tracks", "cohorts"])
async def test_a_special_partition_keeps_its_name(
    client: httpx.AsyncClient, world: World, kind: str
) -> None:
    partition = await world.add_partition("So far", kind, groups_editable=kind != "tracks")
    code = f"{kind}_partition"
    answer = await client.patch(f"/v1/partitions/{partition}", json={"name": "Other"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    (key,) = await keys(client, world)
    header = ("course_key", "partition", "partition_key")
    for name in ("Other", NAME):
        found = await rows(client, "structure", header, (world.course, name, key))
        assert found == [(2, "refused", code, KEEPS_ITS_NAME)]
    assert await partitions(world) == [("So far", kind)]


async def test_assignments_create_no_partition_of_the_name_of_the_tracks(
    client: httpx.AsyncClient, world: World
) -> None:
    ((user,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    header = ("course_key", "user", "partition", "group")
    given = [(world.course, user, NAME, "A"), (world.course, user, "TD", "A")]
    assert await rows(client, "assignments", header, *given, create=True) == [
        (2, *RESERVED),
        (3, "assigned", None, None),
    ]
    assert await partitions(world) == [("TD", "ordinary")]
    found = await rows(client, "assignments", header, given[0])
    assert found == [(2, "refused", "unknown_partition", "no such partition")]
    await client.put(f"/v1/courses/{world.course_id}/tracks", json={"codes": ["A"]})
    found = await rows(client, "assignments", header, given[0], create=True)
    assert found == [(2, "assigned", None, None)]


async def test_a_backup_with_such_a_name_comes_back_as_it_was(
    client: httpx.AsyncClient, world: World
) -> None:
    """It may be older than the rule."""
    await world.add_group(await world.add_partition(NAME))
    backup = await client.get("/v1/export/structure", params={"course_id": world.course_id})
    answer = await client.post("/v1/import/structure", content=backup.text, headers=CSV)
    assert answer.json() == answered("structure", (2, "unchanged"))
