import unicodedata
from typing import Any

import httpx
import pytest

from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, World

LOCKED = problem(409, "course_locked", "the course is locked")
TAKEN = problem(409, "name_taken", "a partition of the course has this name")
DERIVED = problem(
    409,
    "default_partition",
    "the default partition is derived from the roster and cannot be edited",
)
BAD_NAME = problem(
    422,
    "invalid_name",
    "the name must have 1 to 255 characters that can be stored",
    errors=[
        {
            "pointer": "#/name",
            "code": "invalid_name",
            "message": "the name must have 1 to 255 characters that can be stored",
        }
    ],
)
MEMBERSHIP = (
    "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
    " VALUES (:course, :partition, :user, :group)"
)


def partitions_of(world: World) -> str:
    return f"/v1/courses/{world.course_id}/partitions"


def shown(world: World, partition: int, name: str | None, **more: Any) -> dict[str, Any]:
    """A partition as it is answered, where it differs from a plain one at the first place."""
    return {
        "id": partition,
        "course_id": world.course_id,
        "kind": "ordinary",
        "name": name,
        "position": 1,
        "groups_editable": True,
        "show_in_lists": True,
        "show_rank_on_report": False,
        "groups": [],
        **more,
    }


async def names(client: httpx.AsyncClient, world: World) -> list[tuple[str, int]]:
    listed = (await client.get(partitions_of(world))).json()
    return [(partition["name"], partition["position"]) for partition in listed]


async def default_partition(sql: SQL, world: World) -> int:
    ((partition,),) = await sql(
        "SELECT id FROM partitions WHERE course_id = :id AND kind = 'default'", id=world.course_id
    )
    return partition


async def lock(sql: SQL, world: World) -> None:
    await sql("UPDATE courses SET is_locked = true WHERE id = :id", id=world.course_id)


async def test_a_partition_is_created_at_the_end(client: httpx.AsyncClient, world: World) -> None:
    await client.post(partitions_of(world), json={"name": "TD"})
    answer = await client.post(partitions_of(world), json={"name": "TP"})
    made = answer.json()
    assert (answer.status_code, made) == (201, shown(world, made["id"], "TP", position=2))
    assert answer.headers["location"] == f"/v1/partitions/{made['id']}"
    read = await client.get(answer.headers["location"])
    assert (read.content, read.headers["etag"]) == (answer.content, answer.headers["etag"])


async def test_a_partition_is_created_with_its_flags(
    client: httpx.AsyncClient, world: World
) -> None:
    flags = {"groups_editable": False, "show_in_lists": False, "show_rank_on_report": True}
    made = (await client.post(partitions_of(world), json={"name": "TD", **flags})).json()
    assert made == shown(world, made["id"], "TD", **flags)


@pytest.mark.parametrize(
    ("position", "order"),
    [
        (1, ["new", "A", "B"]),
        (2, ["A", "new", "B"]),
        (3, ["A", "B", "new"]),
        (99, ["A", "B", "new"]),
    ],
)
async def test_a_partition_is_created_at_a_position_and_pushes_the_others_back(
    client: httpx.AsyncClient, world: World, position: int, order: list[str]
) -> None:
    for name in "AB":
        await client.post(partitions_of(world), json={"name": name})
    await client.post(partitions_of(world), json={"name": "new", "position": position})
    assert await names(client, world) == list(zip(order, (1, 2, 3), strict=True))


@pytest.mark.parametrize("name", ["  TD\t", "TD\u3000"])
async def test_a_name_is_trimmed(client: httpx.AsyncClient, world: World, name: str) -> None:
    made = await client.post(partitions_of(world), json={"name": name})
    assert made.json()["name"] == "TD"


async def test_a_name_is_composed(client: httpx.AsyncClient, world: World) -> None:
    made = await client.post(partitions_of(world), json={"name": "Fe\u0301vrier"})
    assert made.json()["name"] == "F\u00e9vrier"


@pytest.mark.parametrize("name", ["TD", " TD ", "e\u0301te", "\u00e9te"])
async def test_a_name_is_used_once_in_a_course(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    for taken in ("TD", "\u00e9te"):
        await world.add_partition(taken)
    assert told(await client.post(partitions_of(world), json={"name": name})) == TAKEN


async def test_a_name_may_be_used_in_every_course(client: httpx.AsyncClient, world: World) -> None:
    await world.add_partition("TD")
    world.course_id, _ = await world.add_course()
    answer = await client.post(partitions_of(world), json={"name": "TD"})
    assert answer.status_code == 201


@pytest.mark.parametrize("name", ["", " \u2003\n", "x" * 256])
async def test_a_name_has_1_to_255_characters(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    assert told(await client.post(partitions_of(world), json={"name": name})) == BAD_NAME
    partition = await world.add_partition()
    refused = await client.patch(f"/v1/partitions/{partition}", json={"name": name})
    assert told(refused) == BAD_NAME


@pytest.mark.parametrize("name", ["x" * 255, "\U0001f600" * 255, "a/b?c#d", "<b>", "\u0645\u062c"])
async def test_any_text_that_can_be_stored_is_a_name(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    made = await client.post(partitions_of(world), json={"name": name})
    assert (made.status_code, made.json()["name"]) == (201, name)


async def test_characters_that_only_the_server_composes_make_no_name(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    name = "\U000105d2\u0307"  # one character since Unicode 16
    ((is_composed,),) = await sql("SELECT CAST(:name AS text) IS NFC NORMALIZED", name=name)
    if is_composed or unicodedata.normalize("NFC", name) != name:
        pytest.skip("this server and this Python know the same characters")
    refused = await client.post(partitions_of(world), json={"name": name})
    assert told(refused) == problem(422, "invalid_name", "the name cannot be stored as it is")


async def test_partitions_are_listed_in_order_with_their_groups_in_order(
    client: httpx.AsyncClient, world: World
) -> None:
    late = await world.add_partition("first made", position=2)
    early = await world.add_partition("then made", position=1)
    for name, position in (("C", 2), ("B", 1), ("A", 2)):
        await world.add_group(early, name, position=position)
    listed = (await client.get(partitions_of(world))).json()
    assert [partition["id"] for partition in listed] == [early, late]
    assert [group["name"] for group in listed[0]["groups"]] == ["B", "A", "C"]


async def test_the_default_partition_is_read_but_never_listed(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    default = await default_partition(sql, world)
    assert (await client.get(partitions_of(world))).json() == []
    read = (await client.get(f"/v1/partitions/{default}")).json()
    (group,) = read.pop("groups")
    flags = {"kind": "default", "position": 0, "groups_editable": False, "show_in_lists": False}
    assert read | {"groups": []} == shown(world, default, None, **flags)
    assert group["name"] is None
    by_course = await client.get(f"/v1/courses/{world.course_id}/default-partition")
    assert by_course.json() == {**read, "groups": [group]}
    nowhere = await client.get(f"/v1/courses/{2**40}/default-partition")
    assert told(nowhere) == problem(404, "not_found", "no such course")


@pytest.mark.parametrize(
    "change",
    [
        {"name": "TP"},
        {"groups_editable": False},
        {"show_in_lists": False},
        {"show_rank_on_report": True},
        {
            "name": "TP",
            "groups_editable": False,
            "show_in_lists": False,
            "show_rank_on_report": True,
        },
    ],
)
async def test_a_patch_changes_what_it_names_and_nothing_else(
    client: httpx.AsyncClient, world: World, change: dict[str, Any]
) -> None:
    partition = await world.add_partition("TD")
    answer = await client.patch(f"/v1/partitions/{partition}", json=change)
    expected = shown(world, partition, "TD") | change
    assert (answer.status_code, answer.json()) == (200, expected)
    assert (await client.get(f"/v1/partitions/{partition}")).json() == expected
    ((_, _, _, before, after),) = await world.log("partition.updated")
    assert {name: after[name] for name in change} == change
    assert {**after, **{name: before[name] for name in change}} == before


@pytest.mark.parametrize("change", [{}, {"name": " TD "}, {"show_in_lists": True}])
async def test_a_patch_without_a_difference_leaves_no_line(
    client: httpx.AsyncClient, world: World, change: dict[str, Any]
) -> None:
    partition = await world.add_partition("TD")
    before = await world.log()
    answer = await client.patch(f"/v1/partitions/{partition}", json=change)
    assert (answer.status_code, answer.json()) == (200, shown(world, partition, "TD"))
    assert await world.log() == before


async def test_a_partition_is_not_renamed_to_a_name_in_use(
    client: httpx.AsyncClient, world: World
) -> None:
    await world.add_partition("TD")
    partition = await world.add_partition("TP")
    change = {"name": "TD", "show_in_lists": False}
    assert told(await client.patch(f"/v1/partitions/{partition}", json=change)) == TAKEN
    read = await client.get(f"/v1/partitions/{partition}")
    assert read.json() == shown(world, partition, "TP")


async def test_a_position_is_not_patched(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition()
    refused = await client.patch(f"/v1/partitions/{partition}", json={"position": 1})
    assert told(refused) == invalid(
        "#/position", "extra_forbidden", "Extra inputs are not permitted"
    )


async def test_deleting_a_partition_ends_its_memberships_one_by_one(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    for user in world.users[:2]:
        place = {"course": world.course_id, "partition": partition, "group": group}
        await sql(MEMBERSHIP, **place, user=user)
    before = len(await world.log())
    answer = await client.delete(f"/v1/partitions/{partition}")
    assert (answer.status_code, answer.content) == (204, b"")
    lines = (await world.log())[before:]
    assert [(kind, user, of) for kind, user, of, _, _ in lines] == [
        ("membership.removed", world.users[0], group),
        ("membership.removed", world.users[1], group),
        ("group.deleted", None, group),
        ("partition.deleted", None, None),
    ]
    enrolled = await sql("SELECT 1 FROM enrollments WHERE course_id = :id", id=world.course_id)
    assert len(enrolled) == 5


async def test_what_is_deleted_is_not_there(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    await client.delete(f"/v1/partitions/{partition}")
    gone = problem(404, "not_found", "no such partition")
    assert told(await client.get(f"/v1/partitions/{partition}")) == gone
    assert told(await client.delete(f"/v1/partitions/{partition}")) == gone
    assert told(await client.patch(f"/v1/partitions/{partition}", json={})) == gone
    absent = problem(404, "not_found", "no such group")
    assert told(await client.get(f"/v1/groups/{group}")) == absent


async def test_the_name_of_a_deleted_partition_is_free(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("TD")
    await client.delete(f"/v1/partitions/{partition}")
    answer = await client.post(partitions_of(world), json={"name": "TD"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "refusal"),
    [
        ("PATCH", "", {"show_in_lists": True}, DERIVED),
        (
            "PATCH",
            "",
            {"name": "TD"},
            problem(409, "default_partition", "this partition keeps its name"),
        ),
        ("DELETE", "", None, DERIVED),
        (
            "POST",
            "/groups",
            {"name": "A"},
            problem(409, "groups_not_editable", "the groups of this partition are not editable"),
        ),
        (
            "POST",
            "/assignments",
            {"rows": []},
            problem(409, "default_partition", "the default partition is derived from the roster"),
        ),
        (
            "DELETE",
            "/members/{user}",
            None,
            problem(409, "default_partition", "the default group is derived from the roster"),
        ),
    ],
)
async def test_the_default_partition_is_not_changed(
    client: httpx.AsyncClient,
    sql: SQL,
    world: World,
    method: str,
    path: str,
    body: Any,
    refusal: dict[str, Any],
) -> None:
    default = await default_partition(sql, world)
    before = await world.log()
    path = f"/v1/partitions/{default}{path.format(user=world.users[0])}"
    assert told(await client.request(method, path, json=body)) == refusal
    assert await world.log() == before


@pytest.mark.parametrize(
    ("kind", "flags"), [("tracks", {"groups_editable": False}), ("cohorts", {})]
)
async def test_a_special_partition_keeps_its_name(
    client: httpx.AsyncClient, world: World, kind: str, flags: dict[str, bool]
) -> None:
    partition = await world.add_partition("special", kind, **flags)
    path = f"/v1/partitions/{partition}"
    refused = await client.patch(path, json={"name": "other"})
    assert told(refused) == problem(409, f"{kind}_partition", "this partition keeps its name")
    kept = await client.patch(path, json={"name": "special", "show_in_lists": False})
    assert (kept.status_code, kept.json()["show_in_lists"]) == (200, False)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/courses/{course}/partitions", {"name": "new"}),
        ("PUT", "/v1/courses/{course}/partitions/order", {"ids": ["partition"]}),
        ("PUT", "/v1/courses/{course}/tracks", {"codes": ["A"]}),
        ("PATCH", "/v1/partitions/{partition}", {"name": "new"}),
        ("PATCH", "/v1/partitions/{partition}", {}),
        ("DELETE", "/v1/partitions/{partition}", None),
        ("POST", "/v1/partitions/{partition}/groups", {"name": "new"}),
        ("PUT", "/v1/partitions/{partition}/groups/order", {"ids": ["group"]}),
        ("PATCH", "/v1/groups/{group}", {"capacity": 3}),
        ("DELETE", "/v1/groups/{group}", None),
        ("PUT", "/v1/groups/{group}/members/{other}", None),
        ("PUT", "/v1/groups/{group}/members/{user}", None),
        ("DELETE", "/v1/groups/{group}/members/{user}", None),
        ("DELETE", "/v1/groups/{group}/members/{other}", None),
        ("DELETE", "/v1/partitions/{partition}/members/{user}", None),
        ("POST", "/v1/partitions/{partition}/assignments", {"rows": []}),
        ("POST", "/v1/partitions/{partition}/assignments", {"rows": [], "dry_run": True}),
        ("PUT", "/v1/courses/{course}/cohort-settings", {"is_cohorted": True}),
        ("PUT", "/v1/courses/{course}/content-partitions/1", {"name": "new"}),
        ("DELETE", "/v1/courses/{course}/content-partitions/1", None),
        ("DELETE", "/v1/courses/{course}/enrollments/{user}", None),
        ("DELETE", "/v1/courses/{course}", None),
    ],
)
async def test_a_locked_course_refuses_every_change(
    client: httpx.AsyncClient, sql: SQL, world: World, method: str, path: str, body: Any
) -> None:
    partition = await world.add_partition()
    group = await world.add_group(partition)
    user, other = world.users[:2]
    place = {"course": world.course_id, "partition": partition, "group": group}
    await sql(MEMBERSHIP, **place, user=user)
    await lock(sql, world)
    before = await world.log()
    if body and "ids" in body:
        body = {"ids": [place[name] for name in body["ids"]]}
    answer = await client.request(method, path.format(**place, user=user, other=other), json=body)
    assert told(answer) == LOCKED
    assert await world.log() == before
    assert await world.members(group) == [user]
