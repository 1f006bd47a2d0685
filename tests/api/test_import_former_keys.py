"""Keys that courses had before, which older files still use."""

import csv
import io
import json
from typing import Any

import httpx
import pytest

from tests.api.tables import rows, table, upload
from tests.conftest import MakeWorld, World
from tests.rostering import archive, bundle


async def exported(client: httpx.AsyncClient, world: World) -> dict[str, str]:
    answer = await client.get("/v1/export/courses", params={"course_id": world.course_id})
    found = csv.DictReader(io.StringIO(answer.text, newline=""))
    (row,) = (row for row in found if row["course_key"])
    return row


async def rename(client: httpx.AsyncClient, world: World, key: str) -> dict[str, str]:
    """Give a course another key, as an import does; returns its row from before."""
    before = await exported(client, world)
    row = {**before, "course_key": key, "former_keys": ""}
    found = await rows(client, "courses", tuple(row), tuple(row.values()))
    assert found[0][1:3] == ("updated", "renamed")
    world.course = key
    return before


def said(text: str) -> tuple[str, str]:
    return "former_name", f"a former name of {text}"


async def test_an_older_file_means_the_course_that_had_the_key(
    client: httpx.AsyncClient, world: World
) -> None:
    old, new = world.course, f"{world.course}-new"
    await world.add_group(await world.add_partition("TD"), "A")
    ((user,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    await rename(client, world, new)
    for key in (old, old.upper()):
        for kind, header, row, result in (
            ("courses", ("department", "course_key", "title"), (world.department, key, "T"), None),
            ("roster", ("username", "course_key"), (user, key), "unchanged"),
            ("structure", ("course_key", "partition", "group"), (key, "TD", "A"), "unchanged"),
            ("assignments", ("course_key", "user", "partition", "group"), (key, user, "TD", "A"),
             "assigned" if key == old else "unchanged"),
            ("roles", ("user", "role", "course_key"), (user, "moderator", key),
             "assigned" if key == old else "unchanged"),
        ):  # fmt: skip
            found = await rows(client, kind, header, row)
            result = result or ("updated" if key == old else "unchanged")
            assert found == [(2, result, *said(new))], (kind, key)
    stored = await world.sql(
        "SELECT c.key, c.title, (SELECT count(*) FROM roles r WHERE r.course_id = c.id)"
        " FROM courses c JOIN departments d ON d.id = c.department_id WHERE d.acronym = :name",
        name=world.department,
    )
    assert stored == [(new, "T", 1)]


async def test_a_former_key_that_another_course_has_now_means_that_one(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    one, other = await make_world(0), await make_world(0)
    old = one.course
    await rename(client, one, f"{old}-new")
    header = ("department", "course_key", "title")
    created = await rows(client, "courses", header, (other.department, old, "T"), accept="stale")
    assert created == [(2, "created", None, None)]
    note = ("reused_name", f"{old}-new was called so before")
    found = await rows(client, "courses", header, (other.department, old, "T"))
    assert found == [(2, "unchanged", *note)]
    found = await rows(client, "structure", ("course_key", "partition"), (old, "TD"))
    assert found == [(2, "created", *note)]
    found = await rows(client, "structure", ("course_key", "partition"), (f"{old}-new", "TD"))
    assert found == [(2, "created", None, None)]


async def test_a_key_that_comes_back_is_no_former_one(
    client: httpx.AsyncClient, world: World
) -> None:
    old = world.course
    await rename(client, world, f"{old}-new")
    assert json.loads((await exported(client, world))["former_keys"]) == [old]
    await rename(client, world, old)
    assert json.loads((await exported(client, world))["former_keys"]) == [f"{old}-new"]


async def test_keys_that_were_swapped_are_remembered_and_nothing_else(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    worlds = [await make_world(0) for _ in range(2)]
    given = [await exported(client, world) for world in worlds]
    keys = [row["course_key"] for row in given]
    swapped = [{**row, "course_key": key} for row, key in zip(given, keys[::-1], strict=True)]
    content = table(list(given[0]), *(row.values() for row in swapped))
    answer = await upload(client, "courses", content)
    assert answer.json()["counts"] == {"updated": 2}
    found = [json.loads((await exported(client, world))["former_keys"]) for world in worlds]
    assert found == [[key] for key in keys]


async def test_former_keys_go_out_and_come_back(client: httpx.AsyncClient, world: World) -> None:
    before = await exported(client, world)
    row = before | {"former_keys": json.dumps([f"{world.course}-b", f"{world.course}-a"])}
    content = table(list(row), row.values())
    for dry_run, result in ((True, "updated"), (False, "updated"), (False, "unchanged")):
        answer = await upload(client, "courses", content, dry_run=dry_run)
        assert answer.json()["counts"] == {result: 1}
    expected = before | {"former_keys": json.dumps([f"{world.course}-a", f"{world.course}-b"])}
    assert await exported(client, world) == expected
    found = await rows(
        client, "structure", ("course_key", "partition"), (f"{world.course}-a", "TD")
    )
    assert found == [(2, "created", *said(world.course))]


@pytest.mark.parametrize("change", ["", "other case"])
async def test_a_class_keeps_its_id_where_the_course_has_another_key(
    client: httpx.AsyncClient, world: World, change: str
) -> None:
    school = world.department.lower()
    content = archive(bundle("1.2", students=1, school=school))
    headers = {"content-type": "application/zip"}

    async def courses() -> list[Any]:
        answer = await client.post("/v1/import/courses", content=content, headers=headers)
        found = [row for row in answer.json()["rows"] if row["file"] == "classes.csv"]
        return [(row["result"], row["code"]) for row in found]

    assert await courses() == [("created", None)] * 2
    key = f"{school}-c1"
    await world.sql("UPDATE courses SET key = key || '-renamed' WHERE key = :key", key=key)
    if change:
        await world.sql("UPDATE former_course_keys SET key = upper(key) WHERE key = :key", key=key)
    expected = ("created", None) if change else ("unchanged", "former_name")
    assert await courses() == [expected, ("unchanged", None)]
