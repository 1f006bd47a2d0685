"""Partitions and groups by import."""

from typing import Any

import httpx
import pytest

from tests.api.tables import CSV, NO_COURSE, all_of, answered, rows, table
from tests.conftest import Auth, MakeWorld, World

PARTITION = ("kind", "position", "groups_editable", "show_in_lists", "show_rank_on_report")
GROUP = ("group_position", "capacity", "timetable_id", "assignment_type")
LINK = ("content_partition_id", "content_group_id")
LOCKED = ("course_locked", "the course is locked")
CLOSED = ("groups_not_editable", "the groups of this partition are not editable")


async def partitions(world: World) -> list[Any]:
    return await world.sql(
        f"SELECT name, {', '.join(PARTITION)} FROM partitions"
        " WHERE course_id = :course AND kind <> 'default' ORDER BY position, id",
        course=world.course_id,
    )


async def groups(world: World, columns: str = "g.name") -> list[Any]:
    return await world.sql(
        f"SELECT p.name, {columns} FROM groups g"
        " JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id"
        " WHERE g.course_id = :course AND p.kind <> 'default' ORDER BY p.id, g.position, g.name",
        course=world.course_id,
    )


@pytest.fixture
async def empty(make_world: MakeWorld) -> World:
    return await make_world(0)


async def test_partitions_and_groups_come_with_all_that_is_known_of_them(
    client: httpx.AsyncClient, empty: World
) -> None:
    header = ("course_key", "partition", *PARTITION, "group", *GROUP, *LINK)
    key = empty.course
    given = [
        (
            key,
            " TD ",
            "ordinary",
            "5",
            "false",
            "0",
            "TRUE",
            " A ",
            7,
            24,
            "edt 1",
            "random",
            50,
            1,
        ),
        (key, "TD", "", "", "", "", "", "B", "", "", "", "", "", ""),
        (key, "Cohortes", "cohorts", "2", "", "", "", "", "", "", "", "", "", ""),
        (key, "Parcours", "tracks", "", "", "", "", "X", "", "", "", "", "", ""),
        (key, "Langue", "", "", "", "", "", "", "", "", "", "", "", ""),
    ]
    assert await rows(client, "structure", header, *given) == all_of("created", 5)
    assert await partitions(empty) == [
        ("Parcours", "tracks", 1, False, True, False),
        ("Cohortes", "cohorts", 2, True, True, False),
        ("Langue", "ordinary", 3, True, True, False),
        ("TD", "ordinary", 4, False, False, True),
    ]
    columns = f"g.name, g.position, {', '.join((*GROUP[1:], *LINK))}"
    assert await groups(empty, columns) == [
        ("TD", "B", 1, None, None, "manual", None, None),
        ("TD", "A", 2, 24, "edt 1", "random", 50, 1),
        ("Parcours", "X", 1, None, None, "manual", None, None),
    ]
    assert await rows(client, "structure", header, *given) == all_of("unchanged", 5)


async def test_rows_change_what_they_tell_and_leave_the_rest(
    client: httpx.AsyncClient, empty: World
) -> None:
    partition = await empty.add_partition("TD", show_rank_on_report=True)
    await empty.add_group(partition, "A", capacity=3, timetable_id="x", assignment_type="random")
    key = empty.course
    header = ("course_key", "partition", "group")
    assert await rows(client, "structure", header, (key, "TD", "A")) == all_of("unchanged", 1)
    found = await rows(
        client,
        "structure",
        ("course_key", "partition", "position", "show_in_lists", "group", *GROUP),
        (key, "TD", "", "", "A", "", 9, "", ""),
        (key, "TD", "4", "0", "A", "", 9, "", ""),
        (key, "TD", "4", "0", "A", "2", 9, "", "manual"),
        (key, "TD", "", "", "", "", "", "", ""),
    )
    assert [row[1] for row in found] == ["updated", "updated", "updated", "unchanged"]
    assert await partitions(empty) == [("TD", "ordinary", 1, True, False, True)]
    columns = f"g.name, g.position, {', '.join(GROUP[1:])}"
    assert await groups(empty, columns) == [("TD", "A", 1, 9, "x", "manual")]
    found = await rows(
        client,
        "structure",
        (*header, "position", *GROUP[1:]),
        (key, "TD", "A", "", "", "", ""),
        empty="clear",
    )
    assert found == all_of("erased", 1)
    assert await groups(empty, columns) == [("TD", "A", 1, None, None, "manual")]


@pytest.mark.parametrize("batch", [1, 2, 1000])
async def test_a_partition_closes_when_all_its_groups_are_in(
    client: httpx.AsyncClient, empty: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    key = empty.course
    header = ("course_key", "partition", "groups_editable", "group")
    given = [(key, "TD", "false", group) for group in "ABC"]
    again = [(key, "TD", "false", "C"), (key, "TD", "true", "C"), (key, "TD", "false", "D")]
    found = await rows(client, "structure", header, *given, *again)
    assert [row[1] for row in found] == [*["created"] * 3, "unchanged", "updated", "created"]
    assert await partitions(empty) == [("TD", "ordinary", 1, False, True, False)]
    assert await rows(client, "structure", header, (key, "TD", "false", "E")) == [
        (2, "refused", *CLOSED)
    ]
    assert await rows(client, "structure", header, (key, "TD", "", "E")) == [
        (2, "refused", *CLOSED)
    ]
    opened = await rows(client, "structure", header, (key, "TD", "true", "E"), (key, "TD", "", "F"))
    assert opened == [(2, "created", None, None), (3, "created", None, None)]
    assert [name for _, name in await groups(empty)] == list("ABCDEF")


async def test_what_stands_against_a_row(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition("TD")
    group = await world.add_group(partition, "A")
    await world.add_partition("Cohortes", "cohorts", position=2)
    for user in world.users[:2]:
        await client.put(f"/v1/groups/{group}/members/{user}")
    key = world.course
    header = ("course_key", "partition", "kind", "groups_editable", "group", "capacity", *LINK)
    found = await rows(
        client,
        "structure",
        header,
        (key, "TD", "", "", "A", 1, "", ""),
        (key, "TD", "", "", "A", 2, "", ""),
        (key, "TD", "", "", "B", -1, "", ""),
        (key, "TD", "", "", "B", "1e3", "", ""),
        (key, "TD", "", "", "B", "9" * 30, "", ""),
        (key, "TD", "", "", "B", "", "50", ""),
        (key, "TD", "", "", "", "1", "", ""),
        (key, "", "", "", "B", "", "", ""),
        (key, "TD", "cohorts", "", "", "", "", ""),
        (key, "Other", "cohorts", "", "", "", "", ""),
        (key, "Other", "default", "", "", "", "", ""),
        (key, "Other", "tracks", "true", "", "", "", ""),
        (key, "Other", "sets", "", "", "", "", ""),
        ("nowhere", "TD", "", "", "", "", "", ""),
        (key, "TD", "", "", "B", "1_000", "", ""),
        (key, "TD", "", "", "B", "1.000", "", ""),
        (key, "TD", "", "", "B", "2,000", "", ""),
    )
    ambiguous = "capacity may be a number with decimals or one of thousands"
    assert [row[1:] for row in found] == [
        ("refused", "group_full", "the group has more members than that"),
        ("updated", None, None),
        ("refused", "invalid_value", "capacity is not between 0 and 1000000"),
        ("refused", "invalid_value", "capacity is no whole number"),
        ("refused", "invalid_value", "capacity is no whole number"),
        ("refused", "invalid_value", "content_group_id and content_partition_id go together"),
        ("refused", "missing_value", "group is empty"),
        ("refused", "missing_value", "partition is empty"),
        ("refused", "kind_mismatch", "the partition is of another kind"),
        ("refused", "kind_taken", "the course has a partition of this kind already"),
        ("refused", "default_partition", "every course has its default partition"),
        ("refused", "tracks_partition", "the groups of a tracks partition are never editable"),
        ("refused", "invalid_value", "kind is none of ordinary, tracks, cohorts, default"),
        ("refused", *NO_COURSE),
        ("refused", "invalid_value", "capacity is no whole number"),
        *[("refused", "invalid_value", ambiguous)] * 2,
    ]
    assert await groups(world, "g.name, g.capacity") == [("TD", "A", 2)]


async def test_a_locked_course_refuses_what_would_change_it(
    client: httpx.AsyncClient, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    partition = await world.add_partition("TD")
    for position, name in enumerate("AB", start=1):
        await world.add_group(partition, name, position=position)
    await world.sql("UPDATE courses SET is_locked = true WHERE id = :id", id=world.course_id)
    header = ("course_key", "partition", "group", "group_position")
    given = [
        (world.course, "TD", "A", 1),
        (other.course, "TD", "", ""),
        (world.course, "TP", "", ""),
    ]
    assert await rows(client, "structure", header, *given, (world.course, "TD", "B", 2)) == [
        (2, "unchanged", None, None),
        (3, "created", None, None),
        (4, "refused", *LOCKED),
        (5, "unchanged", None, None),
    ]
    assert await rows(client, "structure", header, (world.course, "TD", "B", 1)) == [
        (2, "refused", *LOCKED)
    ]
    assert await groups(world) == [("TD", "A"), ("TD", "B")]


@pytest.mark.parametrize("batch", [1, 2, 1000])
@pytest.mark.parametrize(
    ("given", "then"),
    [
        ([("C", 1)], "CABDE"),
        ([("C", 1), ("A", 1)], "CABDE"),
        ([("A", 1), ("C", 1)], "ACBDE"),
        ([("D", 2), ("B", 4)], "ADCBE"),
        ([("A", 99), ("F", 1)], "FBCDEA"),
        ([("E", -1), ("D", 0)], "EDABC"),
        ([(name, place) for place, name in enumerate("EDCBA", start=1)], "EDCBA"),
        ([(name, 9 - place) for place, name in enumerate("EDCBA", start=1)], "ABCDE"),
        ([("Z", 7), ("Y", 5), ("X", 6), ("A", 2)], "BACDYXZE"),
    ],
)
async def test_rows_stand_where_they_say_and_the_others_around_them(
    client: httpx.AsyncClient,
    empty: World,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    given: list[tuple[str, int]],
    then: str,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    partition = await empty.add_partition("TD")
    for position, name in enumerate("ABCDE"):
        await empty.add_group(partition, name, position=2 * position)
    header = ("course_key", "partition", "group", "group_position")
    wanted = [(empty.course, "TD", *each) for each in given]
    await rows(client, "structure", header, *wanted)
    changed = then != "ABCDE"
    places = list(range(1, len(then) + 1)) if changed else [0, 2, 4, 6, 8]
    assert await groups(empty, "g.name, g.position") == [
        ("TD", name, place) for name, place in zip(then, places, strict=True)
    ]
    assert await rows(client, "structure", header, *wanted) == all_of("unchanged", len(wanted))
    header = ("course_key", "partition", "position")
    wanted = [(empty.course, f"P{name}", place) for name, place in given]
    await rows(client, "structure", header[:2], *((empty.course, f"P{name}") for name in "ABCDE"))
    await client.delete(f"/v1/partitions/{partition}")
    await rows(client, "structure", header, *wanted)
    assert "".join(name[1:] for name, *_ in await partitions(empty)) == then


async def test_tracks_need_the_roster(
    anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    header = ("course_key", "partition", "kind", "group")
    content = table(
        header, (world.course, "Parcours", "tracks", "A"), (world.course, "TD", "", "A")
    )
    place = f"@course:{world.course}"
    headers = CSV | auth(f"groups:write{place}")
    answer = await anonymous.post("/v1/import/structure", content=content, headers=headers)
    needed = "this needs roster:write here"
    assert answer.json() == answered(
        "structure", (2, "refused", "forbidden", needed), (3, "created")
    )
    headers = CSV | auth(f"groups:write{place}", f"roster:write{place}")
    answer = await anonymous.post("/v1/import/structure", content=content, headers=headers)
    assert answer.json() == answered("structure", (2, "created"), (3, "unchanged"))
    headers = CSV | auth(f"groups:write{place}")
    content = table(header, (world.course, "Parcours", "tracks", "B"))
    answer = await anonymous.post("/v1/import/structure", content=content, headers=headers)
    assert answer.json() == answered("structure", (2, "refused", "forbidden", needed))
