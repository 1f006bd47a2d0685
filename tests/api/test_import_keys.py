"""Rows that tell by the key of an export what they are about."""

import csv
import io
import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.tables import CSV, all_of, answered, rows, table, upload
from tests.conftest import Auth, MakeWorld, World

Rows = list[dict[str, str]]


async def exported(client: httpx.AsyncClient, kind: str, world: World) -> Rows:
    answer = await client.get(f"/v1/export/{kind}", params={"course_id": world.course_id})
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def imported(client: httpx.AsyncClient, kind: str, given: Rows, **query: Any) -> list[Any]:
    """Results, with what is said of them."""
    content = table(list(given[0]), *(row.values() for row in given))
    answer = (await upload(client, kind, content, **query)).json()
    told = sorted(answer["rows"], key=lambda row: row["line"])  # Those that waited come last.
    return [(row["result"], row["code"]) for row in told]


async def names(world: World, of: str = "groups") -> list[str]:
    found = await world.sql(
        f"SELECT name FROM {of} WHERE course_id = :id AND name IS NOT NULL ORDER BY position, id",
        id=world.course_id,
    )
    return [name for (name,) in found]


async def make_groups(world: World, *given: str) -> dict[str, int]:
    partition = await world.add_partition("TD")
    return {
        name: await world.add_group(partition, name, position=place)
        for place, name in enumerate(given, start=1)
    }


async def test_whatever_has_the_key_is_meant_and_gets_the_name_of_the_row(
    client: httpx.AsyncClient, world: World
) -> None:
    made = await make_groups(world, "TP 1", "TP 2")
    before = await exported(client, "structure", world)
    await client.patch(f"/v1/groups/{made['TP 1']}", json={"name": "TP Lundi"})
    assert await imported(client, "structure", before) == [
        ("updated", "renamed"),
        ("unchanged", None),
    ]
    assert await names(world) == ["TP 1", "TP 2"]
    for place, name in enumerate(("tp 2", "TP  2")):  # Alike, which names without a key are not.
        before[place]["group"] = name
    before[0]["partition"] = before[1]["partition"] = "TD Lundi"
    found = await imported(client, "structure", before)
    assert found == [("updated", "renamed"), ("updated", "renamed")]
    assert await names(world, "partitions") == ["TD Lundi"]
    assert await names(world) == ["tp 2", "TP  2"]
    ids = await world.sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NOT NULL ORDER BY position",
        id=world.course_id,
    )
    assert [group for (group,) in ids] == list(made.values())
    assert await imported(client, "structure", before) == [("unchanged", None)] * 2


async def test_names_are_swapped_at_once(client: httpx.AsyncClient, world: World) -> None:
    await make_groups(world, "A", "B", "C")
    await world.add_group(await world.add_partition("TP", position=2), "X")
    given = await exported(client, "structure", world)
    for row, name in zip(given, "BCA", strict=False):
        row["group"] = name
    for row in given:
        row["partition"] = {"TD": "TP", "TP": "TD"}[row["partition"]]
    assert await imported(client, "structure", given) == [("updated", "renamed")] * 4
    assert await names(world, "partitions") == ["TP", "TD"]
    assert await exported(client, "structure", world) == [
        {**row, "former_names": former, "partition_former_names": f'["{partition}"]'}
        for row, former, partition in zip(
            given, ('["A"]', '["B"]', '["C"]', ""), ("TD", "TD", "TD", "TP"), strict=True
        )
    ]


async def test_a_key_counts_where_its_record_is(
    client: httpx.AsyncClient, world: World, make_world: MakeWorld
) -> None:
    await make_groups(world, "A", "B")
    other = await make_world(0)
    given = await exported(client, "structure", world)
    copies = [{**row, "course_key": other.course} for row in given]
    assert await imported(client, "structure", copies) == [("created", None)] * 2
    found = await exported(client, "structure", other)
    assert [row["group"] for row in found] == ["A", "B"]
    keys = ("key", "partition_key")
    assert all(one[key] != two[key] for one, two in zip(found, given, strict=True) for key in keys)
    assert await imported(client, "structure", copies) == [("unchanged", None)] * 2
    for row in given:
        row["key"], row["partition_key"] = found[0]["key"], found[0]["partition_key"]
    assert await imported(client, "structure", given) == [("unchanged", None)] * 2
    assert await exported(client, "structure", other) == found


async def test_what_is_new_gets_the_key_and_what_is_named_keeps_its_own(
    client: httpx.AsyncClient, world: World
) -> None:
    made = await make_groups(world, "A")
    (stored,) = await exported(client, "structure", world)
    new = [{**stored, "key": str(uuid4()), "group": name} for name in ("A", "a", "B")]
    assert await imported(client, "structure", new) == [
        ("unchanged", None),
        ("created", None),
        ("created", None),
    ]
    found = {row["group"]: row["key"] for row in await exported(client, "structure", world)}
    assert found == {"A": stored["key"], "a": new[1]["key"], "B": new[2]["key"]}
    # Whose key is in the table is not meant by the row of another key.
    await client.patch(f"/v1/groups/{made['A']}", json={"name": "Z"})
    kept = [{**stored, "group": "Z"}, {**stored, "key": str(uuid4()), "group": "Z"}]
    assert await imported(client, "structure", kept) == [
        ("unchanged", None),
        ("refused", "name_taken"),
    ]
    given = [{**stored, "group": "Y"}, {**stored, "key": str(uuid4()), "group": "Z"}]
    assert await imported(client, "structure", given) == [
        ("updated", "renamed"),
        ("created", None),
    ]
    twice = [{**stored, "key": str(uuid4()), "group": name} for name in "QQ"]
    twice[1]["key"], twice[1]["group"] = twice[0]["key"], "R"
    assert await imported(client, "structure", twice) == [
        ("created", None),
        ("updated", "renamed"),
    ]
    assert set(await names(world)) == {"Y", "Z", "a", "B", "R"}


async def test_names_that_are_passed_on_are_judged_when_all_rows_are_in(
    client: httpx.AsyncClient, world: World
) -> None:
    await make_groups(world, "A", "B", "C", "D", "E")
    given = await exported(client, "structure", world)
    for row, name in zip(given, "BACED", strict=True):
        row["group"] = name
    given[2]["group"], missing = "D", given.pop()  # E stays, so that nobody gets its name.
    assert await imported(client, "structure", given, dry_run=True) == [
        ("updated", "renamed"),
        ("updated", "renamed"),
        ("refused", "name_taken"),
        ("refused", "name_taken"),
    ]
    await imported(client, "structure", given)
    assert await names(world) == ["B", "A", "C", "D", "E"]
    given[3]["group"] = missing["group"] = "D"
    assert await imported(client, "structure", [*given[3:], missing]) == [
        ("unchanged", None),
        ("refused", "name_taken"),
    ]


@pytest.mark.parametrize("batch", [1, 2, 1000])
async def test_persons_rotate_their_names_and_pass_them_on(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    given = await exported(client, "roster", world)
    before = [dict(row) for row in given]
    columns = ("username", "email")
    for row, other in zip(given[:3], (given[1], given[2], before[0]), strict=True):
        row |= {name: other[name] for name in columns}
    given[3] |= {"username": before[4]["username"], "email": ""}
    given[4] |= {"username": f"{before[4]['username']}-last"}
    again = await imported(client, "roster", given[:5], dry_run=True)
    found = await imported(client, "roster", given[:5])
    assert found == again == [("updated", "renamed")] * 5
    stored = await exported(client, "roster", world)
    assert [row["username"] for row in stored] == [row["username"] for row in given]
    assert [row["email"] for row in stored[:3]] == [row["email"] for row in given[:3]]
    assert [row["former_names"] for row in stored] == [
        json.dumps(sorted({row["username"], *(row["email"],) * (place < 3)}))
        for place, row in enumerate(before)
    ]
    assert await imported(client, "roster", given) == [("unchanged", None)] * 5


@pytest.mark.parametrize("batch", [1, 1000])
async def test_ids_of_another_system_are_swapped_too(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    system = f"s{world.department_id}"
    for place, user in enumerate(world.users[:3]):
        await client.patch(f"/v1/users/{user}", json={"external_ids": {system: f"id{place}"}})
    given = (await exported(client, "roster", world))[:4]
    ids = [row["external_ids"] for row in given]
    for row, other in zip(given, (ids[1], ids[0], "", ids[2]), strict=True):
        row["external_ids"] = other
    assert await imported(client, "roster", given) == [
        ("updated", None),
        ("updated", None),
        ("unchanged", None),
        ("refused", "external_id_taken"),
    ]
    stored = await exported(client, "roster", world)
    assert [row["external_ids"] for row in stored[:4]] == [ids[1], ids[0], ids[2], ""]


async def test_somebody_new_gets_the_name_that_another_one_gives_away(
    client: httpx.AsyncClient, world: World
) -> None:
    given = (await exported(client, "roster", world))[:2]
    old, key = given[0]["username"], str(uuid4())
    new = {**given[0], "key": key, "email": "", "student_number": "", "former_names": ""}
    assert await imported(client, "roster", [new, given[0]]) == [
        ("refused", "name_taken"),
        ("unchanged", None),
    ]
    given[0]["username"] = f"{old}-2"
    assert await imported(client, "roster", [new, new, given[0]]) == [
        ("created", None),
        ("unchanged", None),
        ("updated", "renamed"),
    ]
    stored = {row["key"]: row for row in await exported(client, "roster", world)}
    assert stored[key]["username"] == old
    assert stored[given[0]["key"]]["username"] == f"{old}-2"


async def test_who_cannot_get_a_name_keeps_their_own_from_others(
    client: httpx.AsyncClient, world: World
) -> None:
    first, second, third, fourth = (await exported(client, "roster", world))[:4]
    names = [row["username"] for row in (first, second, third, fourth)]
    first["username"], second["username"], third["username"] = names[1], names[2], names[3]
    assert (
        await imported(client, "roster", [first, second, third]) == [("refused", "name_taken")] * 3
    )
    first["username"], second["username"] = names[1], names[0]
    assert await imported(client, "roster", [first, third, second]) == [
        ("updated", "renamed"),
        ("refused", "name_taken"),
        ("updated", "renamed"),
    ]


@pytest.mark.parametrize("batch", [1, 1000])
async def test_courses_swap_their_keys_and_pass_them_on(
    client: httpx.AsyncClient,
    make_world: MakeWorld,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    worlds = [await make_world(0) for _ in range(3)]
    keys = [world.course for world in worlds]
    exports = [await exported(client, "courses", world) for world in worlds]
    given = [row for rows in exports for row in rows if row["course_key"]]
    for row, key in zip(given, (keys[1], keys[0], f"{keys[2]}-2"), strict=True):
        row["course_key"] = key
    given[0]["title"], given[1]["is_cohorted"] = "Swapped", "true"
    expected = [("updated", "renamed")] * 3
    assert await imported(client, "courses", given, dry_run=True) == expected
    assert await imported(client, "courses", given) == expected
    for world, row, key in zip(worlds, given, keys, strict=True):
        (stored,) = (each for each in await exported(client, "courses", world) if each["key"])
        assert stored == row | {
            "random_assignment": "uniform" * bool(row["is_cohorted"]),
            "former_keys": json.dumps([key]),
        }
    assert await imported(client, "courses", given) == [("unchanged", None)] * 3


async def test_what_is_swapped_is_judged_together_beside_a_row_that_the_database_refuses(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    worlds = [await make_world(0) for _ in range(4)]
    exports = [await exported(client, "courses", world) for world in worlds]
    one, two, three, four = [row for rows in exports for row in rows if row["course_key"]]
    one["course_key"], four["course_key"] = four["course_key"], one["course_key"]
    two |= {"starts_on": "2026-09-02", "ends_on": "2026-09-01"}
    three["course_key"] = two["course_key"]
    assert await imported(client, "courses", [one, two, three, four]) == [
        ("updated", "renamed"),
        ("refused", "invalid_dates"),
        ("refused", "name_taken"),
        ("updated", "renamed"),
    ]


async def test_a_new_course_gets_the_key_that_another_one_gives_away(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    worlds = [await make_world(0) for _ in range(2)]
    one, other = [
        row
        for world in worlds
        for row in await exported(client, "courses", world)
        if row["course_key"]
    ]
    new = {**one, "key": str(uuid4()), "title": "New"}
    one["course_key"] = other["course_key"]
    assert await imported(client, "courses", [new, one]) == [("refused", "name_taken")] * 2
    one["course_key"] += "-2"
    assert await imported(client, "courses", [new, one]) == [
        ("created", None),
        ("updated", "renamed"),
    ]
    assert (await client.get(f"/v1/courses/{worlds[0].course_id}")).json()["key"].endswith("-2")


async def test_groups_that_are_not_editable_keep_their_names(
    client: httpx.AsyncClient, world: World
) -> None:
    groups = await make_groups(world, "A")
    await client.put(f"/v1/courses/{world.course_id}/tracks", json={"codes": ["X"]})
    given = await exported(client, "structure", world)
    given[0]["groups_editable"] = "false"
    assert await imported(client, "structure", given) == [("updated", None), ("unchanged", None)]
    for row in given:
        row["group"] += " 2"
    assert await imported(client, "structure", given) == [
        ("refused", "groups_not_editable"),
        ("refused", "groups_not_editable"),
    ]
    given = await exported(client, "structure", world)
    given[1]["partition"] = "Tracks"
    assert await imported(client, "structure", given) == [
        ("unchanged", None),
        ("refused", "tracks_partition"),
    ]
    assert groups


async def test_persons_are_meant_by_their_keys(client: httpx.AsyncClient, world: World) -> None:
    given = (await exported(client, "roster", world))[:3]
    first = given[0]["username"]
    await client.patch(f"/v1/users/{world.users[0]}", json={"student_number": "00420001"})
    given[0] |= {"username": f"{first}-new", "student_number": "420001.0"}
    given[1] |= {"username": given[2]["username"].upper()}
    assert await imported(client, "roster", given) == [
        ("updated", "damaged"),
        ("updated", "renamed"),
        ("unchanged", None),
    ]
    found = {row["key"]: row for row in await exported(client, "roster", world)}
    assert found[given[0]["key"]]["username"] == f"{first}-new"
    assert found[given[0]["key"]]["student_number"] == "420001.0"
    assert first in found[given[0]["key"]]["former_names"]
    taken = [{**given[0], "username": given[2]["username"]}]
    assert await imported(client, "roster", taken) == [("refused", "name_taken")]
    new = {**given[0], "key": str(uuid4()), "email": "", "student_number": ""}
    new["username"] = given[2]["username"].replace("-", "\u2010")
    assert await imported(client, "roster", [new]) == [("created", None)]
    assert [row["key"] for row in await exported(client, "roster", world)][-1] == new["key"]


async def test_who_has_roles_is_renamed_by_administrators_alone(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    user, path = world.users[0], f"/v1/courses/{world.course_id}"
    await client.put(f"{path}/team/{user}", json={"roles": ["staff"]})
    row = (await exported(client, "roster", world))[0]
    content = table(("username", "key"), (f"{row['username']}-new", row["key"]))
    headers = CSV | auth(f"roster:write@department:{world.department}")
    answer = await anonymous.post("/v1/import/roster", content=content, headers=headers)
    refusal = ("forbidden", "this needs admin here")
    assert answer.json() == answered("roster", (2, "refused", *refusal))
    answer = await upload(client, "roster", content)
    assert [row["result"] for row in answer.json()["rows"]] == ["updated"]


async def test_a_key_out_of_sight_tells_nothing(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    auth: Auth,
    world: World,
    make_world: MakeWorld,
) -> None:
    mine = await make_world(0)
    key = (await exported(client, "roster", world))[0]["key"]
    content = table(("username", "key", "course_key"), ("x", key, mine.course))
    headers = CSV | auth(f"roster:write@department:{mine.department}")
    answer = await anonymous.post("/v1/import/roster", content=content, headers=headers)
    refusal = ("forbidden", "this needs roster:write where the user belongs")
    assert answer.json() == answered("roster", (2, "refused", *refusal))


async def test_a_course_gets_another_key_of_its_own(
    client: httpx.AsyncClient, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    given = [row for row in await exported(client, "courses", world) if row["course_key"]]
    given[0]["course_key"] = f"{world.course}-2"
    assert await imported(client, "courses", given) == [("updated", "renamed")]
    answer = await client.get(f"/v1/courses/{world.course_id}")
    assert answer.json()["key"] == f"{world.course}-2"
    given[0]["course_key"] = other.course
    assert await imported(client, "courses", given) == [("refused", "name_taken")]
    given[0] |= {"course_key": f"{world.course}-3", "key": str(uuid4())}
    assert await imported(client, "courses", given) == [("created", None)]
    twice = [{**given[0], "key": str(uuid4()), "course_key": f"{world.course}-{n}"} for n in (4, 5)]
    twice[1]["key"] = twice[0]["key"]
    assert await imported(client, "courses", twice) == [("created", None), ("updated", "renamed")]


async def test_what_is_no_key_is_refused(client: httpx.AsyncClient, world: World) -> None:
    header = ("username", "key", "former_names", "external_ids")
    name = world.department
    found = await rows(
        client,
        "roster",
        header,
        (name, "7", "", ""),
        (name, "", "x", ""),
        (name, "", '["\\ud800"]', ""),
        (name, "", "", "[1]"),
        (name, "", "", '{"A b": "1"}'),
        (name, "", "", '{"a": 1}'),
        (name, str(uuid4()), f'["{name}", "{name} 1", " "]', '{"a": " 1"}'),
    )
    assert [row[1:] for row in found] == [
        ("refused", "invalid_value", "key is no key of an export"),
        ("refused", "invalid_value", "former_names is no JSON list of texts"),
        ("refused", "invalid_value", "former_names is no JSON list of texts"),
        ("refused", "invalid_value", "external_ids is no JSON object of texts"),
        ("refused", "invalid", "a system is named by a-z, 0-9 and _"),
        ("refused", "invalid_value", "external_ids is no JSON object of texts"),
        ("created", None, None),
    ]
    answer = await client.get("/v1/users", params={"search": name})
    assert [user["external_ids"] for user in answer.json()["items"]][:1] == [{"a": "1"}]


async def test_created_groups_are_in_natural_order_when_asked_for(
    client: httpx.AsyncClient, world: World
) -> None:
    await make_groups(world, "Z")
    users = [row["username"] for row in await exported(client, "roster", world)]
    header = ("course_key", "user", "partition", "group")
    given = [
        (world.course, user, "TD", group)
        for user, group in zip(users, ("Groupe 10", "Groupe 2", "Groupe 1"), strict=False)
    ]
    query = {"create": "true", "order": "natural"}
    assert await rows(client, "assignments", header, *given, **query) == all_of("assigned", 3)
    assert await names(world) == ["Z", "Groupe 1", "Groupe 2", "Groupe 10"]
    header = ("course_key", "partition", "group")
    more = [(world.course, "TP", group) for group in ("TP 10", "TP 9")]
    assert await rows(client, "structure", header, *more) == all_of("created", 2)
    more = [(world.course, "TP", group) for group in ("TP 2", "TP 1")]
    found = await rows(client, "structure", header, *more, order="natural")
    assert found == all_of("created", 2)
    board = (await client.get(f"/v1/courses/{world.course_id}/board")).json()
    groups = [group["name"] for group in board["partitions"][1]["groups"]]
    assert groups == ["TP 10", "TP 9", "TP 1", "TP 2"]


async def test_numbers_that_a_spreadsheet_damaged_in_an_export_are_said(
    client: httpx.AsyncClient, world: World
) -> None:
    digits = str(world.department_id)
    for place, user in enumerate(world.users[:3]):
        numbers = {"student_number": f"00{place}{digits}", "national_number": f"{place}{digits}A"}
        await client.patch(f"/v1/users/{user}", json=numbers)
    given = (await exported(client, "roster", world))[:4]
    given[0]["student_number"] = f"{given[0]['student_number'].lstrip('0')}.0"
    given[1] |= {"student_number": f"1{digits}", "username": f"{given[1]['username']}-new"}
    given[2] |= {"student_number": f"02{digits}", "national_number": f"02{digits}A"}
    given[3]["student_number"] = "1.2E+07"
    one = "student_number looks as if a spreadsheet had damaged it, and counts as it is"
    both = "student_number and national_number look as if a spreadsheet had damaged them"
    old = given[1]["username"].removesuffix("-new")
    expected = [
        (2, "updated", "damaged", one),
        (3, "updated", "damaged", f"{one}; {old} gets a new name"),
        (4, "updated", "damaged", f"{both}, and count as they are"),
        (5, "updated", "damaged", one),
    ]
    content = (list(given[0]), *(tuple(row.values()) for row in given))
    assert await rows(client, "roster", *content, dry_run=True) == expected
    assert await rows(client, "roster", *content) == expected
    assert await rows(client, "roster", *content) == all_of("unchanged", 4)


async def test_other_numbers_that_a_spreadsheet_damages_are_judged_too(
    client: httpx.AsyncClient, world: World
) -> None:
    made = await make_groups(world, "A", "B")
    await client.patch(f"/v1/groups/{made['A']}", json={"timetable_id": "0042"})
    header = ("course_key", "partition", "group", "timetable_id", "key")
    row = (await exported(client, "structure", world))[0]
    given = (world.course, "TD", "A", "42")
    refusal = ("damaged", "timetable_id looks as if a spreadsheet had damaged it")
    said = ("damaged", "timetable_id looks as if a spreadsheet had damaged it, and counts as it is")
    assert await rows(client, "structure", header[:4], given) == [(2, "refused", *refusal)]
    keyed = (*given, row["key"])
    assert await rows(client, "structure", header, keyed, dry_run=True) == [(2, "updated", *said)]
    accepted = await rows(client, "structure", header[:4], given, accept="damaged")
    assert accepted == all_of("updated", 1)
    header = ("department", "course_key", "programme")
    course = (world.department, world.course)
    assert await rows(client, "courses", header, (*course, "007")) == all_of("updated", 1)
    refusal = ("damaged", "programme looks as if a spreadsheet had damaged it")
    assert await rows(client, "courses", header, (*course, "7")) == [(2, "refused", *refusal)]
    found = await rows(client, "courses", header, (*course, "7.0"), accept="damaged")
    assert found == all_of("updated", 1)
