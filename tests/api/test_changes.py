"""The journal, and reads of the past."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.conftest import SQL, Auth, MakeWorld, World


async def now(sql: SQL) -> str:
    """The time of the server; whatever is logged from here on is later."""
    ((time,),) = await sql(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    )
    return time


async def journal(client: httpx.AsyncClient, **filters: Any) -> list[dict[str, Any]]:
    answer = await client.get("/v1/changes", params={"limit": 200, **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def ids(client: httpx.AsyncClient, path: str) -> list[int]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    items = answer.json()
    return [each["id"] for each in (items["items"] if isinstance(items, dict) else items)]


async def test_a_line_tells_what_was_changed_when_and_by_whom(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    group = await world.add_group(await world.add_partition())
    user = world.users[0]
    headers = {"x-request-id": "the-request"}
    await client.put(f"/v1/groups/{group}/members/{user}", headers=headers)
    ((partition, time, changeset, seq),) = await sql(
        "SELECT partition_id, to_json(at) #>> '{}', changeset_id::text, seq FROM changes"
        " WHERE user_id = :user AND kind = 'membership.assigned'",
        user=user,
    )
    assert (await journal(client, course_id=world.course_id))[0] == {
        "seq": seq,
        "course_id": world.course_id,
        "at": time,
        "actor": "root",
        "request_id": "the-request",
        "changeset_id": changeset,
        "cause": None,
        "kind": "membership.assigned",
        "partition_id": partition,
        "group_id": group,
        "user_id": user,
        "before": None,
        "after": {"group_id": group, "group_name": "A", "partition_name": "TD"},
    }


async def test_one_request_is_one_changeset(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition()
    await world.add_group(partition)
    rows = {"rows": [{"user_id": user, "group": "A"} for user in world.users]}
    path = f"/v1/partitions/{partition}/assignments"
    await client.post(path, json=rows, headers={"x-request-id": "bulk"})
    await client.delete(f"/v1/partitions/{partition}", headers={"x-request-id": "delete"})
    lines = await journal(client, course_id=world.course_id, partition_id=partition)
    sets = {(line["request_id"], line["changeset_id"]) for line in lines if line["request_id"]}
    assert sorted(request for request, _ in sets) == ["bulk", "delete"]
    assert len({changeset for _, changeset in sets}) == 2


async def test_the_journal_is_filtered(client: httpx.AsyncClient, world: World) -> None:
    first, second = await world.add_partition("TD"), await world.add_partition("TP")
    a, b = await world.add_group(first), await world.add_group(second)
    one, two = world.users[:2]
    for group, user in ((a, one), (a, two), (b, one)):
        headers = {"x-request-id": f"{world.department}-{group}-{user}"}
        await client.put(f"/v1/groups/{group}/members/{user}", headers=headers)
    assigned = {"course_id": world.course_id, "kind": "membership.assigned"}

    async def found(**filters: Any) -> list[tuple[int, int]]:
        lines = await journal(client, **assigned, **filters)
        return [(line["group_id"], line["user_id"]) for line in lines]

    assert await found() == [(b, one), (a, two), (a, one)]
    assert await found(user_id=one) == [(b, one), (a, one)]
    assert await found(group_id=a) == [(a, two), (a, one)]
    assert await found(partition_id=second) == [(b, one)]
    assert await found(user_id=one, group_id=a) == [(a, one)]
    assert await found(actor="root") == [(b, one), (a, two), (a, one)]
    assert await found(actor="nobody") == []
    assert await found(request_id=f"{world.department}-{a}-{two}") == [(a, two)]
    (line,) = await journal(client, **assigned, group_id=b)
    assert await found(changeset_id=line["changeset_id"]) == [(b, one)]
    assert await found(changeset_id=str(uuid.uuid4())) == []
    assert await found(since=line["at"]) == [(b, one)]
    assert await found(until=line["at"]) == [(a, two), (a, one)]


async def test_the_journal_comes_in_pages(client: httpx.AsyncClient, world: World) -> None:
    whole = await journal(client, course_id=world.course_id)
    path, found = f"/v1/changes?course_id={world.course_id}&limit=2", []
    while path:
        answer = await client.get(path)
        found += answer.json()["items"]
        link = answer.links.get("next", {}).get("url")
        path = link and f"/v1/changes{link}"
    assert (found, len(whole)) == (whole, 8)
    assert [line["seq"] for line in found] == sorted((line["seq"] for line in found), reverse=True)


async def test_lines_that_come_meanwhile_do_not_move_a_page(
    client: httpx.AsyncClient, world: World
) -> None:
    whole = await journal(client, course_id=world.course_id)
    first = (await client.get(f"/v1/changes?course_id={world.course_id}&limit=3")).json()
    await world.add_partition()
    path = f"/v1/changes?course_id={world.course_id}&cursor={first['next_cursor']}"
    rest = (await client.get(path)).json()
    assert first["items"] + rest["items"] == whole


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        ("groups:read", {"here", "there", "outside"}),
        ("groups:read@department:{department}", {"here"}),
        ("groups:read@course:{course}", {"here"}),
        ("groups:read@department:nowhere", set()),
    ],
)
async def test_a_caller_sees_the_lines_of_places_that_he_may_read(
    anonymous: httpx.AsyncClient,
    world: World,
    make_world: MakeWorld,
    auth: Auth,
    grant: str,
    sees: set[str],
) -> None:
    other = await make_world(1)
    anonymous_headers = auth(grant.format(department=world.department, course=world.course))
    answer = await anonymous.get("/v1/changes", params={"limit": 200}, headers=anonymous_headers)
    places = {world.course_id: "here", other.course_id: "there", None: "outside"}
    lines = answer.json()["items"]
    assert {places[line["course_id"]] for line in lines if line["course_id"] in places} == sees


async def test_a_course_out_of_sight_has_no_lines(
    anonymous: httpx.AsyncClient, world: World, auth: Auth
) -> None:
    headers = auth("groups:read@department:nowhere")
    answer = await anonymous.get(f"/v1/changes?course_id={world.course_id}", headers=headers)
    assert answer.json() == {"items": [], "next_cursor": None}


async def test_the_lines_of_a_deleted_course_stay_for_those_who_see_everything(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, auth: Auth
) -> None:
    await client.delete(f"/v1/courses/{world.course_id}")
    lines = await journal(client, course_id=world.course_id)
    assert lines[0]["kind"] == "course.deleted"
    headers = auth(f"groups:read@department:{world.department}")
    answer = await anonymous.get(f"/v1/changes?course_id={world.course_id}", headers=headers)
    assert answer.json()["items"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("since=yesterday", "#/query/since"),
        ("since=0.5", "#/query/since"),
        ("until=1767225600", "#/query/until"),
        ("since=2026-01-01T00:00:00", "#/query/since"),
        ("changeset_id=1", "#/query/changeset_id"),
        ("course_id=0", "#/query/course_id"),
        ("user_id=9223372036854775808", "#/query/user_id"),
        ("actor=%00", "#/query/actor"),
        ("limit=0", "#/query/limit"),
        ("limit=201", "#/query/limit"),
        ("cursor=x", "#/query/cursor"),
        ("cursor=WyJhIl0", "#/query/cursor"),
        ("cursor=WzFlOTk5XQ", "#/query/cursor"),
        ("cursor=WzkyMjMzNzIwMzY4NTQ3NzU4MDhd", "#/query/cursor"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, query: str, pointer: str
) -> None:
    answer = told(await client.get(f"/v1/changes?{query}"))
    assert (answer["status"], [each["pointer"] for each in answer["errors"]]) == (422, [pointer])


async def test_the_groups_of_a_user_as_they_were(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition("TD")
    a, b = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    user, times = world.users[0], [await now(sql)]
    for request in (
        client.put(f"/v1/groups/{a}/members/{user}"),
        client.patch(f"/v1/groups/{a}", json={"name": "A2"}),
        client.put(f"/v1/groups/{b}/members/{user}"),
        client.delete(f"/v1/groups/{b}"),
        client.put(f"/v1/groups/{a}/members/{user}"),
        client.delete(f"/v1/partitions/{partition}"),
    ):
        assert (await request).is_success
        times.append(await now(sql))
    path = f"/v1/courses/{world.course_id}/users/{user}/groups"
    then = [(await client.get(path, params={"as_of": time})).json() for time in times]
    where = {"partition_id": partition, "partition_name": "TD"}
    in_a, in_b = (
        {**where, "group_id": a, "group_name": "A"},
        {**where, "group_id": b, "group_name": "B"},
    )
    renamed = in_a | {"group_name": "A2"}
    assert then == [[], [in_a], [in_a], [in_b], [], [renamed], []]
    assert (await client.get(path)).json() == []


async def test_the_members_of_a_group_as_they_were(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition("TD")
    a, b = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    one, two, three = world.users[:3]
    times = [await now(sql)]
    for request in (
        client.put(f"/v1/groups/{a}/members/{one}"),
        client.put(f"/v1/groups/{a}/members/{two}"),
        client.put(f"/v1/groups/{b}/members/{one}"),
        client.delete(f"/v1/groups/{a}/members/{two}"),
        client.put(f"/v1/groups/{a}/members/{three}"),
        client.delete(f"/v1/courses/{world.course_id}/enrollments/{three}"),
    ):
        assert (await request).is_success
        times.append(await now(sql))
    path = f"/v1/groups/{a}/members?as_of="
    then = [await ids(client, path + time) for time in times]
    assert then == [[], [one], [one, two], [two], [], [three], []]


@pytest.mark.parametrize("gone", ["groups", "partitions"])
async def test_the_past_of_a_deleted_group_is_as_it_was(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth, gone: str
) -> None:
    partition = await world.add_partition("TD")
    a, b = await world.add_group(partition, "A"), await world.add_group(partition, "B")
    one, two = world.users[:2]
    times = [await now(sql)]
    for request in (
        client.put(f"/v1/groups/{a}/members/{one}"),
        client.put(f"/v1/groups/{a}/members/{two}"),
        client.put(f"/v1/groups/{b}/members/{one}"),
        client.delete(f"/v1/{gone}/{a if gone == 'groups' else partition}"),
    ):
        assert (await request).is_success
        times.append(await now(sql))
    path = f"/v1/groups/{a}/members"
    then = [await ids(client, f"{path}?as_of={time}") for time in times]
    assert then == [[], [one], [one, two], [two], []]
    assert told(await client.get(path)) == problem(404, "not_found", "no such group")
    before = f"{path}?as_of={times[2]}"
    here, elsewhere = f"groups:read@course:{world.course}", "groups:read@course:elsewhere"
    reads = await client.get(before, headers=auth(here))
    assert [member["id"] for member in reads.json()["items"]] == [one, two]
    stranger = await client.get(before, headers=auth(elsewhere))
    assert told(stranger) == problem(404, "not_found", "no such group")
    writes = await client.get(
        before, headers=auth(f"groups:write@course:{world.course}", elsewhere)
    )
    assert writes.status_code == 403


async def test_past_members_come_in_pages_without_a_state(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    group = await world.add_group(await world.add_partition())
    for user in world.users:
        await client.put(f"/v1/groups/{group}/members/{user}")
    time = await now(sql)
    for user in world.users:
        await client.delete(f"/v1/groups/{group}/members/{user}")
    path = f"/v1/groups/{group}/members?as_of={time}&limit=3"
    first = (await client.get(path)).json()
    rest = await ids(client, f"{path}&cursor={first['next_cursor']}")
    assert [member["id"] for member in first["items"]] + rest == world.users
    assert first["items"][0].keys() == {
        "id",
        "username",
        "family_name",
        "given_name",
        "email",
        "student_number",
    }


async def test_the_members_of_the_default_group_were_those_enrolled_then(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    ((default,),) = await sql(
        "SELECT id FROM groups WHERE course_id = :id AND name IS NULL", id=world.course_id
    )
    one, two = world.users[:2]
    path = f"/v1/courses/{world.course_id}/enrollments"
    times = [await now(sql)]
    for request in (
        client.delete(f"{path}/{one}"),
        client.patch(f"{path}/{two}", json={"state": "withdrawn"}),
        client.put(f"{path}/{one}", json={"state": "active"}),
    ):
        assert (await request).is_success
        times.append(await now(sql))
    path = f"/v1/groups/{default}/members?as_of="
    then = [await ids(client, path + time) for time in times]
    assert then == [world.users, world.users[1:], world.users[1:], world.users]


async def test_what_raced_is_told_of_the_past_as_it_ended(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    partition = await world.add_partition()
    groups = [await world.add_group(partition, f"G{n}") for n in range(4)]
    user = world.users[0]
    await asyncio.gather(
        *(client.put(f"/v1/groups/{groups[n % 4]}/members/{user}") for n in range(16))
    )
    path = f"/v1/courses/{world.course_id}/users/{user}/groups"
    then = (await client.get(path, params={"as_of": await now(sql)})).json()
    assert [each["group_id"] for each in then] == await ids(client, path)


async def test_a_time_needs_its_offset(client: httpx.AsyncClient, world: World) -> None:
    group = await world.add_group(await world.add_partition())
    path = f"/v1/groups/{group}/members?as_of=2026-01-01T00:00:00"
    message = "Input should have timezone info"
    assert told(await client.get(path)) == problem(
        422,
        "invalid",
        "one value is not valid",
        errors=[{"pointer": "#/query/as_of", "code": "timezone_aware", "message": message}],
    )


async def test_groups_and_partitions_are_read_as_they_were(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    """Before they were made, renamed, put in order, and deleted; and after they came back."""
    course = f"/v1/courses/{world.course_id}"
    never = await now(sql)
    partition = (await client.post(f"{course}/partitions", json={"name": "TD"})).json()["id"]
    link = {"content_partition_id": 50, "content_group_id": 1}
    for name in ("A", "B"):
        body = {"name": name, "capacity": 9, "content_link": link}
        await client.post(f"/v1/partitions/{partition}/groups", json=body)
    made = (await client.get(f"/v1/partitions/{partition}")).json()["groups"]
    paths = [f"/v1/partitions/{partition}", *(f"/v1/groups/{group['id']}" for group in made)]
    moments = []

    async def moment() -> None:
        then = [await client.get(path) for path in paths]
        moments.append((await now(sql), [(each.status_code, each.text) for each in then]))

    for request in (
        client.patch(paths[1], json={"name": "C", "content_link": None}),
        client.put(f"{paths[0]}/groups/order", json={"by": "name"}),
        client.patch(paths[0], json={"name": "TP", "show_in_lists": False}),
        client.delete(paths[2]),
        client.delete(paths[0]),
    ):
        await moment()
        assert (await request).is_success
    await moment()
    (line, *_) = await journal(client, course_id=world.course_id)
    assert (await client.post(f"/v1/changesets/{line['changeset_id']}/undo")).status_code == 200
    await moment()
    for time, then in moments:
        past = [await client.get(path, params={"as_of": time}) for path in paths]
        known = [(each.status_code, each.text if each.is_success else "") for each in past]
        assert known == [(status, text if status == 200 else "") for status, text in then]
    assert [[status for status, _ in then] for _, then in moments] == [
        *([200, 200, 200],) * 4,
        [200, 200, 404],
        [404, 404, 404],
        [200, 200, 404],
    ]
    assert (await client.get(paths[0], params={"as_of": never})).status_code == 404
    assert (await client.get(paths[1], params={"as_of": never})).status_code == 404


@pytest.mark.parametrize("path", ["/v1/partitions/{partition}", "/v1/groups/{group}"])
async def test_the_past_is_for_those_who_may_read_the_course(
    client: httpx.AsyncClient, sql: SQL, world: World, auth: Auth, path: str
) -> None:
    partition = await world.add_partition("TD")
    path = path.format(partition=partition, group=await world.add_group(partition))
    query = {"as_of": await now(sql)}
    await client.delete(f"/v1/partitions/{partition}")
    grants = {
        f"groups:read@course:{world.course}": 200,
        "groups:read@course:elsewhere": 404,
        "groups:write": 403,
    }
    for grant, status in grants.items():
        headers = auth(grant, "groups:read@department:elsewhere")
        assert (await client.get(path, params=query, headers=headers)).status_code == status
