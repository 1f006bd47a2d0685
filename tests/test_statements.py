"""How many statements a request sends to the pool, and that rows do not add any.

``BEGIN`` and ``COMMIT`` are not counted; a request that counts 1 sends neither.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from groupsvc.core.changes.tail import TASK as TAIL
from groupsvc.core.jobs.service import TASK
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.rows import Row
from tests.conftest import EVERYTHING, SQL
from tests.tour import SECRET, TOUR, Stage, rows, set_stage

# A unit of work of several statements opens with the one that says who is acting.
STATEMENTS = {
    "list_partitions": 1,
    "create_partition": 4,
    "order_partitions": 5,
    "put_tracks": 11,
    "get_default_partition": 2,
    "get_partition": 1,
    "edit_partition": 4,
    "delete_partition": 3,
    "create_group": 4,
    "create_cohort": 8,
    "create_groups": 4,
    "order_groups": 5,
    "get_group": 1,
    "edit_group": 4,
    "delete_group": 3,
    "list_members": 1,
    "assign_member": 1,
    "remove_member": 1,
    "leave_partition": 1,
    "list_unassigned": 2,
    "assign_many": 5,
    "list_user_course_groups": 1,
    "list_user_groups": 1,
    "list_courses": 1,
    "get_course_by_key": 1,
    "put_course": 5,
    "get_course": 1,
    "delete_course": 3,
    "lock_course": 4,
    "unlock_course": 3,
    "get_board": 1,
    "get_me": 0,
    "list_my_groups": 1,
    "list_enrollments": 2,
    "get_enrollment": 1,
    "put_enrollment": 4,
    "edit_enrollment": 4,
    "delete_enrollment": 3,
    "list_users": 1,
    "get_user_by_name": 1,
    "put_user": 5,
    "get_user": 1,
    "edit_user": 5,
    "delete_user": 3,
    "get_personal_data": 3,
    "erase_person": 15,
    "list_departments": 1,
    "get_department": 1,
    "get_department_ids": 1,
    "put_department": 4,
    "delete_department": 3,
    "get_cohort_settings": 1,
    "put_cohort_settings": 4,
    "assign_cohort": 12,
    "list_content_partitions": 1,
    "put_content_partition": 4,
    "delete_content_partition": 3,
    "get_content_group": 2,
    "assign_content_group": 15,
    "list_preassignments": 2,
    "cancel_preassignment": 3,
    "retire_address": 5,
    "upload_cohorts": 3,
    "list_jobs": 2,
    "get_job": 1,
    "list_changes": 1,
    "list_course_changes": 3,
    "stream_course_events": 2,
    "undo_changeset": 7,
    "list_accounts": 1,
    "get_account": 1,
    "put_account": 5,
    "delete_account": 3,
    "get_team": 1,
    "put_team": 4,
    "put_team_member": 5,
    "get_user_roles": 1,
    "put_user_roles": 4,
    "issue_token": 2,
    "revoke_token": 2,
    "import_courses": 10,
    "import_courses_csv": 10,
    "import_roster": 12,
    "import_roster_csv": 12,
    "import_structure": 12,
    "import_structure_csv": 12,
    "import_assignments": 14,
    "import_assignments_csv": 14,
    "import_preassignments": 13,
    "import_preassignments_csv": 13,
    "import_content_groups": 10,
    "import_content_groups_csv": 10,
    "import_roles": 12,
    "import_roles_csv": 12,
    "export_table": 3,
    "export_partition": 2,
}


@contextmanager
def recorded() -> Iterator[list[str]]:
    statements: list[str] = []
    fetch = ConnectionPool.fetch

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        task = asyncio.current_task()
        # What a request has left to be done after it is not its own, nor what is done for all.
        if task is None or task.get_name() not in (TASK, TAIL):
            statements.append(statement)

    async def recorded_fetch(pool: ConnectionPool, query: str, *rest: Any) -> list[Row]:
        note(None, None, query)
        return await fetch(pool, query, *rest)

    event.listen(Engine, "before_cursor_execute", note)
    ConnectionPool.fetch = recorded_fetch  # type: ignore[method-assign]
    try:
        yield statements
    finally:
        ConnectionPool.fetch = fetch  # type: ignore[method-assign]
        event.remove(Engine, "before_cursor_execute", note)


async def statements_of(
    client: httpx.AsyncClient, method: str, path: str, **request: Any
) -> list[str]:
    # The first connection of an engine asks the server about itself.
    await client.get("/v1/departments?limit=1")
    await client.get("/v1/export/courses?department=nowhere")
    with recorded() as statements:
        answer = await client.request(method, path, **request)
    assert answer.is_success, answer.text
    return statements


def test_every_operation_has_its_number() -> None:
    assert set(STATEMENTS) == set(TOUR)


@pytest.mark.parametrize(("students", "groups"), [(4, 2), (60, 12)])
@pytest.mark.parametrize("name", TOUR)
async def test_a_request_sends_its_number_of_statements_however_many_rows(
    client: httpx.AsyncClient, sql: SQL, name: str, students: int, groups: int
) -> None:
    stage = await set_stage(sql, students=students, groups=groups)
    visit = TOUR[name]
    sent = await statements_of(client, visit.method, visit.path_on(stage), **visit.payload(stage))
    assert len(sent) == STATEMENTS[name], "\n".join(sent)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/v1/groups/{group}/members?state=active&limit=1", 1),
        ("/v1/groups/{group}/members?as_of=2030-01-01T00:00:00Z", 2),
        ("/v1/courses/{course}/users/{member}/groups?as_of=2030-01-01T00:00:00Z", 1),
        ("/v1/courses/{course}/board?members=false", 1),
        ("/v1/courses/{course}/enrollments?search=given", 2),
        ("/v1/users?search=given&department={department}", 1),
        ("/v1/changes?course_id={course}&user_id={member}&kind=membership.assigned", 1),
    ],
)
async def test_a_question_does_not_cost_more_for_being_precise(
    client: httpx.AsyncClient, sql: SQL, path: str, number: int
) -> None:
    stage = await set_stage(sql)
    sent = await statements_of(client, "GET", path.format(**vars(stage)))
    assert len(sent) == number, "\n".join(sent)


async def test_the_token_of_an_account_is_asked_for_with_every_request(
    client: httpx.AsyncClient, sql: SQL
) -> None:
    stage = await set_stage(sql)
    grants = {"grants": list(EVERYTHING), "secret": SECRET}
    await client.put(f"/v1/accounts/{stage.account}", json=grants)
    issued = await TOUR["issue_token"].go(client, stage)
    headers = {"authorization": f"Bearer {issued.json()['access_token']}"}
    path = TOUR["get_board"].path_on(stage)
    assert len(await statements_of(client, "GET", path, headers=headers)) == 2


async def test_the_first_visitor_of_a_cohorted_course_costs_more_than_the_next(
    client: httpx.AsyncClient, sql: SQL
) -> None:
    stage = await set_stage(sql)
    path = f"/v1/courses/{stage.course}/cohort-assignments"

    async def sent_for(user: int) -> int:
        return len(await statements_of(client, "POST", path, json={"user_id": user}))

    assert [await sent_for(user) for user in stage.users[:3]] == [12, 2, 2]
    assert await sent_for(stage.users[0]) == 1


async def test_tracks_that_go_go_together(client: httpx.AsyncClient, sql: SQL) -> None:
    stage = await set_stage(sql)
    path = TOUR["put_tracks"].path_on(stage)
    many = {"codes": [f"T{n}" for n in range(40)]}
    await client.put(path, json=many)
    assert len(await statements_of(client, "PUT", path, json={"codes": ["A"]})) == 10


async def test_a_key_that_is_remembered_adds_three_statements(
    client: httpx.AsyncClient, sql: SQL
) -> None:
    stage = await set_stage(sql)
    path, request = TOUR["create_group"].path_on(stage), {"json": {"name": "new"}}
    request["headers"] = {"idempotency-key": "a-key-that-is-remembered"}
    number = STATEMENTS["create_group"]
    assert len(await statements_of(client, "POST", path, **request)) == number + 3
    assert len(await statements_of(client, "POST", path, **request)) == 2


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("assignments", ("course_key", "user", "partition", "group")),
        ("structure", ("course_key", "partition", "group", "former_names")),
        ("preassignments", ("course_key", "partition", "group", "waiting_email")),
    ],
)
async def test_former_names_are_read_once(
    client: httpx.AsyncClient, sql: SQL, kind: str, columns: tuple[str, ...]
) -> None:
    stage = await set_stage(sql, students=4, groups=2)
    known = {"course_key": stage.key, "user": stage.username, "former_names": '["Before"]'}
    rows = [
        {"partition": partition, "group": group, "waiting_email": "late@example.org", **known}
        for partition, group in (("TD", "G001"), ("td", "G001"), ("TD", "g002"), ("TP", "G003"))
    ]
    text = "\n".join(
        ",".join('"' + row[name].replace('"', '""') + '"' for name in columns) for row in rows
    )
    content = f"{','.join(columns)}\n{text}\n"
    headers = {"content-type": "text/csv"}
    sent = await statements_of(
        client, "POST", f"/v1/import/{kind}", content=content, headers=headers
    )
    assert sum("FROM former_names" in statement for statement in sent) == 1


async def test_ten_thousand_rows_are_as_many_statements_as_ten(
    client: httpx.AsyncClient, sql: SQL
) -> None:
    stage = await set_stage(sql, students=10_000, groups=2)
    rooms = f"UPDATE groups SET capacity = NULL WHERE partition_id = {stage.partition}"
    await sql(rooms)
    path = TOUR["assign_many"].path_on(stage)
    sent = await statements_of(client, "POST", path, json={"rows": rows(stage)})
    # The clearing statement would be the sixth: nobody leaves.
    assert len(sent) == STATEMENTS["assign_many"]
    counts = "SELECT group_id, count(*) FROM memberships WHERE partition_id = :id GROUP BY 1"
    assert sorted(await sql(counts, id=stage.partition)) == [
        (stage.group, 5_000),
        (stage.other, 5_000),
    ]


async def test_names_of_users_are_looked_up_together(client: httpx.AsyncClient, sql: SQL) -> None:
    stage: Stage = await set_stage(sql, students=60)
    named = await sql(
        "SELECT username FROM users WHERE id = ANY (CAST(:ids AS bigint[]))",
        ids=list(stage.users),
    )
    many = {"rows": [{"user": name, "group": "G002"} for (name,) in named]}
    sent = await statements_of(client, "POST", TOUR["assign_many"].path_on(stage), json=many)
    assert len(sent) == STATEMENTS["assign_many"] + 1
