"""Rows that give what others have are judged in a few rounds, however many they are."""

import csv
import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from groupsvc.import_export.courses import CoursePlan
from groupsvc.import_export.roster_plan import RosterPlan
from groupsvc.import_export.structure_plan import StructurePlan
from tests.api.tables import rows
from tests.conftest import MakeWorld, World

MANY = 200
ROUNDS = 3
Count = Callable[[type[Any], str], list[None]]


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Count:
    def note(plan: type[Any], name: str) -> list[None]:
        calls, decide = list[None](), getattr(plan, name)

        def noted(*given: Any) -> Any:
            calls.append(None)
            return decide(*given)

        monkeypatch.setattr(plan, name, noted)
        return calls

    return note


async def keys_of(client: httpx.AsyncClient, kind: str, world: World) -> list[dict[str, str]]:
    answer = await client.get(f"/v1/export/{kind}", params={"course_id": world.course_id})
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def results(found: list[Any]) -> set[tuple[str, str | None]]:
    return {(result, code) for _, result, code, _ in found}


@pytest.mark.parametrize("names", [1, MANY])
async def test_many_rows_of_one_group_that_want_names_of_others(
    client: httpx.AsyncClient, world: World, count: Count, names: int
) -> None:
    partition = await world.add_partition("TD")
    for name in ("own", *(f"taken {n}" for n in range(names))):
        await world.add_group(partition, name)
    (key,) = (
        row["key"] for row in await keys_of(client, "structure", world) if row["group"] == "own"
    )
    calls = count(StructurePlan, "decide")
    given = [(world.course, "TD", f"taken {n % names}", key) for n in range(MANY)]
    found = await rows(client, "structure", ("course_key", "partition", "group", "key"), *given)
    assert results(found) == {("refused", "name_taken")}
    assert len(calls) <= ROUNDS * MANY


@pytest.mark.parametrize("same", [True, False])
async def test_many_rows_of_one_course_that_want_keys_of_others(
    client: httpx.AsyncClient, make_world: MakeWorld, count: Count, same: bool
) -> None:
    world, other = await make_world(0), await make_world(0)
    (key,) = (row["key"] for row in await keys_of(client, "courses", world) if row["course_key"])
    header = ("department", "course_key", "title", "key")
    taken = [other.course if same else f"{other.course}/{n}" for n in range(MANY)]
    await rows(client, "courses", header, *((other.department, each, "", "") for each in taken))
    calls = count(CoursePlan, "decide")
    found = await rows(
        client, "courses", header, *((world.department, each, "", key) for each in taken)
    )
    assert results(found) == {("refused", "name_taken")}
    assert len(calls) <= ROUNDS * MANY


@pytest.mark.parametrize("same", [True, False])
async def test_many_rows_of_one_user_that_want_addresses_of_others(
    client: httpx.AsyncClient, world: World, count: Count, same: bool
) -> None:
    header = ("username", "email", "department")
    name = world.department
    emails = [f"{name}-{0 if same else n}@example.org" for n in range(MANY)]
    others = [(f"{name}-x{n}", email, name) for n, email in enumerate(dict.fromkeys(emails))]
    await rows(client, "roster", header, *others)
    calls = count(RosterPlan, "_decide")
    found = await rows(client, "roster", header, *((f"{name}-new", each, name) for each in emails))
    assert results(found) == {("refused", "email_taken")}
    assert len(calls) <= ROUNDS


async def test_a_row_that_is_refused_leaves_what_else_it_wants_to_the_rows_after_it(
    client: httpx.AsyncClient, world: World
) -> None:
    """Of two rows with one number, the first wants an address that somebody else has as well."""
    header, name = ("username", "email", "student_number", "department"), world.department
    await rows(client, "roster", header, (f"{name}-0", f"{name}@x", "", name))
    given = [
        (f"{name}-1", f"{name}@x", f"{name}1", name),
        (f"{name}-2", "", f"{name}1", name),
        (f"{name}-3", "", f"{name}1", name),
    ]
    for order in (given, [given[0], given[2], given[1]]):
        found = await rows(client, "roster", header, *order, dry_run=True)
        assert [(result, code) for _, result, code, _ in found] == [
            ("refused", "email_taken"),
            ("created", None),
            ("refused", "number_taken"),
        ]


async def test_what_loses_a_name_keeps_the_last_one_that_it_can_have(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("TD")
    for name in ("A", "B"):
        await world.add_group(partition, name)
    key = (await keys_of(client, "structure", world))[0]["key"]
    header = ("course_key", "partition", "group", "key")
    given = [(world.course, "TD", name, key) for name in ("C", "B", "B")]
    found = await rows(client, "structure", header, *given, (world.course, "TD", "C", str(uuid4())))
    assert [(result, code) for _, result, code, _ in found] == [
        ("updated", "renamed"),
        ("refused", "name_taken"),
        ("refused", "name_taken"),
        ("refused", "name_taken"),
    ]
    again = [(world.course, "TD", name, key) for name in ("D", "C")]
    await rows(client, "structure", header, *again)
    stored = [row["group"] for row in await keys_of(client, "structure", world)]
    assert stored == ["B", "C"]


async def test_a_row_without_a_key_means_the_course_that_has_got_the_key(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    worlds = [await make_world(0) for _ in range(2)]
    exports = [await keys_of(client, "courses", world) for world in worlds]
    one, other = (row for given in exports for row in given if row["course_key"])
    header = ("department", "course_key", "title", "key")
    found = await rows(
        client,
        "courses",
        header,
        (one["department"], other["course_key"], "", one["key"]),
        (other["department"], one["course_key"], "", other["key"]),
        (one["department"], other["course_key"], "One", ""),
        (other["department"], one["course_key"], "Other", ""),
    )
    assert [result for _, result, _, _ in found] == ["updated"] * 4
    titles = {
        row["key"]: (row["course_key"], row["title"])
        for world in worlds
        for row in await keys_of(client, "courses", world)
        if row["course_key"]
    }
    assert titles == {
        one["key"]: (other["course_key"], "One"),
        other["key"]: (one["course_key"], "Other"),
    }
