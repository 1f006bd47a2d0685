"""Rows that wait until all others are in, in tables of several batches."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import httpx
import pytest

from groupsvc.faces.v1.uploads import Report
from groupsvc.import_export.columns import Kind
from tests.api.tables import CSV, rows, table
from tests.conftest import MakeWorld, World

HEADER = ("course_key", "user", "partition", "group")


@pytest.fixture(autouse=True)
def batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", 2)


async def usernames(world: World) -> list[str]:
    found = await world.sql(
        "SELECT username FROM users WHERE id = ANY (:ids) ORDER BY id", ids=world.users
    )
    return [name for (name,) in found]


async def told(client: httpx.AsyncClient, kind: str, *given: Any, **query: Any) -> list[Any]:
    """Results and codes in the order of the lines: those that waited come last."""
    answer = await client.post(
        f"/v1/import/{kind}", content=table(*given), headers=CSV, params=query
    )
    found = sorted(answer.json()["rows"], key=lambda row: row["line"])
    return [(row["result"], row["code"]) for row in found]


async def groups_of(world: World) -> dict[str, str]:
    found = await world.sql(
        "SELECT u.username, g.name FROM memberships m JOIN users u ON u.id = m.user_id"
        " JOIN groups g ON g.id = m.group_id WHERE m.course_id = :id",
        id=world.course_id,
    )
    return dict(found)


@pytest.fixture
async def people(world: World) -> list[str]:
    """Of four people the first has the only place of A; there are B and C as well."""
    partition = await world.add_partition("TD")
    group = await world.add_group(partition, "A", capacity=1)
    await world.add_group(partition, "B", position=2)
    await world.add_group(partition, "C", position=3)
    await world.sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " VALUES (:course, :partition, :user, :group)",
        course=world.course_id,
        partition=partition,
        user=world.users[0],
        group=group,
    )
    return await usernames(world)


def assignments(world: World, *given: tuple[str, str]) -> list[Sequence[str]]:
    return [HEADER, *((world.course, user, "TD", group) for user, group in given)]


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
@pytest.mark.parametrize("only", [False, True])
async def test_the_last_row_of_a_user_counts_also_where_one_before_waits(
    client: httpx.AsyncClient,
    world: World,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    only: bool,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    first, second, third, *_ = people
    given = assignments(
        world, (second, "A"), (third, "B"), (second, "B"), (third, "C"), (first, "C")
    )
    found = await told(client, "assignments", *given, only=only)
    assert {code for _, code in found} == {None}
    assert await groups_of(world) == {first: "C", second: "B", third: "C"}


async def test_the_last_row_counts_where_the_database_refuses_one_of_a_batch(
    client: httpx.AsyncClient, make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is halved is judged once more as a whole."""
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", 1000)
    worlds = [await make_world(0) for _ in range(2)]
    keys: list[str] = []
    for world in worlds:
        export = await client.get("/v1/export/courses", params={"course_id": world.course_id})
        keys.append(export.text.splitlines()[1].split(",")[-1])
    new = str(uuid4())
    (name, own), (_, other) = ((world.department, world.course) for world in worlds)
    found = await told(
        client,
        "courses",
        ("department", "course_key", "title", "key"),
        (name, other, "First", keys[0]),
        (name, f"{own}-3", "New", new),
        (name, own, "Last", keys[0]),
        (name, f"{other}-2", "Other", keys[1]),
        (name, f"{own}-4", "New", new),
    )
    assert found == [
        ("updated", "renamed"),
        ("created", None),
        ("updated", None),
        ("updated", "renamed"),
        ("updated", "renamed"),
    ]
    stored = await worlds[0].sql(
        "SELECT key, title FROM courses WHERE id = :id", id=worlds[0].course_id
    )
    assert stored == [(own, "Last")]


async def test_the_last_row_of_a_person_counts_also_where_one_before_waits(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    header = ("username", "email", "family_name", "department")
    await rows(client, "roster", header, (f"{name}-a", f"{name}@x", "A", name))
    found = await told(
        client,
        "roster",
        header,
        (f"{name}-b", f"{name}@x", "First", name),
        (f"{name}-b", f"{name}@x", "Second", name),
        (f"{name}-c", "", "C", name),
        (f"{name}-b", f"{name}@y", "Last", name),
        (f"{name}-a", f"{name}@z", "A", name),
    )
    assert {code for _, code in found} == {None}
    stored = await world.sql(
        "SELECT email, family_name FROM users WHERE username = :name", name=f"{name}-b"
    )
    assert stored == [(f"{name}@y", "Last")]


@pytest.mark.parametrize("only", [False, True])
async def test_too_many_that_wait_are_said_not_to_be_decided(
    client: httpx.AsyncClient,
    world: World,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
    only: bool,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.waiting.MOST_WAITING", 1)
    first, second, third, fourth, _ = people
    given = assignments(world, (second, "A"), (third, "A"), (fourth, "B"), (first, "B"))
    answer = await client.post(
        "/v1/import/assignments", content=table(*given), headers=CSV, params={"only": only}
    )
    answers = sorted(answer.json()["rows"], key=lambda row: row["line"])
    refused = {
        "result": "refused",
        "code": "undecided",
        "message": "the group has no place left; more than 1 rows wait for others, and this was"
        " not tried again",
    }
    assert answers == [
        {"line": 2, "result": "assigned", "code": None, "message": None},
        {"line": 3} | refused,
        {"line": 4, "result": "assigned", "code": None, "message": None},
        {"line": 5, "result": "moved", "code": None, "message": None},
    ]
    assert await groups_of(world) == {second: "A", fourth: "B", first: "B"}


async def test_what_cannot_be_done_in_order_is_not_done_once_more(
    client: httpx.AsyncClient,
    world: World,
    people: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.waiting.MOST_WAITING", 1)
    first, second, third, *_ = people
    given = assignments(world, (second, "A"), (third, "B"), (second, "C"), (first, "B"))
    assert await told(client, "assignments", *given) == [
        ("refused", "undecided"),
        ("assigned", None),
        ("assigned", None),
        ("moved", None),
    ]
    assert await groups_of(world) == {first: "B", second: "C", third: "B"}


async def test_rows_that_waited_are_reported_together(
    client: httpx.AsyncClient, world: World, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told_of: list[int] = []

    def note(add: Any) -> Any:
        return lambda report, upload, answers: (
            told_of.append(len(answers)),
            add(report, upload, answers),
        )

    monkeypatch.setattr(Report, "add_rows", note(Report.add_rows))
    first, *others = people
    given = assignments(world, *((user, "A") for user in others[:3]), (first, "B"))
    await rows(client, "assignments", *given)
    assert told_of == [0, 2, 2]


async def test_rows_with_several_groups_are_read_once(
    client: httpx.AsyncClient, world: World, people: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Kind] = []
    read = Kind.read

    def noted(kind: Kind, *given: Any, **named: Any) -> Any:
        reads.append(kind)
        return read(kind, *given, **named)

    monkeypatch.setattr(Kind, "read", noted)
    header = "First name,Last name,Username,Groups"
    text = "\n".join((header, *(f"A,B,{user},B" for user in people[1:4])))
    query = {"course": world.course}
    answer = await client.post("/v1/import/assignments", content=text, headers=CSV, params=query)
    assert [row["result"] for row in answer.json()["rows"]] == ["assigned"] * 3
    assert len(reads) == 3
