"""Rows that take the name of something whose own row, by its key, comes in a later batch."""

import csv
import io
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.tables import CSV, table
from tests.conftest import World

Given = list[dict[str, str]]


@pytest.fixture(autouse=True, params=[1, 2, 1000])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", request.param)


async def exported(client: httpx.AsyncClient, kind: str, world: World) -> Given:
    answer = await client.get(f"/v1/export/{kind}", params={"course_id": world.course_id})
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def imported(client: httpx.AsyncClient, kind: str, given: Given) -> list[Any]:
    content = table(list(given[0]), *(row.values() for row in given))
    results: list[Any] = []
    for dry_run in (True, False):
        answer = await client.post(
            f"/v1/import/{kind}", content=content, headers=CSV, params={"dry_run": dry_run}
        )
        told = sorted(answer.json()["rows"], key=lambda row: row["line"])
        results.append([(row["result"], row["code"]) for row in told])
    assert results[0] == results[1]
    return results[1]


async def people(world: World) -> dict[int, tuple[str, str | None, str]]:
    found = await world.sql(
        "SELECT u.id, u.username, u.email, u.family_name FROM users u"
        " JOIN departments d ON d.id = u.department_id WHERE d.acronym = :name",
        name=world.department,
    )
    return {user: (name, email, family) for user, name, email, family in found}


@pytest.fixture
async def roster(client: httpx.AsyncClient, world: World) -> Given:
    """The users of the world, each with an address and a family name."""
    await world.sql(
        "UPDATE users SET email = username || '@x', family_name = 'Old', department_id = :home"
        " WHERE id = ANY (:ids)",
        ids=world.users,
        home=world.department_id,
    )
    return await exported(client, "roster", world)


async def test_a_new_person_gets_the_name_that_somebody_gives_away_later(
    client: httpx.AsyncClient, world: World, roster: Given
) -> None:
    ada, *others = roster
    name = ada["username"]
    new = {**ada, "key": str(uuid4()), "email": f"{name}@new", "family_name": "New"}
    renamed = {**ada, "username": f"{name}-2"}
    assert await imported(client, "roster", [new, *others, renamed]) == [
        ("created", None),
        *[("unchanged", None)] * len(others),
        ("updated", "renamed"),
    ]
    found = await people(world)
    assert found.pop(world.users[0]) == (f"{name}-2", f"{name}@x", "Old")
    assert (name, f"{name}@new", "New") in found.values()
    assert len(found) == len(world.users)


async def test_a_new_person_does_not_get_a_name_that_somebody_keeps(
    client: httpx.AsyncClient, world: World, roster: Given
) -> None:
    ada, *others = roster
    new = {**ada, "key": str(uuid4()), "email": "", "family_name": "New"}
    before = await people(world)
    assert await imported(client, "roster", [new, *others, ada]) == [
        ("refused", "name_taken"),
        *[("unchanged", None)] * len(roster),
    ]
    assert await people(world) == before


async def test_a_person_without_a_username_is_nobody_who_has_a_key_of_their_own(
    client: httpx.AsyncClient, world: World, roster: Given
) -> None:
    ada, *others = roster
    new = {**ada, "key": str(uuid4()), "username": "", "family_name": "New"}
    before = await people(world)
    assert await imported(client, "roster", [new, *others, ada]) == [
        ("refused", "unknown_user"),
        *[("unchanged", None)] * len(roster),
    ]
    assert await people(world) == before


@pytest.mark.parametrize("first", [True, False])
async def test_a_row_without_a_key_may_mean_two_where_a_name_is_given_away(
    client: httpx.AsyncClient, world: World, roster: Given, first: bool
) -> None:
    ada, *others = roster
    name = ada["username"]
    new = {**ada, "key": "", "email": f"{name}@new", "family_name": "New"}
    renamed = {**ada, "username": f"{name}-2"}
    expected = [("updated", "renamed"), ("refused", "ambiguous_user")]
    ends = (new, renamed) if first else (renamed, new)
    assert await imported(client, "roster", [ends[0], *others, ends[1]]) == [
        expected[first],
        *[("unchanged", None)] * len(others),
        expected[not first],
    ]
    assert (await people(world))[world.users[0]] == (f"{name}-2", f"{name}@x", "Old")


async def test_a_new_course_gets_the_key_that_another_one_gives_away_later(
    client: httpx.AsyncClient, make_world: Any
) -> None:
    worlds = [await make_world(0) for _ in range(3)]
    one, two, three = [
        row for world in worlds for row in await exported(client, "courses", world)
        if row["course_key"]
    ]  # fmt: skip
    new = {**one, "key": str(uuid4()), "title": "New"}
    renamed = {**one, "course_key": f"{one['course_key']}-2"}
    assert await imported(client, "courses", [new, two, three, renamed]) == [
        ("created", None),
        ("unchanged", None),
        ("unchanged", None),
        ("updated", "renamed"),
    ]
    (stored,) = await worlds[0].sql(
        "SELECT key, title FROM courses WHERE id = :id", id=worlds[0].course_id
    )
    assert stored == (renamed["course_key"], one["title"])


@pytest.mark.parametrize("column", ["group", "partition"])
async def test_a_new_group_gets_the_name_that_another_one_gives_away_later(
    client: httpx.AsyncClient, world: World, column: str
) -> None:
    groups: list[int] = []
    for place, partition in enumerate(("TD", "TP", "CM"), start=1):
        made = await world.add_partition(partition, position=place)
        groups.append(await world.add_group(made, "A", position=1, capacity=5))
    given = await exported(client, "structure", world)
    for row in given:
        row |= {"position": "", "group_position": ""}
    one, two, three = given
    new = {**one, "key": str(uuid4()), "capacity": "7"}
    renamed = {**one, column: "New name"}
    if column == "partition":
        new["partition_key"] = str(uuid4())
    assert await imported(client, "structure", [new, two, three, renamed]) == [
        ("created", None),
        ("unchanged", None),
        ("unchanged", None),
        ("updated", "renamed"),
    ]
    stored = await world.sql(
        "SELECT p.name, g.name, g.capacity FROM groups g JOIN partitions p ON p.id = g.partition_id"
        " WHERE g.id = :id",
        id=groups[0],
    )
    assert stored == [(renamed["partition"], renamed["group"], 5)]
