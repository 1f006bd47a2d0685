"""How streams of events begin, go on and end."""

import asyncio
import socket
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.api.logins import SECRET, fresh_name, issue, put
from tests.conftest import SQL, Auth, World
from tests.events.conftest import SMALL, Replicas
from tests.events.streams import streaming
from tests.waiting import PATIENCE, until

READ = "groups:read"


async def at_end(site: str, world: World, headers: dict[str, str], **query: Any) -> str:
    """Why a stream ends."""
    async with streaming(site, world.course_id, headers, **query) as stream:
        last = (await stream.rest())[-1]
    assert last.name == "end"
    reason: str = last.data["reason"]
    return reason


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_events_are_the_changes_that_the_lists_tell_of(
    site: str, client: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    async with streaming(site, world.course_id, auth(READ)) as stream:
        partition = await world.add_partition("TD")
        await world.add_group(partition, "A")
        events = [await stream.next(), await stream.next()]
    listed = await client.get(f"/v1/changes?course_id={world.course_id}&limit=2")
    told = [event.data for event in events if event is not None]
    assert told == listed.json()["items"][::-1]
    assert [change["kind"] for change in told] == ["partition.created", "group.created"]
    feed = f"/v1/courses/{world.course_id}/changes"
    whole = (await client.get(feed)).json()
    assert whole["items"][-2:] == told
    assert whole["next_cursor"] == stream.id
    assert whole["has_more"] is False
    first = events[0]
    assert first is not None
    rest = await client.get(feed, params={"after": first.id})
    assert rest.json() == {"items": told[1:], "next_cursor": stream.id, "has_more": False}
    nothing = await client.get(feed, params={"after": stream.id})
    assert nothing.json() == {"items": [], "next_cursor": stream.id, "has_more": False}


async def test_the_answer_is_for_no_cache_and_no_buffer(
    site: str, auth: Auth, world: World
) -> None:
    async with streaming(site, world.course_id, auth(READ)) as stream:
        headers = stream.answer.headers
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["cache-control"] == "no-store, no-transform"
        assert headers["x-accel-buffering"] == "no"
        assert headers["x-request-id"]
        assert "content-length" not in headers


@pytest.mark.parametrize("how", ["header", "query"])
async def test_it_resumes_after_any_change_at_any_replica(
    replica: Replicas, auth: Auth, world: World, how: str
) -> None:
    partition = await world.add_partition("TD")
    headers = auth(READ)
    first, second = await replica(), await replica()
    async with streaming(first, world.course_id, headers) as stream:
        await world.add_group(partition, "A")
        await stream.change()
    await world.add_group(partition, "B")
    query = {"after": stream.id} if how == "query" else {}
    known = stream.id if how == "header" else None
    async with streaming(second, world.course_id, headers, known=known, **query) as stream:
        assert (await stream.change())["after"]["name"] == "B"


async def test_nothing_of_other_courses_is_told(site: str, auth: Auth, world: World) -> None:
    other = await World(world.sql).make(1)
    async with streaming(site, world.course_id, auth(READ)) as stream:
        await other.add_partition("there")
        await world.add_partition("here")
        assert (await stream.change())["after"]["name"] == "here"


async def test_a_silent_stream_shows_that_it_is_there(
    replica: Replicas, auth: Auth, world: World
) -> None:
    site = await replica(event_heartbeat=0.1)
    async with streaming(site, world.course_id, auth(READ), seconds=1) as stream:
        assert [event.data for event in await stream.rest()] == [{"reason": "over"}]
    assert stream.pings > 0


@pytest.mark.parametrize("how", ["revoked", "disabled", "grant", "moved", "course"])
async def test_who_may_not_any_more_hears_nothing_more(
    site: str, client: httpx.AsyncClient, anonymous: httpx.AsyncClient, sql: SQL, world: World,
    how: str,
) -> None:  # fmt: skip
    name = fresh_name()
    grants = [f"{READ}@department:{world.department}"]
    await put(client, name, grants=grants, secret=SECRET)
    token = await issue(anonymous, name)
    async with streaming(site, world.course_id, bearing(token)) as stream:
        if how == "revoked":
            await anonymous.post("/v1/token/revoke", data={"token": token}, headers=bearing(token))
        elif how == "disabled":
            await put(client, name, grants=grants, secret=SECRET, is_active=False)
        elif how == "grant":
            other = await World(sql).make(0)
            elsewhere = [f"{READ}@department:{other.department}"]
            answer = await put(client, name, grants=elsewhere)
            assert answer.status_code == 200, answer.text
        elif how == "moved":
            other = await World(sql).make(0)
            await sql(
                "UPDATE courses SET department_id = :other WHERE id = :id",
                other=other.department_id,
                id=world.course_id,
            )
        else:
            gone = await client.delete(f"/v1/courses/{world.course_id}")
            assert gone.status_code == 204
        async with asyncio.timeout(PATIENCE):
            events = await stream.rest()
    reasons = {"grant": "permission_lost", "moved": "permission_lost", "course": "course_gone"}
    assert events[-1].name == "end"
    assert events[-1].data == {"reason": reasons.get(how, "token_ended")}
    if how == "course":
        assert events[-2].data["kind"] == "course.deleted"
    again = await client.get(f"{site}/v1/courses/{world.course_id}/changes", headers=bearing(token))
    assert again.status_code in (401, 404)


async def test_how_a_course_went_is_told_even_if_it_settles_after_the_look(
    site: str, client: httpx.AsyncClient, anonymous: httpx.AsyncClient, engine: AsyncEngine,
    auth: Auth, world: World,
) -> None:  # fmt: skip
    other = await World(world.sql).make(0)
    name = fresh_name()
    await put(client, name, grants=[READ], secret=SECRET)
    token = await issue(anonymous, name)
    async with (
        streaming(site, world.course_id, auth(READ)) as stream,
        streaming(site, other.course_id, bearing(token)) as control,
        engine.connect() as running,
    ):
        # Nothing that is numbered later is told while this is under way.
        await running.execution_options(isolation_level="READ COMMITTED")
        await running.execute(
            text(
                "INSERT INTO partitions (course_id, name, position)"
                f" VALUES ({other.course_id}, 'late', 0)"
            )
        )
        assert (await client.delete(f"/v1/courses/{world.course_id}")).status_code == 204
        await put(client, name, grants=[READ], secret=SECRET, is_active=False)
        assert [event.data for event in await control.rest()] == [{"reason": "token_ended"}]
        await running.commit()
        events = await stream.rest()
    assert events[-2].data["kind"] == "course.deleted"
    assert events[-1].data == {"reason": "course_gone"}


async def test_a_role_that_is_taken_away_ends_the_stream(
    site: str, client: httpx.AsyncClient, sql: SQL, auth: Auth, world: World
) -> None:
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    team = f"/v1/courses/{world.course_id}/team"
    body = {"members": [{"username": username, "roles": ["instructor"]}]}
    assert (await client.put(team, json=body)).status_code == 200
    async with streaming(
        site, world.course_id, auth(subject=username, username=username)
    ) as stream:
        # Others come and go: it stays.
        await put(client, fresh_name(), grants=[READ], secret=SECRET)
        partition = await world.add_partition("TD")
        assert (await stream.change())["partition_id"] == partition
        assert (await client.put(team, json={"members": []})).status_code == 200
        assert [event.data for event in await stream.rest()] == [{"reason": "permission_lost"}]


async def test_a_token_that_expires_ends_the_stream(
    site: str, client: httpx.AsyncClient, anonymous: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    name = fresh_name()
    await put(client, name, grants=[READ], secret=SECRET)
    token = await issue(anonymous, name)
    await sql(
        "UPDATE tokens SET expires_at = now() + interval '1 second' WHERE account_id ="
        " (SELECT id FROM accounts WHERE name = :name)",
        name=name,
    )
    assert await at_end(site, world, bearing(token)) == "token_ended"


async def test_one_caller_has_so_many_streams_and_another_has_others(
    replica: Replicas, auth: Auth, world: World
) -> None:
    site = await replica(event_streams_per_caller=1, event_streams=2)
    path = f"{site}/v1/courses/{world.course_id}/events"
    one, other, third = (auth(READ, subject=each) for each in ("one", "other", "third"))
    async with streaming(site, world.course_id, one), httpx.AsyncClient() as anew:
        refused = await anew.get(path, headers=one)
        assert refused.status_code == 429
        assert refused.json()["code"] == "too_many_streams"
        assert int(refused.headers["retry-after"]) > 0
        async with streaming(site, world.course_id, other):
            full = await anew.get(path, headers=third)
            assert (full.status_code, full.json()["code"]) == (503, "unavailable")
    # A place is free again once it is seen that somebody has gone.

    async def is_free() -> bool:
        async with httpx.AsyncClient() as anew:
            answer = await anew.get(path, headers=one, params={"seconds": 0})
            return answer.status_code == 200

    await until(is_free)


async def test_streams_are_no_requests_under_way(
    replica: Replicas, auth: Auth, world: World
) -> None:
    site = await replica(max_requests=1, request_timeout=0.5)
    headers = auth(READ)
    async with (
        streaming(site, world.course_id, headers, seconds=1.5) as one,
        streaming(site, world.course_id, headers),
        httpx.AsyncClient(base_url=site, headers=headers) as others,
    ):
        answer = await others.get(f"/v1/courses/{world.course_id}/changes")
        assert answer.status_code == 200
        # No deadline of requests has cut it off.
        assert [event.data for event in await one.rest()] == [{"reason": "over"}]


async def test_whoever_takes_nothing_is_cut_off_and_can_resume(
    replica: Replicas, auth: Auth, world: World
) -> None:
    site = await replica(event_poll=0.01, event_buffer=50)
    partition = await world.add_partition("TD")
    headers = auth(READ)
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)]
    narrow = httpx.AsyncHTTPTransport(socket_options=small)
    async with (
        streaming(site, world.course_id, headers, transport=narrow) as slow,
        streaming(site, world.course_id, headers) as quick,
    ):
        expected: list[int] = []
        # More than fits into what is on the way, in parts so that the other keeps up.
        for number in range(12):
            await world.sql(
                "INSERT INTO groups (course_id, partition_id, name, position)"
                " SELECT :course, :partition, :number || '.' || n || repeat('x', 200), 1"
                " FROM generate_series(1, 40) n",
                course=world.course_id,
                partition=partition,
                number=str(number),
            )
            expected += [(await quick.change())["seq"] for _ in range(40)]
        events = await slow.rest()
    assert events[-1].name == "end"
    assert events[-1].data == {"reason": "slow"}
    told = [event.data["seq"] for event in events[:-1]]
    assert len(told) < len(expected)
    async with streaming(site, world.course_id, headers, known=slow.id) as resumed:
        told += [(await resumed.change())["seq"] for _ in range(len(expected) - len(told))]
    assert told == expected


async def test_much_at_once_cuts_nobody_off(replica: Replicas, auth: Auth, world: World) -> None:
    site = await replica(event_poll=0.01, event_buffer=10)
    async with streaming(site, world.course_id, auth(READ)) as stream:
        await world.enroll(*await world.add_users(700))
        told = [(await stream.change())["user_id"] for _ in range(700)]
    assert len(set(told)) == 700


async def test_a_stop_ends_streams_at_once_and_says_when_to_come_again(
    replica: Replicas, auth: Auth, world: World
) -> None:
    leaving, staying = await replica(drain=PATIENCE), await replica()
    headers = auth(READ)
    async with streaming(leaving, world.course_id, headers) as stream:
        replica.terminate(leaving)
        # It still drains, and whoever comes again is sent away again.
        (end,) = await stream.rest()
        assert (end.name, end.data) == ("end", {"reason": "stopping"})
        assert end.retry is not None
        assert await at_end(leaving, world, headers) == "stopping"
    replica.terminate(leaving)
    await replica.stopped(leaving)
    await world.add_partition("TD")
    async with streaming(staying, world.course_id, headers, known=stream.id) as resumed:
        assert (await resumed.change())["kind"] == "partition.created"


async def test_what_the_restoration_of_a_backup_has_taken_away_is_told(
    site: str, client: httpx.AsyncClient, auth: Auth, sql: SQL, world: World
) -> None:
    headers = auth(READ)
    async with streaming(site, world.course_id, headers) as stream:
        await world.add_partition("TD")
        change = await stream.change()
        # Its number is that of another line now.
        await sql(
            "WITH allowed AS MATERIALIZED ("
            "    SELECT set_config('session_replication_role', 'replica', true) AS role)"
            " UPDATE changes SET changeset_id = gen_random_uuid() FROM allowed"
            " WHERE role = 'replica' AND seq = :seq",
            seq=change["seq"],
        )
        assert [event.data for event in await stream.rest()] == [{"reason": "history_replaced"}]
    async with streaming(site, world.course_id, headers, known=stream.id) as resumed:
        assert resumed.begun == ["reset", "ready"]
        await world.add_partition("TP")
        assert (await resumed.change())["after"]["name"] == "TP"
    feed = f"/v1/courses/{world.course_id}/changes"
    refused = await client.get(feed, params={"after": stream.id})
    assert (refused.status_code, refused.json()["code"]) == (409, "history_replaced")
    assert (await client.get(feed, params={"after": resumed.id})).json()["items"] == []


async def test_cursors_that_are_none_of_ours_are_refused(
    client: httpx.AsyncClient, world: World
) -> None:
    for path in ("events", "changes"):
        answer = await client.get(f"/v1/courses/{world.course_id}/{path}?after=rubbish")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")
    answer = await client.get(
        f"/v1/courses/{world.course_id}/events", headers={"last-event-id": "rubbish"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_cursor")


async def test_a_head_has_no_events(site: str, auth: Auth, world: World) -> None:
    async with httpx.AsyncClient() as client:
        path = f"{site}/v1/courses/{world.course_id}/events"
        answer = await client.head(path, headers=auth(READ))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
