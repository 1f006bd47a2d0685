"""A course keeps a cohort that takes users at random, whatever a structure says."""

from typing import Any

import httpx
import pytest

from tests.api.tables import CSV, all_of, answered, rows
from tests.conftest import MakeWorld, World

HEADER = ("course_key", "partition", "group", "assignment_type")
LAST_RANDOM = ("refused", "last_random_cohort", "one cohort must take users at random")
UPDATED = ("updated", None, None)
UNCHANGED = ("unchanged", None, None)
CREATED = ("created", None, None)
NAME_TAKEN = ("refused", "name_taken", "a group of the partition has this name")


@pytest.fixture
async def course(make_world: MakeWorld) -> World:
    """Of three cohorts the first takes users at random."""
    world = await make_world(0)
    partition = await world.add_partition("Sets", "cohorts")
    for place, name in enumerate("ABC", start=1):
        kind = "random" if name == "A" else "manual"
        await world.add_group(partition, name, position=place, assignment_type=kind)
    return world


def table_of(world: World, *given: str) -> list[tuple[str, ...]]:
    """Rows that name a cohort and, behind a space, who is in it how."""
    cells = (each.partition(" ") for each in given)
    return [HEADER, *((world.course, "Sets", name, kind) for name, _, kind in cells)]


async def random_ones(world: World) -> str:
    found = await world.sql(
        "SELECT name FROM groups WHERE course_id = :id AND assignment_type = 'random'"
        " ORDER BY name",
        id=world.course_id,
    )
    return "".join(name for (name,) in found)


@pytest.mark.parametrize("batch", [1, 2, 1000])
@pytest.mark.parametrize(
    ("given", "told", "then"),
    [
        (["A manual"], [LAST_RANDOM], "A"),
        (["A manual", "B manual"], [LAST_RANDOM, UNCHANGED], "A"),
        (["B random", "A manual"], [UPDATED, UPDATED], "B"),
        (["A manual", "C manual", "B random"], [UPDATED, UNCHANGED, UPDATED], "B"),
        (["A manual", "D manual", "E random"], [UPDATED, CREATED, CREATED], "E"),
        (["A manual", "C random", "B random"], [UPDATED, UPDATED, UPDATED], "BC"),
        (["A manual", "A manual"], [LAST_RANDOM, LAST_RANDOM], "A"),
        (["A", "B manual"], [UNCHANGED, UNCHANGED], "A"),
    ],
)
async def test_the_whole_table_decides_whether_a_random_cohort_stays(
    client: httpx.AsyncClient,
    course: World,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
    given: list[str],
    told: list[Any],
    then: str,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    found = await rows(client, "structure", *table_of(course, *given))
    assert sorted(found) == [(line, *each) for line, each in enumerate(told, start=2)]
    assert await random_ones(course) == then


async def test_what_was_random_before_stays_so_rather_than_what_a_row_makes_random(
    client: httpx.AsyncClient, course: World
) -> None:
    given = table_of(course, "A manual", "B random", "B manual")
    found = await rows(client, "structure", *given)
    assert found == [(2, *LAST_RANDOM), (3, *UPDATED), (4, *UPDATED)]
    assert await random_ones(course) == "A"


@pytest.mark.parametrize("batch", [1, 1000])
async def test_the_last_row_of_a_cohort_counts(
    client: httpx.AsyncClient, course: World, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    given = table_of(course, "A manual", "C manual", "A random")
    assert {row[1] for row in await rows(client, "structure", *given)} == {"updated", "unchanged"}
    assert await random_ones(course) == "A"


async def test_a_row_that_is_refused_makes_nothing_random(
    client: httpx.AsyncClient, course: World
) -> None:
    header = (*HEADER, "capacity")
    found = await rows(
        client,
        "structure",
        header,
        (course.course, "Sets", "A", "manual", ""),
        (course.course, "Sets", "B", "random", "many"),
    )
    assert found == [
        (2, *LAST_RANDOM),
        (3, "refused", "invalid_value", "capacity is no whole number"),
    ]
    assert await random_ones(course) == "A"


async def test_a_name_that_is_taken_is_judged_first(
    client: httpx.AsyncClient, course: World
) -> None:
    """A row that is refused for its name neither makes its cohort random nor gives that up."""
    exported = await client.get("/v1/export/structure", params={"course_id": course.course_id})
    keys = [line.split(",")[-1] for line in exported.text.splitlines()[1:]]
    header = (*HEADER, "key")
    given = [
        (course.course, "Sets", "A", "manual", keys[0]),
        (course.course, "Sets", "A", "random", keys[1]),
    ]
    assert await rows(client, "structure", header, *given) == [(2, *LAST_RANDOM), (3, *NAME_TAKEN)]
    assert await random_ones(course) == "A"
    given = [
        (course.course, "Sets", "B", "random", keys[1]),
        (course.course, "Sets", "B", "manual", keys[0]),
    ]
    assert await rows(client, "structure", header, *given) == [(2, *UPDATED), (3, *NAME_TAKEN)]
    assert await random_ones(course) == "AB"


async def test_other_groups_become_manual_as_they_like(
    client: httpx.AsyncClient, course: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    await other.add_group(await other.add_partition("TD"), "A", assignment_type="random")
    given = [(other.course, "TD", "A", "manual"), (course.course, "Sets", "B", "random")]
    assert await rows(client, "structure", HEADER, *given) == all_of("updated", 2)
    assert await rows(client, "structure", *table_of(course, "A manual")) == all_of("updated", 1)
    assert await random_ones(course) == "B"


@pytest.mark.parametrize("random", ["", "A", "BC"])
async def test_a_backup_with_cohorts_comes_back_as_it_was(
    client: httpx.AsyncClient, other_client: httpx.AsyncClient, course: World, random: str
) -> None:
    await course.sql(
        "UPDATE groups SET assignment_type = CASE WHEN name = ANY (:names) THEN 'random'"
        " ELSE 'manual' END WHERE course_id = :id AND name IS NOT NULL",
        id=course.course_id,
        names=list(random),
    )
    place = {"course_id": course.course_id}
    for kind, count in (("courses", 1), ("structure", 3)):
        backup = (await client.get(f"/v1/export/{kind}", params=place)).text
        for target, result in (
            (client, "unchanged"),
            (other_client, "created"),
            (other_client, "unchanged"),
        ):
            answer = await target.post(f"/v1/import/{kind}", content=backup, headers=CSV)
            assert answer.json() == answered(
                kind, *((line, result) for line in range(2, 2 + count))
            )
