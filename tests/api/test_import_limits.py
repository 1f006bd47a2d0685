"""Limits of values are those of the native face, whatever is accepted."""

import json
from typing import Any

import httpx
import pytest

from groupsvc.domain import limits
from tests.api.tables import CSV, rows, table
from tests.conftest import Auth, World

BLANKS = "external_ids has an id that is empty or has blanks in it"


async def first_name(world: World) -> str:
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    return str(name)


@pytest.mark.parametrize("given", ["4 711", "4\t711", " "])
async def test_external_ids_have_no_blanks(
    client: httpx.AsyncClient, world: World, given: str
) -> None:
    native = await client.patch(
        f"/v1/users/{world.users[0]}", json={"external_ids": {"openedx": given}}
    )
    assert native.status_code == 422
    row = (await first_name(world), json.dumps({"openedx": given}))
    found = await rows(client, "roster", ("username", "external_ids"), row)
    assert found == [(2, "refused", "invalid_value", BLANKS)]


@pytest.mark.parametrize("term", [limits.FIRST_TERM - 1, limits.LAST_TERM + 1])
async def test_terms_are_those_of_the_native_face(
    client: httpx.AsyncClient, world: World, term: int
) -> None:
    place = f"/v1/courses/by-key/{world.course}"
    body = {"department": world.department, "term": term}
    assert (await client.put(place, json=body)).status_code == 422
    row = (world.department, world.course, str(term))
    found = await rows(client, "courses", ("department", "course_key", "term"), row)
    said = f"term is not between {limits.FIRST_TERM} and {limits.LAST_TERM}"
    assert found == [(2, "refused", "invalid_value", said)]


async def test_the_name_of_a_department_is_on_one_line(
    client: httpx.AsyncClient, world: World
) -> None:
    row = {"department": world.department, "department_name": "Mathe\u007fmatics"}
    found = await client.post("/v1/import/courses", json={"rows": [row]})
    (answer,) = found.json()["rows"]
    assert (answer["code"], answer["message"]) == (
        "invalid_value",
        "department_name has control characters",
    )


async def test_a_content_partition_has_so_many_groups(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.import_export.content_groups.MOST_CONTENT_GROUPS", 2)
    header = ("course_key", "content_partition_id", "content_partition", "content_group_id")
    given = [(world.course, "50", "Content", str(each)) for each in (1, 2, 3, 1)]
    said = "content_partition_id has 2 groups, and may have no more"
    assert await rows(client, "content_groups", header, *given) == [
        (2, "created", None, None),
        (3, "updated", None, None),
        (4, "refused", "invalid_value", said),
        (5, "unchanged", None, None),
    ]


@pytest.mark.parametrize("accept", ["", "damaged"])
async def test_ids_of_a_timetable_are_tidy(
    client: httpx.AsyncClient, world: World, accept: str
) -> None:
    header = ("course_key", "partition", "group", "timetable_id")
    row = (world.course, "TD", "TD1", "  EDT-1 ")
    assert await rows(client, "structure", header, row, accept=accept) == [
        (2, "created", None, None)
    ]
    stored = await world.sql(
        "SELECT timetable_id FROM groups WHERE course_id = :id AND name = 'TD1'",
        id=world.course_id,
    )
    assert stored == [("EDT-1",)]
    assert await rows(client, "structure", header, row, accept=accept) == [
        (2, "unchanged", None, None)
    ]


@pytest.mark.parametrize("is_retired", ["true", "false"])
async def test_who_retires_may_do_so_everywhere(
    client: httpx.AsyncClient, world: World, auth: Auth, is_retired: str
) -> None:
    header, name = ("username", "is_retired"), await first_name(world)
    if is_retired == "false":
        await rows(client, "roster", header, (name, "true"))

    async def send(*grants: str) -> Any:
        answer = await client.post(
            "/v1/import/roster",
            content=table(header, (name, is_retired)),
            headers=CSV | auth(*grants),
        )
        (row,) = answer.json()["rows"]
        return row["result"], row["code"]

    here = f"roster:write@department:{world.department}"
    assert await send(here) == ("refused", "forbidden")
    assert await send("roster:write") == ("updated", None)
    assert await send(here) == ("unchanged", None)
