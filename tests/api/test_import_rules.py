"""What the native face refuses by a rule an import refuses by the same, table by table."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.api.tables import answered, table, upload
from tests.conftest import World

FULL = {"user": "{second_name}", "partition": "TD", "group": "Full"}
STRANGER = {"user": "{stranger_name}", "partition": "Closed", "group": "Shut"}
NO_TRACK = {"user": "{stranger_name}", "partition": "Parcours", "group": "T"}
MANUAL = {"assignment_type": "manual"}
EARLY = {"starts_on": "2026-09-01", "ends_on": "2026-08-31"}


@dataclass(frozen=True)
class Case:
    """A request to the native face, and the row of a table that asks for the same."""

    code: str
    request: str
    body: Any
    kind: str
    row: dict[str, str]
    create: bool = False

    def __str__(self) -> str:
        return f"{self.code}: {self.request}, {self.kind} {'-'.join(self.row)}"


CASES = (
    Case("group_full", "PUT groups/{full}/members/{second}", None, "assignments", FULL),
    Case("not_enrolled", "PUT groups/{shut}/members/{stranger}", None, "assignments", STRANGER),
    Case("not_enrolled", "PUT groups/{track}/members/{stranger}", None, "assignments", NO_TRACK),
    Case(
        "groups_not_editable",
        "POST partitions/{closed}/groups",
        {"name": "New"},
        "structure",
        {"partition": "Closed", "group": "New"},
    ),
    Case(
        "groups_not_editable",
        "POST partitions/{closed}/groups",
        {"name": "New"},
        "assignments",
        {"user": "{second_name}", "partition": "Closed", "group": "New"},
        create=True,
    ),
    Case(
        "groups_not_editable",
        "POST partitions/{tracks}/groups",
        {"name": "New"},
        "assignments",
        {"user": "{second_name}", "partition": "Parcours", "group": "New"},
        create=True,
    ),
    Case(
        "groups_not_editable",
        "PATCH groups/{shut}",
        {"name": "New"},
        "structure",
        {"partition": "Closed", "group": "New", "key": "{key_of_Shut}"},
    ),
    Case(
        "groups_not_editable",
        "PATCH groups/{track}",
        {"name": "New"},
        "structure",
        {"partition": "Parcours", "group": "New", "key": "{key_of_T}"},
    ),
    Case(
        "group_full",
        "PATCH groups/{full}",
        {"capacity": 0},
        "structure",
        {"partition": "TD", "group": "Full", "capacity": "0"},
    ),
    Case(
        "last_random_cohort",
        "PATCH groups/{only}",
        MANUAL,
        "structure",
        {"partition": "Cohorts", "group": "Only", **MANUAL},
    ),
    Case(
        "tracks_partition",
        "PATCH partitions/{tracks}",
        {"groups_editable": True},
        "structure",
        {"partition": "Parcours", "groups_editable": "true"},
    ),
    Case(
        "tracks_partition",
        "PATCH partitions/{tracks}",
        {"name": "New"},
        "structure",
        {"partition": "New", "partition_key": "{key_of_Parcours}"},
    ),
    Case(
        "cohorts_partition",
        "PATCH partitions/{cohorts}",
        {"name": "New"},
        "structure",
        {"partition": "New", "partition_key": "{key_of_Cohorts}"},
    ),
    Case(
        "name_taken",
        "PATCH partitions/{td}",
        {"name": " Closed"},
        "structure",
        {"partition": " Closed", "partition_key": "{key_of_TD}"},
    ),
    Case("invalid_dates", "PUT courses/by-key/{key}", EARLY, "courses", EARLY),
    Case(
        "invalid",
        "PATCH users/{second}",
        {"external_ids": {"No system": "1"}},
        "roster",
        {"username": "{second_name}", "external_ids": '{{"No system": "1"}}'},
    ),
)


@pytest.fixture
async def places(client: httpx.AsyncClient, world: World) -> dict[str, Any]:
    """A course with a full group, a closed partition, tracks and a cohort; ids by name."""
    first, second, stranger, *_ = world.users
    course = f"/v1/courses/{world.course_id}"
    tracks = (await client.put(f"{course}/tracks", json={"codes": ["T"]})).json()
    td, closed = await world.add_partition("TD", position=2), await world.add_partition("Closed")
    full, shut = await world.add_group(td, "Full"), await world.add_group(closed, "Shut")
    cohort = {"name": "Only", "assignment_type": "random"}
    only = (await client.post(f"{course}/cohorts", json=cohort)).json()
    await client.put(f"/v1/groups/{full}/members/{first}")
    await client.patch(f"/v1/groups/{full}", json={"capacity": 1})
    await client.patch(f"/v1/partitions/{closed}", json={"groups_editable": False})
    await client.delete(f"{course}/enrollments/{stranger}")
    names = dict(await world.sql("SELECT id, username FROM users WHERE id >= :id", id=first))
    backup = await client.get("/v1/export/structure", params={"course_id": world.course_id})
    exported = list(csv.DictReader(io.StringIO(backup.text)))
    return {
        "id": world.course_id,
        "key": world.course,
        "department": world.department,
        "tracks": tracks["id"],
        "track": tracks["groups"][0]["id"],
        "cohorts": only["partition_id"],
        "only": only["id"],
        "td": td,
        "closed": closed,
        "full": full,
        "shut": shut,
        "second": second,
        "stranger": stranger,
        "second_name": names[second],
        "stranger_name": names[stranger],
        **{f"key_of_{each['partition']}": each["partition_key"] for each in exported},
        **{f"key_of_{each['group']}": each["key"] for each in exported},
    }


async def exported(client: httpx.AsyncClient, places: dict[str, Any]) -> list[str]:
    """All that a course has."""
    found = [
        await client.get(f"/v1/export/{kind}", params={"course_id": places["id"]})
        for kind in ("courses", "roster", "structure", "assignments", "content_groups")
    ]
    assert {answer.status_code for answer in found} == {200}
    return [answer.text for answer in found]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_import_refuses_what_the_native_face_refuses(
    client: httpx.AsyncClient, places: dict[str, Any], case: Case
) -> None:
    before = await exported(client, places)
    method, _, path = case.request.partition(" ")
    body = case.body
    if case.kind == "courses":
        body = {"department": places["department"], **body}
    native = await client.request(method, f"/v1/{path.format(**places)}", json=body)
    assert native.json()["code"] == case.code, native.text
    place = {"course_key": places["key"]}
    if case.kind == "courses":
        place |= {"department": places["department"]}
    row = place | {name: text.format(**places) for name, text in case.row.items()}
    content = table(tuple(row), tuple(row.values()))
    query = {"create": True} if case.create else {}
    answer = await upload(client, case.kind, content, **query)
    refused = (2, "refused", case.code, native.json()["detail"])
    assert answer.json() == answered(case.kind, refused)
    assert await exported(client, places) == before


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("structure", {"partition": "New"}),
        ("structure", {"partition": "TD", "group": "New"}),
        ("structure", {"partition": "TD", "show_in_lists": "false"}),
        ("structure", {"partition": "TD", "position": "1"}),
        ("structure", {"partition": "TD", "group": "Full", "capacity": "9"}),
        ("structure", {"partition": "TD", "partition_former_names": '["Old"]'}),
        ("assignments", {"user": "{second_name}", "partition": "Closed", "group": "Shut"}),
        ("assignments", {"user": "{stranger_name}", "partition": "Cohorts", "group": "Only"}),
        ("preassignments", {"partition": "Cohorts", "group": "Only", "waiting_email": "a@x.org"}),
        ("content_groups", {"content_partition_id": "5", "content_partition": "New"}),
        ("courses", {"department": "{department}", "is_cohorted": "true"}),
    ],
    ids=str,
)
async def test_an_import_changes_nothing_in_a_locked_course(
    client: httpx.AsyncClient, places: dict[str, Any], kind: str, row: dict[str, str]
) -> None:
    await client.put(f"/v1/courses/{places['id']}/lock")
    before = await exported(client, places)
    given = {"course_key": places["key"]} | {
        name: text.format(**places) for name, text in row.items()
    }
    answer = await upload(client, kind, table(tuple(given), tuple(given.values())))
    refused = (2, "refused", "course_locked", "the course is locked")
    assert answer.json() == answered(kind, refused)
    assert await exported(client, places) == before
