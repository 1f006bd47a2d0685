"""Tables out, and into another installation."""

import csv
import io
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

HEADERS = {kind.name: ",".join(kind.columns) + "\r\n" for kind in KINDS}


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


async def people(world: World) -> list[Any]:
    return await world.sql(
        "SELECT u.username, u.email, u.family_name, d.acronym FROM users u"
        " JOIN departments d ON d.id = u.department_id"
        " WHERE u.id IN (SELECT user_id FROM memberships WHERE course_id = :id"
        " UNION SELECT user_id FROM enrollments WHERE course_id = :id) ORDER BY u.id",
        id=world.course_id,
    )


async def test_a_course_goes_out_whole(client: httpx.AsyncClient, filled: World) -> None:
    (one, _, _, own), (two, email, _, _), (guest, address, _, elsewhere) = await people(filled)
    key, query = filled.course, {"course_id": filled.course_id}
    assert await exported(client, "courses", **query) == HEADERS["courses"] + table(
        (elsewhere, "", "", "", ""), (own, "", key, "'-1", "false")
    )
    assert await exported(client, "roster", **query) == HEADERS["roster"] + table(
        (one, "", "Family1", "Given", "'=cmd", "F", "1", "", own, "false", key, "active", ""),
        (two, email, "Family2", "Given", "", "X", "", "", own, "true", key, "active", ""),
        (guest, address, "Family1", "Given", "", "X", "", "", elsewhere, "true", "", "", ""),
    )
    flags = ("true", "true")
    assert await exported(client, "structure", **query) == HEADERS["structure"] + table(
        (key, "TD", "ordinary", 1, *flags, "true", "A", 1, 3, "'+1", "manual", "", ""),
        (key, "Cohortes", "cohorts", 2, *flags, "false", "C", 1, "", "", "random", 50, 2),
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
            kept = {name: each for name, each in value.items() if not name.endswith("id")}
            kept |= {name: value[name] for name in ("timetable_id",) if name in value}
            return {name: nameless(each) for name, each in kept.items()}
        if isinstance(value, list):
            return [known[each] if isinstance(each, int) else nameless(each) for each in value]
        return value

    links = [group["content_link"] for each in shown["partitions"] for group in each["groups"]]
    return nameless(shown), links


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
    monkeypatch.setattr("groupsvc.import_export.imports.BATCH", batch)
    world, guest = await make_world(6), await make_world(1)
    path = f"/v1/courses/{world.course_id}"
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
    for user, held in zip(world.users, (["staff", "moderator"], ["instructor"]), strict=False):
        await client.put(f"{path}/team/{user}", json={"roles": held})
    await client.put(f"{path}/lock")
    query = {"course_id": world.course_id}
    tables = {kind.name: await exported(client, kind.name, **query) for kind in KINDS}
    before = await board(client, world.course)
    assert before[0]["course"]["is_locked"] is True
    async with another_installation(make_database, settings, home, auth) as other:
        unlocked = tables["courses"].replace("true", "false")
        for kind, content in {**tables, "courses": unlocked}.items():
            answer = (await upload(other, kind, content)).json()
            assert "refused" not in answer["counts"], answer
        await upload(other, "courses", tables["courses"])
        assert await board(other, world.course) == before
        for kind, content in tables.items():
            assert await exported(other, kind) == content
