"""Tables out, and into another installation."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from groupsvc.app import create_app
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.import_export.kinds import KINDS
from groupsvc.settings import Settings
from tests.api.refusals import ANONYMOUS, problem, told
from tests.api.tables import table, upload
from tests.conftest import EVERYTHING, SQL, Auth, MakeDatabase, MakeWorld, World, serving

HEADERS = {kind.name: ",".join(kind.exported) + "\r\n" for kind in KINDS}


Headers = dict[str, str]


async def exported(
    client: httpx.AsyncClient, kind: str, headers: Headers | None = None, **query: Any
) -> str:
    answer = await client.get(f"/v1/export/{kind}", params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{kind}.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.text


@pytest.fixture
async def filled(make_world: MakeWorld, sql: SQL) -> World:
    """Two students, one of them in the only group, and a member of a cohort from elsewhere."""
    world, other = await make_world(2), await make_world(1)
    await sql(
        "UPDATE users SET username = :name || id, email = NULL, usual_name = '=cmd',"
        " civility = 'F', student_number = '1', is_active = false WHERE id = :id",
        name=f"{world.department}-",
        id=world.users[0],
    )
    await sql(
        "UPDATE courses SET title = '-1', is_locked = false WHERE id = :id", id=world.course_id
    )
    partition = await world.add_partition("TD", show_rank_on_report=True)
    cohorts = await world.add_partition("Cohortes", "cohorts", position=2)
    group = await world.add_group(partition, "A", capacity=3, timetable_id="+1")
    cohort = await world.add_group(
        cohorts, "C", assignment_type="random", content_partition_id=50, content_group_id=2
    )
    for place, to, user in ((partition, group, world.users[0]), (cohorts, cohort, other.users[0])):
        await sql(
            "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
            " VALUES (:course, :partition, :user, :group)",
            course=world.course_id,
            partition=place,
            user=user,
            group=to,
        )
    return world


async def keys(world: World, table: str, column: str = "course_id") -> list[str]:
    found = await world.sql(
        f"SELECT record_key(imported_key, id, created_at)::text FROM {table}"
        f" WHERE {column} = :id ORDER BY id",
        id=world.course_id,
    )
    return [key for (key,) in found]


async def former_names(world: World) -> list[str]:
    found = await world.sql(
        "SELECT name FROM former_user_names WHERE user_id = :id ORDER BY name", id=world.users[0]
    )
    assert found
    return [name for (name,) in found]


async def people(world: World) -> list[Any]:
    return await world.sql(
        "SELECT u.username, u.email, u.family_name, d.acronym,"
        " record_key(u.imported_key, u.id, u.created_at)::text FROM users u"
        " JOIN departments d ON d.id = u.department_id"
        " WHERE u.id IN (SELECT user_id FROM memberships WHERE course_id = :id"
        " UNION SELECT user_id FROM enrollments WHERE course_id = :id) ORDER BY u.id",
        id=world.course_id,
    )


async def test_a_course_goes_out_whole(client: httpx.AsyncClient, filled: World) -> None:
    (one, _, _, own, key1), (two, email, _, _, key2), guests = await people(filled)
    guest, address, _, elsewhere, key3 = guests
    (course_key,) = await keys(filled, "courses", "id")
    _, td, cohorts = await keys(filled, "partitions")
    _, group, cohort = await keys(filled, "groups")
    key, query = filled.course, {"course_id": filled.course_id}
    assert await exported(client, "courses", **query) == HEADERS["courses"] + table(
        (elsewhere, *[""] * 13),
        (own, "", key, "'-1", "false", *[""] * 8, course_key),
    )
    former = json.dumps(await former_names(filled))
    rest = ("false", "", "")
    assert await exported(client, "roster", **query) == HEADERS["roster"] + table(
        (
            one,
            "",
            "Family1",
            "Given",
            "'=cmd",
            "F",
            "1",
            "",
            own,
            "false",
            key,
            "active",
            "",
            "false",
            "",
            former,
            key1,
        ),
        (
            two,
            email,
            "Family2",
            "Given",
            "",
            "X",
            "",
            "",
            own,
            "true",
            key,
            "active",
            "",
            *rest,
            key2,
        ),
        (
            guest,
            address,
            "Family1",
            "Given",
            "",
            "X",
            "",
            "",
            elsewhere,
            "true",
            "",
            "",
            "",
            *rest,
            key3,
        ),
    )
    flags = ("true", "true")
    assert await exported(client, "structure", **query) == HEADERS["structure"] + table(
        (
            key,
            "TD",
            "ordinary",
            1,
            *flags,
            "true",
            "A",
            1,
            3,
            "'+1",
            "manual",
            "",
            "",
            "",
            "",
            td,
            group,
        ),
        (
            key,
            "Cohortes",
            "cohorts",
            2,
            *flags,
            "false",
            "C",
            1,
            "",
            "",
            "random",
            50,
            2,
            "",
            "",
            cohorts,
            cohort,
        ),
    )
    assert await exported(client, "assignments", **query) == HEADERS["assignments"] + table(
        (key, one, "TD", "A"), (key, guest, "Cohortes", "C")
    )


async def test_pages_are_of_one_table(
    client: httpx.AsyncClient, filled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = await filled.add_course()
    assert other
    for kind in KINDS:
        whole = await exported(client, kind.name, department=filled.department)
        monkeypatch.setattr("groupsvc.import_export.exports.PAGE", 1)
        assert await exported(client, kind.name, department=filled.department) == whole
        monkeypatch.undo()


async def test_only_what_is_within_reach_goes_out(
    anonymous: httpx.AsyncClient, auth: Auth, make_world: MakeWorld
) -> None:
    mine, some, hidden = await make_world(1), await make_world(1), await make_world(1)
    await some.add_course()
    for world in (mine, some, hidden):
        await world.add_group(await world.add_partition("TD"))
    headers = auth(f"groups:read@department:{mine.department}", f"groups:read@course:{some.course}")

    async def told_in(kind: str, column: str, **query: Any) -> set[str]:
        text = await exported(anonymous, kind, headers, **query)
        return {row[column] for row in csv.DictReader(io.StringIO(text, newline=""))}

    courses = {mine.course, some.course}
    for kind in ("courses", "roster", "structure"):
        assert await told_in(kind, "course_key") == courses
    assert await told_in("roster", "department") == {mine.department, some.department}
    assert await told_in("courses", "course_key", department=some.department) == {some.course}
    address = f"/v1/export/courses?department={hidden.department}"
    gone = problem(404, "not_found", "no such department")
    assert told(await anonymous.get(address, headers=headers)) == gone
    for course in (hidden.course_id, 2**40):
        answer = await anonymous.get(f"/v1/export/courses?course_id={course}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_export_needs_its_permission(
    anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    assert told(await anonymous.get("/v1/export/roster")) == ANONYMOUS
    headers = auth("groups:write", "roster:write", "admin")
    answer = await anonymous.get("/v1/export/roster", headers=headers)
    detail = "this needs another permission"
    assert told(answer) == problem(403, "forbidden", detail, permission="groups:read")
    answer = await anonymous.get("/v1/export/teachers", headers=auth("groups:read"))
    assert answer.status_code == 404


@asynccontextmanager
async def another_installation(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    url = await make_database()
    engine = make_engine(url, settings)
    await migrate.upgrade(engine)
    await engine.dispose()
    async with serving(create_app(settings, url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


async def board(client: httpx.AsyncClient, key: str) -> Any:
    """A board in which people have their names for ids, and nothing else has any."""
    course = (await client.get(f"/v1/courses/by-key/{key}")).json()
    shown = (await client.get(f"/v1/courses/{course['id']}/board")).json()
    known = {user["id"]: user["username"] for user in shown["users"]}

    def nameless(value: Any) -> Any:
        if isinstance(value, dict):
            kept = {
                name: each
                for name, each in value.items()
                # Which number stands for a place in a list is left to the installation.
                if not name.endswith("id") and name != "position"
            }
            kept |= {name: value[name] for name in ("timetable_id",) if name in value}
            return {name: nameless(each) for name, each in kept.items()}
        if isinstance(value, list):
            return [known[each] if isinstance(each, int) else nameless(each) for each in value]
        return value

    links = [group["content_link"] for each in shown["partitions"] for group in each["groups"]]
    return nameless(shown), links


async def taken(client: httpx.AsyncClient, kind: str, content: str, result: str) -> None:
    """Every row of a table has this result."""
    rows = (await upload(client, kind, content)).json()["rows"]
    assert {row["result"] for row in rows} <= {result}, (kind, rows)


async def rename(client: httpx.AsyncClient, world: World, partition: int) -> None:
    """Persons, groups and a partition that were called otherwise, with members."""
    for user in world.users[2:4]:
        group = {"name": f"{user}"}
        made = (await client.post(f"/v1/partitions/{partition}/groups", json=group)).json()
        await client.put(f"/v1/groups/{made['id']}/members/{user}")
        await client.patch(f"/v1/groups/{made['id']}", json={"name": f"=new {user}"})
    for name in ("TD 1", "TD 2"):
        await client.patch(f"/v1/partitions/{partition}", json={"name": name})
    user = world.users[1]
    for name in ("a", "b"):
        known = {"username": f"{name}{user}", "email": f"{name}{user}@example.org"}
        await client.patch(f"/v1/users/{user}", json=known)
    ids = {"external_ids": {"openedx": f"{world.course_id}", "hr": f'x\\"{user}'}}
    assert (await client.patch(f"/v1/users/{user}", json=ids)).status_code == 200
    await world.sql("UPDATE users SET is_retired = true WHERE id = :id", id=world.users[2])


async def configure(client: httpx.AsyncClient, world: World) -> None:
    """Details of the course, settings of its cohorts, and what they point at."""
    path = f"/v1/courses/{world.course_id}"
    cohorts = {"is_cohorted": True, "random_assignment": "balanced"}
    assert (await client.put(f"{path}/cohort-settings", json=cohorts)).status_code == 200
    groups = [{"id": 2, "name": "b"}, {"id": 1, "name": ""}]
    for number, content in (
        (51, {"name": "C", "scheme": "x", "groups": groups}),
        (50, {"name": "", "is_active": False, "description": "d"}),
    ):
        answer = await client.put(f"{path}/content-partitions/{number}", json=content)
        assert answer.status_code == 201
    details = {"starts_on": "2026-09-01", "ends_on": "2027-01-31", "programme": "M1"}
    course = {"department": world.department, "title": " =x\n", "term": 2, "modality": "FI"}
    answer = await client.put(f"/v1/courses/by-key/{world.course}", json=course | details)
    assert answer.status_code == 200
    await waiting(world, "Late@Example.org", "b@example.org", "a@example.org")


async def waiting(world: World, *emails: str) -> None:
    """Addresses wait for the first cohort of the course."""
    await world.sql(
        "INSERT INTO preassignments (course_id, partition_id, group_id, email)"
        " SELECT course_id, partition_id, id, unnest(CAST(:emails AS text[])) FROM groups"
        " WHERE course_id = :id AND assignment_type = 'random'",
        id=world.course_id,
        emails=list(emails),
    )


HAZARDS = ("=1+1", "'=1", "''=1", "'x", "+", "-2", "@x", 'a "b"', "a,b;c\td", "a\r\nb", "é \uff1d")


@pytest.mark.parametrize("batch", [2, 2000])
async def test_an_empty_installation_becomes_the_same(
    client: httpx.AsyncClient,
    make_world: MakeWorld,
    sql: SQL,
    make_database: MakeDatabase,
    settings: Settings,
    home: Path,
    auth: Auth,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    world, guest = await make_world(6), await make_world(1)
    path = f"/v1/courses/{world.course_id}"
    for user in (*world.users, *guest.users):
        await client.patch(f"/v1/users/{user}", json={"given_name": "A"})
    await sql("UPDATE users SET department_id = NULL WHERE id = :id", id=world.users[5])
    await sql("UPDATE courses SET title = :title WHERE id = :id", title=" =x\n", id=world.course_id)
    for user, state in zip(world.users, ("withdrawn", "defaulted"), strict=False):
        await client.put(f"{path}/enrollments/{user}", json={"state": state})
    partitions = [
        (
            await client.post(
                f"{path}/partitions", json={"name": name, "show_rank_on_report": True}
            )
        ).json()
        for name in ("TP", "TD")
    ]
    for name in HAZARDS:
        answer = await client.post(
            f"/v1/partitions/{partitions[0]['id']}/groups",
            json={"name": name, "capacity": 2, "timetable_id": f"{name} "},
        )
        await client.put(f"/v1/groups/{answer.json()['id']}/members/{world.users[0]}")
    await client.patch(f"/v1/partitions/{partitions[0]['id']}", json={"groups_editable": False})
    await sql("UPDATE partitions SET position = -7 WHERE id = :id", id=partitions[1]["id"])
    tracks = (await client.put(f"{path}/tracks", json={"codes": ["B", "A"]})).json()["groups"]
    for group, user in zip(tracks, world.users, strict=False):
        await client.put(f"/v1/groups/{group['id']}/members/{user}")
    cohorts = await world.add_partition("Cohortes", "cohorts", position=40)
    cohort = await world.add_group(
        cohorts,
        assignment_type="random",
        content_partition_id=-766460,
        content_group_id=-(2**63),
        position=9,
    )
    for user in (guest.users[0], world.users[5]):
        await client.put(f"/v1/groups/{cohort}/members/{user}")
    await rename(client, world, partitions[1]["id"])
    await configure(client, world)
    for user, held in zip(world.users, (["staff", "moderator"], ["instructor"]), strict=False):
        await client.put(f"{path}/team/{user}", json={"roles": held})
    await client.put(f"{path}/lock")
    query = {"course_id": world.course_id}
    tables = {kind.name: await exported(client, kind.name, **query) for kind in KINDS}
    before = await board(client, world.course)
    assert before[0]["course"]["is_locked"] is True
    for kind, content in tables.items():
        await taken(client, kind, content, "unchanged")
    async with another_installation(make_database, settings, home, auth) as other:
        unlocked = tables["courses"].replace("true", "false")
        for kind, content in {**tables, "courses": unlocked}.items():
            answer = (await upload(other, kind, content)).json()
            assert "refused" not in answer["counts"], answer
        await upload(other, "courses", tables["courses"])
        assert await board(other, world.course) == before
        for kind, content in tables.items():
            assert await exported(other, kind) == content
            await taken(other, kind, content, "unchanged")
