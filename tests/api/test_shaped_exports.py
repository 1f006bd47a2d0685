"""Partitions that go out as other systems import them."""

import re
from typing import Any

import httpx
import pytest

from groupsvc.import_export.shapes.declared import SHAPES
from tests import peers
from tests.api.refusals import ANONYMOUS, invalid, problem, told
from tests.api.tables import table, upload
from tests.conftest import SQL, Auth, World


async def exported(
    client: httpx.AsyncClient, partition: int, shape: str, *, left_out: int = 0, **query: Any
) -> bytes:
    answer = await client.get(f"/v1/partitions/{partition}/export", params={"as": shape, **query})
    assert answer.status_code == 200, answer.text
    headers = answer.headers
    assert headers["content-type"] == "text/csv; charset=utf-8"
    assert headers["content-disposition"] == f'attachment; filename="{shape}.csv"'
    assert headers["left-out"] == str(left_out)
    return answer.content


async def refused(client: httpx.AsyncClient, partition: int, shape: str, **query: Any) -> Any:
    address = f"/v1/partitions/{partition}/export"
    return told(await client.get(address, params={"as": shape, **query}))


def unfit(detail: str) -> dict[str, Any]:
    return problem(409, "unfit_name", detail)


async def join(world: World, partition: int, group: int, *users: int) -> None:
    await world.sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " SELECT :course, :partition, u, :group FROM unnest(CAST(:users AS bigint[])) u",
        course=world.course_id,
        partition=partition,
        group=group,
        users=list(users),
    )


async def usernames(world: World) -> list[str]:
    rows = await world.sql(
        "SELECT username FROM users WHERE id = ANY (:ids) ORDER BY id", ids=world.users
    )
    return [username for (username,) in rows]


@pytest.fixture
async def partition(world: World) -> int:
    """Two students in the first group, three in the second, of whom one has withdrawn; and a third
    group."""
    partition = await world.add_partition("TD, 1")
    first = await world.add_group(partition, '=1+1 "x", é')
    second = await world.add_group(partition, "'B", position=2)
    await world.add_group(partition, "empty", position=3)
    await join(world, partition, first, *world.users[:2])
    await join(world, partition, second, *world.users[2:])
    await world.sql(
        "UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :id", id=world.users[4]
    )
    return partition


async def in_groups(world: World) -> peers.Groups:
    one, two, three, four, _ = await usernames(world)
    return {'=1+1 "x", é': {one, two}, "'B": {three, four}}


async def test_canvas_gets_a_group_set(
    client: httpx.AsyncClient, world: World, partition: int
) -> None:
    one, two, three, four, five = await usernames(world)
    file = await exported(client, partition, "canvas-groups", left_out=1)
    assert file.decode() == table(
        ("login_id", "group_name"),
        (one, '=1+1 "x", é'),
        (two, '=1+1 "x", é'),
        (three, "'B"),
        (four, "'B"),
    )
    students = (one, two, three, four, five)
    assert peers.canvas(file, students) == await in_groups(world)


async def test_moodle_gets_groups_in_a_grouping(client: httpx.AsyncClient, partition: int) -> None:
    file = await exported(client, partition, "moodle-groups")
    assert file.decode() == table(
        ("groupname", "groupingname"),
        ('=1+1 "x", é', "TD, 1"),
        ("'B", "TD, 1"),
        ("empty", "TD, 1"),
    )
    assert peers.moodle_groups(file) == {"TD, 1": ['=1+1 "x", é', "'B", "empty"]}


async def test_moodle_gets_users_with_their_group(
    client: httpx.AsyncClient, world: World, partition: int
) -> None:
    one, *_ = await usernames(world)
    file = await exported(client, partition, "moodle-users", left_out=1)
    first, second, *_ = file.decode().splitlines(keepends=True)
    group = '=1+1 "x", é'
    assert first + second == table(("username", "course1", "group1"), (one, world.course, group))
    assert peers.moodle_users(file, world.course) == await in_groups(world)
    named = await exported(client, partition, "moodle-users", left_out=1, course_name="PROG 1")
    assert peers.moodle_users(named, "PROG 1") == await in_groups(world)


async def test_brightspace_gets_enrollments_by_the_codes_of_groups(
    client: httpx.AsyncClient, world: World, partition: int
) -> None:
    one, two, three, four, _ = await usernames(world)
    file = await exported(client, partition, "brightspace-groups", left_out=1)
    first, second, *_ = file.decode().splitlines(keepends=True)
    group = '=1+1 "x", é'
    assert first + second == table(
        ("Action", "Username", "Org Defined ID", "Group Name", "Group Code"),
        ("ENROLL", one, "", group, group),
    )
    found = peers.brightspace(file, (group, "'B"), (one, two, three, four))
    assert found == await in_groups(world)


@pytest.mark.parametrize("shape", [shape.name for shape in SHAPES])
async def test_pages_are_of_one_file(
    client: httpx.AsyncClient,
    world: World,
    partition: int,
    monkeypatch: pytest.MonkeyPatch,
    shape: str,
) -> None:
    left_out = 0 if shape in ("moodle-groups", "openedx-cohorts") else 1
    said = {"partition_name": "TD"} if shape == "openedx-teams" else {}
    whole = await exported(client, partition, shape, left_out=left_out, **said)
    assert len(whole.splitlines()) == {"moodle-groups": 4, "openedx-cohorts": 6}.get(shape, 5)
    for size in (1, 5):
        monkeypatch.setattr("groupsvc.import_export.exports.PAGE", size)
        assert await exported(client, partition, shape, left_out=left_out, **said) == whole


async def test_a_username_that_cannot_be_read_is_left_out(
    client: httpx.AsyncClient, world: World, partition: int
) -> None:
    name, *_ = await usernames(world)
    for odd, left_out in ((f"{name}\nx", (2, 2)), (f'{name}\\"', (1, 2)), (f"{name}\\x", (1, 1))):
        await world.sql(
            "UPDATE users SET username = :odd WHERE id = :id", odd=odd, id=world.users[0]
        )
        for shape, count in zip(("canvas-groups", "moodle-users"), left_out, strict=True):
            file = await exported(client, partition, shape, left_out=count)
            assert len(file.splitlines()) == 6 - count


async def test_patterns_mean_the_same_to_the_database(sql: SQL) -> None:
    texts = (
        "a",
        "a\nb",
        "\x7f",
        "a\\",
        'a\\"b',
        "a\\b",
        "12",
        "-1.5e3",
        ".5",
        "1.",
        "12a",
        "",
        "é",
        "\ufeffa",
        "mode",
        "modes",
    )
    for shape in SHAPES:
        for each in (*shape.unfit, *shape.unfit_groups, *shape.unfit_partitions):
            for text in texts:
                ((found,),) = await sql(
                    "SELECT CAST(:text AS text) ~ CAST(:pattern AS text)",
                    text=text,
                    pattern=each.pattern,
                )
                assert found == bool(re.search(each.pattern, text)), (each.pattern, text)


async def test_names_that_would_be_misread_are_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("T\\")
    group = await world.add_group(partition, "12")
    words = "Moodle does not take the group '12': it is taken for the id of a group"
    assert await refused(client, partition, "moodle-users") == unfit(words)
    words = "Moodle does not take the name of the partition: it has a backslash before a quote or"
    assert await refused(client, partition, "moodle-groups") == unfit(f"{words} at its end")
    await exported(client, partition, "canvas-groups")
    await world.sql("UPDATE groups SET name = 'A' WHERE id = :id", id=group)
    await exported(client, partition, "moodle-users")
    words = "Moodle does not take the name of the course: it has a line break or another control"
    found = await refused(client, partition, "moodle-users", course_name="a\nb")
    assert found == unfit(f"{words} character")


async def test_brightspace_has_groups_of_200(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition("TD")
    group = await world.add_group(partition, "A")
    more = await world.add_users(196)
    await world.enroll(*more)
    await join(world, partition, group, *world.users, *more)
    words = "Brightspace does not take the group 'A': it has more than 200 members"
    assert await refused(client, partition, "brightspace-groups") == unfit(words)
    await world.sql("UPDATE enrollments SET state = 'defaulted' WHERE user_id = :id", id=more[0])
    await exported(client, partition, "brightspace-groups", left_out=1)


async def test_a_partition_without_groups_is_a_header(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("TD")
    for shape in SHAPES:
        header = table([name.format(partition="TD") for name in shape.columns])
        assert (await exported(client, partition, shape.name)).decode() == header


async def test_what_is_refused(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    partition = await world.add_partition("TD")
    address = f"/v1/partitions/{partition}/export"
    query = "?as=canvas-groups"
    assert told(await anonymous.get(address + query)) == ANONYMOUS
    missing = problem(404, "not_found", "no such partition")
    elsewhere = auth("groups:read@course:course-v1:Other+C+2026")
    assert told(await anonymous.get(address + query, headers=elsewhere)) == missing
    gone = "/v1/partitions/999999999999/export?as=canvas-groups"
    assert told(await client.get(gone)) == missing
    writer = auth(f"groups:write@course:{world.course}", "groups:read@course:other")
    words = "this needs another permission here"
    forbidden = problem(403, "forbidden", words, permission="groups:read")
    assert told(await anonymous.get(address + query, headers=writer)) == forbidden
    names = "'canvas-groups', 'moodle-groups', 'moodle-users', 'brightspace-groups', "
    assert told(await client.get(f"{address}?as=canvas")) == invalid(
        "#/query/as",
        "literal_error",
        f"Input should be {names}'openedx-cohorts' or 'openedx-teams'",
    )
    ((default,),) = await world.sql(
        "SELECT id FROM partitions WHERE course_id = :id AND kind = 'default'", id=world.course_id
    )
    words = "the default partition is derived from the roster"
    found = await refused(client, default, "canvas-groups")
    assert found == problem(409, "default_partition", words)


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ("canvas-groups", "assignments"),
        ("moodle-groups", "structure"),
        ("brightspace-groups", "assignments"),
        ("openedx-cohorts", "assignments"),
        ("openedx-teams", "assignments"),
    ],
)
async def test_imports_read_what_exports_write(
    client: httpx.AsyncClient, world: World, sql: SQL, partition: int, shape: str, kind: str
) -> None:
    """Told by the header, into another course of the same students: what goes out there is the
    same."""
    left_out = 0 if shape in ("moodle-groups", "openedx-cohorts") else 1
    said = {"partition_name": "TD"} if shape == "openedx-teams" else {}
    file = await exported(client, partition, shape, left_out=left_out, **said)
    course_id, key = await world.add_course()
    other = World(sql, world.department, world.department_id, course_id, key, world.users)
    await other.enroll(*world.users)
    query = {"course": key, "partition": "TD, 1"} | ({"create": "true"} if kind[0] == "a" else {})
    answer = await upload(client, f"{kind}.csv", file, **query)
    assert answer.status_code == 200, answer.text
    assert all(row["result"] in ("assigned", "created") for row in answer.json()["rows"])
    ((copy,),) = await sql(
        "SELECT id FROM partitions WHERE course_id = :id AND kind = 'ordinary'", id=course_id
    )
    assert await exported(client, copy, shape, **said) == file


async def test_openedx_gets_teams_of_a_team_set(
    client: httpx.AsyncClient, world: World, partition: int
) -> None:
    words = "Open edX does not take the name of the partition: it has other characters than letters"
    found = await refused(client, partition, "openedx-teams")
    assert found == unfit(f"{words} without accents, digits, _ . - and spaces")
    said = {"partition_name": "td-1", "mode": "verified"}
    file = await exported(client, partition, "openedx-teams", left_out=1, **said)
    names = await usernames(world)
    found = peers.openedx_teams(file, dict.fromkeys(names, "verified"), ["td-1"])
    assert found == await in_groups(world)
    assert file.splitlines()[0] == b"username,mode,td-1"
    answer = await client.get(f"/v1/partitions/{partition}/export?as=canvas-groups&mode=audit")
    assert told(answer) == problem(422, "invalid", "canvas-groups has no mode in it")
    found = await refused(client, partition, "openedx-teams", partition_name="mode")
    words = "Open edX does not take the name of the partition: it is the name of another column"
    assert found == unfit(words)
