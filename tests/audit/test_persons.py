"""A person with marks in all that is theirs, brought in every way: told whole, then gone."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from sqlalchemy import URL

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.audit.conftest import Log
from tests.audit.test_privacy_document import personal
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, SQL, Auth, serving
from tests.test_invariants import broken
from tests.test_schema import dsn
from tests.waiting import until

MARK = "zqxmark"


@pytest_asyncio.fixture
async def client(
    log: Log, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(create_app(settings, log.url, home)) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


async def done(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


# What an emptied row of a user is allowed to say.
LEFT_OF_A_USER = {
    "civility": "X",
    "family_name": "",
    "given_name": "",
    "is_active": False,
    "is_retired": True,
    "sort_key": "",
}


async def fill_up(sql: SQL, user: int) -> None:
    """Something in every column of the user that has nothing yet, those of later days as well."""
    something = {"bigint": "77", "uuid": "gen_random_uuid()", "text": f"'{MARK}'"}
    columns = await sql(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'users' AND is_nullable = 'YES'"
    )
    for column, kind in columns:
        await sql(
            f"UPDATE users SET {column} = coalesce({column}, {something[kind]}) WHERE id = :id",
            id=user,
        )


@pytest_asyncio.fixture
async def marked(log: Log, client: httpx.AsyncClient, auth: Auth) -> int:
    """The id of a user of whom there is something in every table that can hold it."""
    world, course = log.world, log.world.course
    key = iter(f"k{number}" for number in range(100))

    async def post(path: str, json: Any, **headers: str) -> Any:
        headers = {"idempotency-key": next(key), **headers}
        return await done(await client.post(path, json=json, headers=headers))

    # An address that waits in a cohort, before there is a user.
    await post(f"/v1/courses/{world.course_id}/cohorts", {"name": "C"})
    ((cohort,),) = await log.sql("SELECT id FROM groups WHERE name = 'C'")
    await log.sql(
        "INSERT INTO preassignments (course_id, partition_id, group_id, email)"
        " SELECT course_id, partition_id, id, 'Waiting-ZQXmark@example.org' FROM groups"
        " WHERE id = :cohort",
        cohort=cohort,
    )
    # And one that went with its cohort.
    await log.sql(
        "INSERT INTO removed_preassignments (course_id, id, email)"
        " SELECT course_id, 4711, 'Waiting-ZQXmark@example.org' FROM groups WHERE id = :cohort",
        cohort=cohort,
    )
    person = {
        "family_name": f"Family-{MARK}",
        "given_name": f"Given-{MARK}",
        "usual_name": f"Usual-{MARK}",
        "department": world.department,
        "external_ids": {"sis": f"sis-{MARK}"},
    }
    names = {"username": f"old-{MARK}", "email": f"Waiting-{MARK}@example.org"}
    user = await done(
        await client.put(f"/v1/users/by-name/old-{MARK}", json={**person, "email": names["email"]})
    )
    await done(
        await client.patch(
            f"/v1/users/{user['id']}",
            json={
                "username": f"user-{MARK}",
                "email": f"{MARK}@example.org",
                "student_number": f"1{MARK}",
                "national_number": f"2{MARK}",
            },
        )
    )
    await post(
        "/v1/import/roster",
        {
            "rows": [
                {"username": f"user-{MARK}", "family_name": f"Family-{MARK}", "course_key": course},
                {"username": f"user-{MARK}", "email": "no address " + MARK, "course_key": course},
            ]
        },
    )
    await post(
        "/v1/import/assignments",
        {
            "rows": [
                {"user": f"old-{MARK}", "course_key": course, "partition": "TD", "group": "A"},
                {
                    "user": f"{MARK}@example.org",
                    "course_key": course,
                    "partition": "TD",
                    "group": "A",
                },
            ]
        },
    )
    ((partition,),) = await log.sql("SELECT id FROM partitions WHERE name = 'TD'")
    await post(
        f"/v1/partitions/{partition}/assignments",
        {"rows": [{"user": f"user-{MARK}", "group": "A"}]},
        **{"idempotency-key": f"of-user-{MARK}"},
    )
    await done(await client.put(f"/v1/users/{user['id']}/roles", json={"roles": ["staff"]}))
    upload = f"cohort,email\nC,{MARK}@EXAMPLE.org\nC,user-{MARK}\nNone,old-{MARK}\nC,2{MARK}\n"
    job = await done(
        await client.post(
            f"/v1/courses/{world.course_id}/cohort-uploads",
            content=upload,
            headers={"content-type": "text/csv"},
        )
    )

    async def is_done() -> bool:
        return (await client.get(f"/v1/jobs/{job['id']}")).json()["state"] == "done"

    await until(is_done)
    await done(
        await client.put(
            f"/v1/accounts/login-{MARK}",
            json={"grants": ["groups:read"], "username": f"user-{MARK}"},
        )
    )
    await done(
        await client.post(
            f"/ScoDoc/api/formsemestre/{world.course_id}/save_groups_auto_assignment",
            json={"names": [f"Family-{MARK}"]},
        )
    )
    # Themselves at work, by a token of the identity provider.
    own = {**auth(*EVERYTHING, subject=f"sub-{MARK}"), "idempotency-key": "own"}
    await done(
        await client.post(f"/v1/partitions/{partition}/groups", json={"name": "B"}, headers=own)
    )
    await done(
        await client.post(
            f"/v1/partitions/{partition}/groups",
            json={"name": "D"},
            headers=auth(*EVERYTHING, subject=f"user-{MARK}"),
        )
    )
    await fill_up(log.sql, user["id"])
    return int(user["id"])


async def marks(sql: SQL) -> set[str]:
    """Columns in which the mark is, in any case, as bytes as well."""
    found = set[str]()
    columns = await sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    for table, column in columns:
        ((held,),) = await sql(
            f"SELECT count(*) FROM {table} WHERE lower({column}::text) LIKE '%{MARK}%'"
            f" OR {column}::text LIKE '%{MARK.encode().hex()}%'"
        )
        if held:
            found.add(f"{table}.{column}")
    return found


# Of accounts the log keeps the name: they are for machines. See docs/privacy.md.
KEPT = {"changes.after", "changes.before"}


async def test_an_erased_person_is_nowhere_and_the_log_verifies(
    log: Log, marked: int, client: httpx.AsyncClient
) -> None:
    assert await marks(log.sql) == {
        "accounts.name",
        "accounts.username",
        "auto_assignments.document",
        "changes.actor",
        "changes.after",
        "external_ids.external_id",
        "former_user_names.name",
        "idempotency_keys.body",
        "idempotency_keys.key",
        "idempotency_keys.subject",
        "jobs.result",
        "preassignments.email",
        "removed_preassignments.email",
        *(
            f"users.{column}"
            for column in (
                *("username", "email", "family_name", "given_name", "usual_name"),
                *("student_number", "national_number", "sort_key"),
            )
        ),
    }
    await log.seal()
    # And nowhere that the page for data protection does not tell of.
    assert await marks(log.sql) <= personal() | KEPT
    assert "audit_actors.actor" in await marks(log.sql)
    ((stored,),) = await log.sql(
        "SELECT count(*) FROM idempotency_keys"
        f" WHERE position('{MARK}' IN concat(subject, key, encode(body, 'escape'))) > 0"
    )
    erase = ("person", "erase", f"user-{MARK}", "--subject", f"sub-{MARK}", "--yes")
    code, text = await log.groupsvc(*erase)
    assert code == 0, text
    erased = json.loads(text)
    assert erased.pop("answers") == stored
    assert erased == {
        "user": True,
        "groups": 2,
        "courses": 1,
        "locked_courses": 0,
        "roles": 1,
        "external_ids": 1,
        "preassignments": 1,
        "accounts": 1,
        "documents": 1,
        "uploads": 1,
        "lines_forgotten": 2,
        "lines_kept": 0,
    }
    assert await marks(log.sql) <= KEPT
    assert await log.sql("SELECT count(*) FROM former_users") == [(0,)]
    assert (await log.verify()).fault is None
    await log.seal()
    assert (await log.verify()).fault is None
    # The lines about them are still there, about a number.
    lines = await client.get(f"/v1/changes?user_id={marked}")
    kinds = {line["kind"] for line in lines.json()["items"]}
    assert {"user.created", "user.deleted", "membership.assigned"} <= kinds


async def test_a_repeated_request_is_not_done_again_after_its_answer_was_erased(
    log: Log, client: httpx.AsyncClient
) -> None:
    path = f"/v1/users/by-name/user-{MARK}"
    person = await done(await client.put(path, json={"department": log.world.department}))
    await log.world.enroll(person["id"])
    await done(await client.patch(f"/v1/users/{person['id']}", json={"username": f"new-{MARK}"}))
    row = {"user": f"user-{MARK}", "course_key": log.world.course, "partition": "TD", "group": "A"}
    request = {"json": {"rows": [row]}, "headers": {"idempotency-key": "k"}}
    answer = await client.post("/v1/import/assignments", **request)
    assert (answer.status_code, MARK in answer.text) == (200, True)
    await log.groupsvc("person", "erase", f"new-{MARK}", "--yes")
    again = await client.post("/v1/import/assignments", **request)
    assert (again.status_code, again.json()["code"]) == (409, "answer_erased")


async def test_a_locked_course_keeps_somebody_without_a_name(log: Log, marked: int) -> None:
    await log.sql("UPDATE courses SET is_locked = true WHERE id = :id", id=log.world.course_id)
    code, text = await log.groupsvc("person", "erase", marked, "--subject", f"sub-{MARK}", "--yes")
    assert (code, json.loads(text)["locked_courses"]) == (0, 1)
    assert await marks(log.sql) <= KEPT
    ((groups, row),) = await log.sql(
        "SELECT (SELECT count(*) FROM memberships WHERE user_id = u.id),"
        " jsonb_strip_nulls(to_jsonb(u)) - '{id,username,created_at}'::text[]"
        " FROM users u WHERE id = :id",
        id=marked,
    )
    assert (groups, row) == (2, LEFT_OF_A_USER)
    # When the course is open again the rest can go.
    await log.sql("UPDATE courses SET is_locked = false WHERE id = :id", id=log.world.course_id)
    code, text = await log.groupsvc("person", "erase", marked, "--yes")
    assert (code, json.loads(text)["groups"]) == (0, 2)
    assert await log.sql("SELECT count(*) FROM users WHERE id = :id", id=marked) == [(0,)]


async def test_a_person_is_told_all_that_is_stored(log: Log, marked: int) -> None:
    code, text = await log.groupsvc("person", "export", f"user-{MARK}", "--subject", f"sub-{MARK}")
    assert code == 0, text
    told = json.loads(text)
    assert {name for name, value in told.items() if not value} == {"former_id_elsewhere"}
    assert told["user"]["id"] == marked
    assert told["groups"][0]["group"] == "A"
    assert {each["as"] for each in told["changed_by_them"]} == {f"sub-{MARK}", f"user-{MARK}"}
    assert {each["kind"] for each in told["changes"]} >= {"user.created", "membership.assigned"}


async def test_administrators_of_everything_do_the_same_by_id(
    marked: int, client: httpx.AsyncClient, auth: Auth, log: Log
) -> None:
    data, erasure = f"/v1/users/{marked}/personal-data", f"/v1/users/{marked}/erasure"
    subjects = {"subjects": [f"sub-{MARK}"]}
    for grants, status in (
        (("groups:read", "groups:write", "roster:write"), 403),
        ((f"admin@department:{log.world.department}",), 403),
    ):
        headers = auth(*grants)
        assert (await client.get(data, headers=headers)).status_code == status
        refused = await client.post(erasure, headers=headers, json=subjects)
        assert (refused.status_code, refused.json()["code"]) == (status, "forbidden")
    told = await done(await client.get(data))
    assert told["user"]["username"] == f"user-{MARK}"
    erased = await done(await client.post(erasure, json=subjects))
    assert (erased["user"], erased["lines_forgotten"], erased["lines_kept"]) == (True, 2, 0)
    assert await marks(log.sql) <= KEPT
    for again in (await client.get(data), await client.post(erasure, json=subjects)):
        assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_who_may_only_serve_tells_how_many_lines_still_name_the_actor(
    marked: int, service: URL, log: Log
) -> None:
    await log.seal()
    erase = ("person", "erase", f"user-{MARK}", "--subject", f"sub-{MARK}", "--yes")
    code, text = await command(service)(*erase)
    assert code == 0, text
    erased = json.loads(text)
    assert (erased["lines_forgotten"], erased["lines_kept"]) == (0, 2)
    assert await marks(log.sql) <= {*KEPT, "changes.actor", "audit_actors.actor"}
    assert (await log.verify()).fault is None


async def test_whoever_seals_is_waited_for(log: Log, marked: int) -> None:
    """A seal that is being made says what an actor was: before they are forgotten, or after."""
    sealing = await asyncpg.connect(dsn(log.url))
    transaction = sealing.transaction()
    await transaction.start()
    await sealing.execute("SELECT pg_advisory_xact_lock(hashtextextended('groupsvc audit', 0))")
    erase = ("person", "erase", str(marked), "--subject", f"sub-{MARK}", "--yes")
    erasing = asyncio.create_task(log.groupsvc(*erase))

    async def is_waiting() -> bool:
        waiting = (
            "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return bool((await log.sql(waiting))[0][0])

    await until(is_waiting)
    assert not erasing.done()
    await transaction.commit()
    await sealing.close()
    code, text = await erasing
    assert (code, json.loads(text)["lines_forgotten"]) == (0, 2)


async def test_an_address_of_nobody_is_erased_and_an_unknown_name_is_refused(
    log: Log, client: httpx.AsyncClient
) -> None:
    await done(await client.post(f"/v1/courses/{log.world.course_id}/cohorts", json={"name": "C"}))
    await log.sql(
        "INSERT INTO preassignments (course_id, partition_id, group_id, email)"
        " SELECT course_id, partition_id, id, 'Jane@example.org' FROM groups WHERE name = 'C'"
    )
    code, text = await log.groupsvc("person", "erase", "jane@EXAMPLE.org", "--yes")
    erased = json.loads(text)
    assert (code, erased["user"], erased["preassignments"]) == (0, False, 1)
    for verb in ("erase", "export"):
        given = ("--yes",) if verb == "erase" else ()
        assert await log.groupsvc("person", verb, "nobody", *given) == (2, "no such person")


async def test_an_upload_that_is_still_to_be_done_is_waited_for(log: Log) -> None:
    await log.sql(
        "INSERT INTO jobs (course_id, kind, total, payload, created_by) VALUES"
        " (:course, 'cohort_upload', 1, :payload, 'x')",
        course=log.world.course_id,
        payload=f"cohort,email\nC,Jane-{MARK}@example.org\n".encode(),
    )
    assert await log.groupsvc("person", "erase", f"jane-{MARK}@example.org", "--yes") == (
        2,
        "an upload that names the person is still to be done",
    )


async def test_what_others_have_asked_stays_where_a_number_is_part_of_it(
    log: Log, client: httpx.AsyncClient
) -> None:
    person = await done(await client.put("/v1/users/by-name/jo", json={"student_number": "12"}))
    for key in ("7f12aa", "jo", "joanna"):
        partition = {"name": f"of {key} 12"}
        headers = {"idempotency-key": key}
        path = f"/v1/courses/{log.world.course_id}/partitions"
        await done(await client.post(path, json=partition, headers=headers))
    await log.groupsvc("person", "erase", str(person["id"]), "--yes")
    stored = await log.sql("SELECT key, body IS NOT NULL FROM idempotency_keys ORDER BY key")
    assert stored == [("7f12aa", True), ("jo", True), ("joanna", True)]


async def test_nobody_is_erased_without_a_yes(log: Log) -> None:
    ((name,),) = await log.sql("SELECT username FROM users LIMIT 1")
    code, _ = await log.groupsvc("person", "erase", name)
    assert code == 1
    assert await log.sql("SELECT count(*) FROM users WHERE username = :name", name=name) == [(1,)]


async def test_programs_are_no_persons(log: Log) -> None:
    """Whoever is called as the operator's command is does not take its lines along."""
    await log.sql("INSERT INTO users (username, sort_key) VALUES ('cli', '')")
    await log.groupsvc("account", "create", "machine")
    code, text = await log.groupsvc("person", "erase", "cli", "--yes")
    assert (code, json.loads(text)["lines_forgotten"]) == (0, 0)


@pytest.mark.parametrize("value", ["", "erased:0", "erased:" + "0" * 64])
async def test_an_actor_is_replaced_by_nothing_but_their_digest(log: Log, value: str) -> None:
    refused = await broken(log.sql, "UPDATE changes SET actor = :value", value=value)
    assert refused == "changes_append_only"
