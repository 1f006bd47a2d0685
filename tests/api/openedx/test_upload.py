"""The upload of v1, that of instructors, and the jobs they leave."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from groupsvc.app import create_app
from groupsvc.core.jobs import service as jobs_module
from groupsvc.core.jobs.service import JobRunner, Pace
from groupsvc.core.unit_of_work import TransactionRunner
from groupsvc.settings import Settings
from tests.api.openedx.conftest import NOWHERE, Course, envelope, told
from tests.conftest import EVERYTHING, SQL, UNHURRIED, Auth, serving
from tests.locks import WAITING, row_locked
from tests.waiting import until

FIELD = "uploaded-file"
NO_FILE = "No file uploaded with key 'uploaded-file'."
ENDING = "The file must end with the extension '.csv'."
SIZE = "Maximum upload file size is 2000000 bytes."
NO_COHORT = "The file must contain a 'cohort' column containing cohort names."
NO_IDENTIFIER = "The file must contain a 'username' column, an 'email' column, or both."
NOT_UTF8 = "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"


def file(content: bytes | str, name: str = "cohorts.csv") -> dict[str, Any]:
    content = content.encode() if isinstance(content, str) else content
    return {"files": {FIELD: (name, content, "text/csv")}}


async def finished(client: httpx.AsyncClient, course: Course, number: int = 1) -> list[Any]:
    """The jobs of a course, oldest first, when so many have ended."""

    async def look() -> list[Any]:
        answer = await client.get(f"/v1/courses/{course.world.course_id}/jobs")
        found = list(reversed(answer.json()["items"]))
        ended = len(found) >= number and all(job["finished_at"] for job in found)
        return found if ended else []

    return await until(look)


async def uploaded(client: httpx.AsyncClient, course: Course, content: bytes | str) -> Any:
    answer = await client.post(course.upload, **file(content))
    assert (answer.status_code, answer.content) == (204, b""), answer.text
    return (await finished(client, course))[-1]


def counts(job: Any) -> tuple[int, ...]:
    """total, attempted, succeeded, skipped, preassigned, failed"""
    names = ("total", "attempted", "succeeded", "skipped", "preassigned", "failed")
    return tuple(job[name] for name in names)


CHECKS = [
    ({}, NO_FILE, 400),
    ({"data": {FIELD: "text"}}, NO_FILE, 400),
    ({"json": {FIELD: "text"}}, NO_FILE, 400),
    ({"files": {"file": ("a.csv", b"cohort,email\n")}}, NO_FILE, 400),
    ({"files": {FIELD: (None, b"cohort,email\n")}}, NO_FILE, 400),
    (file("cohort,email\n", "cohorts.txt"), ENDING, 403),
    (file(b"\xff" * 2_000_001, "cohorts"), ENDING, 403),
    (file(b"\xff" * 2_000_001), SIZE, 403),
    (file(b"\xff" * 2_000_000), NOT_UTF8, 400),
    (file(b"\xff"), NOT_UTF8, 400),
    (file(""), NO_COHORT, 400),
    (file("email,username\n"), NO_COHORT, 400),
    (file("Cohort,email\n"), NO_COHORT, 400),
    (file("cohort;email\n"), NO_COHORT, 400),
    (file("\ncohort,email\n"), NO_COHORT, 400),
    (file("cohort\n"), NO_IDENTIFIER, 400),
    (file("cohort,Email,user\n"), NO_IDENTIFIER, 400),
]


@pytest.mark.parametrize(("send", "message", "status"), CHECKS)
async def test_what_v1_refuses(
    staff: httpx.AsyncClient, course: Course, send: Any, message: str, status: int
) -> None:
    code = "failed-validation" if status == 400 else None
    answer = await staff.post(course.upload, **send)
    assert told(answer) == (status, envelope(message, code))


@pytest.mark.parametrize(("send", "message", "status"), CHECKS)
async def test_what_the_instructor_is_refused(
    staff: httpx.AsyncClient, course: Course, send: Any, message: str, status: int
) -> None:
    path = f"/courses/{course.key}/instructor/api/add_users_to_cohorts"
    answer = await staff.post(path, **send)
    assert told(answer) == (400, {"error": message})


@pytest.mark.parametrize(
    "content",
    [
        "cohort,email\n",
        "cohort,username",
        "more,username,cohort,email,\n",
        b"\xef\xbb\xbfcohort,email\r\n",
        b"cohort,email\r",
        '"cohort","email"\n',
    ],
)
async def test_a_header_alone_is_fine(
    client: httpx.AsyncClient, course: Course, content: bytes | str
) -> None:
    job = await uploaded(client, course, content)
    assert (job["state"], counts(job)) == ("done", (0, 0, 0, 0, 0, 0))
    empty = {"cohorts": [], "without_identifier": 0, "error": None}
    assert job["result"] == empty


async def test_the_ending_may_be_in_capitals(client: httpx.AsyncClient, course: Course) -> None:
    answer = await client.post(course.upload, **file("cohort,email\n", "A.CSV"))
    assert answer.status_code == 204


async def test_a_course_that_is_not_there(staff: httpx.AsyncClient, sql: SQL) -> None:
    before = await sql("SELECT count(*) FROM jobs")
    path = f"/api/cohorts/v1/courses/{NOWHERE}/users"
    answer = await staff.post(path, **file("cohort,email\nA,a@b.org\n"))
    assert (answer.status_code, answer.content) == (204, b"")
    refused = await staff.post(path, **file("email\n"))
    assert told(refused) == (400, envelope(NO_COHORT, "failed-validation"))
    assert await sql("SELECT count(*) FROM jobs") == before


def told_of(name: str, **lists: Any) -> dict[str, Any]:
    return {
        "cohort_name": name,
        "exists": True,
        "learners_added": 0,
        "learners_not_found": [],
        "invalid_email_addresses": [],
        "preassigned_learners": [],
        "learners_not_allowed": [],
        **lists,
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
async def test_every_row_is_counted(
    client: httpx.AsyncClient, course: Course, end: str, mark: str
) -> None:
    a, b = await course.add("A"), await course.add("B")
    new, moved, member, both, _ = await course.people()
    users = course.world.users
    await course.join(b, users[1])
    await course.join(a, users[2])
    lines = [
        "email,username,more,cohort",
        f"{new['email'].upper()},nobody,x,A",
        f",{moved['username']},x,A",
        f",{member['username']},x,A",
        f"new@example.org,{both['username']},x,A",
        "foo@bar,,x,B",
        ",nobody,x,B",
        f"{new['email']},,x,No such cohort",
        f",{both['username']},x,A",
        f",{both['username']},x,B",
        ",,x,A",
        f",{both['username']}",
        "",
        "new@example.org,,x,B",
        "nobody,,x,B",
        ",nobody,x,B",
    ]
    job = await uploaded(client, course, mark + end.join(lines))
    assert (job["kind"], job["state"], job["created_by"]) == ("cohort_upload", "done", "root")
    assert counts(job) == (14, 14, 4, 1, 2, 7)
    assert job["result"] == {
        "cohorts": [
            told_of("A", learners_added=3, preassigned_learners=["new@example.org"]),
            told_of(
                "B",
                learners_added=1,
                learners_not_found=["nobody"],
                invalid_email_addresses=["foo@bar"],
                preassigned_learners=["new@example.org"],
            ),
            told_of("No such cohort", exists=False),
            told_of("", exists=False),
        ],
        "without_identifier": 1,
        "error": None,
    }
    assert await course.members(a) == users[:3]
    assert await course.members(b) == [users[3]]
    assert await course.waiting() == {"new@example.org": b}


async def test_a_cohort_that_is_full_is_told(client: httpx.AsyncClient, course: Course) -> None:
    cohort = await course.add("A", capacity=1)
    people = await course.people()
    rows = "".join(f"A,{person['username']}\n" for person in people[:2])
    job = await uploaded(client, course, f"cohort,username\n{rows}")
    assert counts(job) == (2, 2, 1, 0, 0, 1)
    assert job["result"]["cohorts"] == [
        told_of("A", learners_added=1, learners_not_allowed=[people[1]["username"]])
    ]
    assert await course.members(cohort) == course.world.users[:1]


async def test_texts_that_are_hard_to_store(client: httpx.AsyncClient, course: Course) -> None:
    await course.add("A")
    job = await uploaded(client, course, "cohort,username\nA,no\x00body\nno\x00cohort,x\n")
    assert counts(job) == (2, 2, 0, 0, 0, 2)
    names = [each["cohort_name"] for each in job["result"]["cohorts"]]
    assert names == ["A", "no\ufffdcohort"]
    assert job["result"]["cohorts"][0]["learners_not_found"] == ["no\ufffdbody"]


async def test_course_staff_use_the_route_of_instructors(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, course: Course, callers: Any
) -> None:
    cohort = await course.add("A")
    person = await course.person(course.world.users[0])
    path = f"/courses/{course.key}/instructor/api/add_users_to_cohorts"
    upload = file(f"cohort,username\nA,{person['username']}\n")
    for caller, expected in (
        ("anonymous", (401, {"detail": "Authentication credentials were not provided."})),
        ("moderator", (403, {"detail": "You do not have permission to perform this action."})),
        ("learner", (403, {"detail": "You do not have permission to perform this action."})),
        ("course staff", (204, None)),
    ):
        answer = await anonymous.post(path, headers=callers[caller], **upload)
        assert told(answer) == expected
    (job,) = await finished(client, course)
    assert counts(job) == (1, 1, 1, 0, 0, 0)
    assert await course.members(cohort) == course.world.users[:1]
    elsewhere = f"/courses/{NOWHERE}/instructor/api/add_users_to_cohorts"
    assert (await client.post(elsewhere, **upload)).status_code == 404
    assert (await client.get(path)).status_code == 405


async def test_a_locked_course_fails_the_job_and_keeps_what_was_done(
    client: httpx.AsyncClient, course: Course
) -> None:
    await course.add("A")
    await course.lock()
    job = await uploaded(client, course, "cohort,email\nA,new@example.org\n")
    assert (job["state"], counts(job)) == ("failed", (1, 0, 0, 0, 0, 0))
    error = {"code": "course_locked", "message": "the course is locked"}
    assert job["result"] == {"cohorts": [], "without_identifier": 0, "error": error}
    assert await course.waiting() == {}


# Natively


async def test_an_upload_answers_its_job(client: httpx.AsyncClient, course: Course) -> None:
    await course.add("A")
    path = f"/v1/courses/{course.world.course_id}/cohort-uploads"
    headers = {"content-type": "text/csv; charset=utf-8"}
    answer = await client.post(path, content="cohort,email\nA,a@b.org\n", headers=headers)
    assert answer.status_code == 202
    begun = answer.json()
    assert (begun["state"], begun["total"], begun["attempted"]) == ("queued", 1, 0)
    assert answer.headers["location"] == f"/v1/jobs/{begun['id']}"
    await finished(client, course)
    ended = (await client.get(answer.headers["location"])).json()
    assert (ended["state"], ended["preassigned"]) == ("done", 1)


@pytest.mark.parametrize(
    ("send", "status", "code"),
    [
        ({"json": {}}, 415, "unsupported_media_type"),
        ({"content": b"\xff", "headers": {"content-type": "text/csv"}}, 422, "unusable_upload"),
        ({"content": b"", "headers": {"content-type": "text/csv"}}, 422, "unusable_upload"),
        ({"content": b"cohort", "headers": {"content-type": "text/csv"}}, 422, "unusable_upload"),
    ],
)
async def test_what_is_refused_natively(
    client: httpx.AsyncClient, course: Course, send: Any, status: int, code: str
) -> None:
    path = f"/v1/courses/{course.world.course_id}/cohort-uploads"
    answer = await client.post(path, **send)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_table_has_no_more_lines_than_a_spreadsheet(
    client: httpx.AsyncClient, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.core.cohorts.uploads.MOST_LINES", 3)
    path = f"/v1/courses/{course.world.course_id}/cohort-uploads"
    headers = {"content-type": "text/csv"}
    for rows, status in ((2, 202), (3, 422)):
        content = "cohort,email\n" + "A,a@b.org\n\n" * rows
        answer = await client.post(path, content=content, headers=headers)
        assert answer.status_code == status, answer.text
    assert answer.json()["detail"] == "The file has more than 3 lines."


async def test_jobs_are_for_writers_of_the_course(
    anonymous: httpx.AsyncClient, client: httpx.AsyncClient, course: Course, callers: Any
) -> None:
    job = await uploaded(client, course, "cohort,email\n")
    paths = (f"/v1/courses/{course.world.course_id}/jobs", f"/v1/jobs/{job['id']}")
    for caller, status in (
        ("anonymous", 401),
        ("moderator", 403),
        ("staff elsewhere", 404),
        ("course staff", 200),
        ("org staff", 200),
    ):
        for path in paths:
            assert (await anonymous.get(path, headers=callers[caller])).status_code == status


async def test_jobs_of_a_course_by_page(client: httpx.AsyncClient, course: Course) -> None:
    for _ in range(3):
        await uploaded(client, course, "cohort,email\n")
    path = f"/v1/courses/{course.world.course_id}/jobs?limit=2"
    first = (await client.get(path)).json()
    second = (await client.get(f"{path}&cursor={first['next_cursor']}")).json()
    found = [job["id"] for job in first["items"] + second["items"]]
    assert found == sorted(found, reverse=True)
    assert (len(found), second["next_cursor"]) == (3, None)


async def test_a_job_tells_its_speed_and_the_time_left(
    client: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    job = await uploaded(client, course, "cohort,email\n")
    assert (job["rows_per_second"], job["seconds_left"]) == (None, None)
    await sql(
        "UPDATE jobs SET state = 'running', worker = 'another', total = 200, attempted = 50,"
        " started_at = now() - interval '10 s', heartbeat_at = now(), finished_at = NULL"
        " WHERE id = :id",
        id=job["id"],
    )
    running = (await client.get(f"/v1/jobs/{job['id']}")).json()
    assert (running["rows_per_second"], running["seconds_left"]) == (5.0, 30)
    # A server that looks for the jobs of others would try this one again and again.
    await sql("DELETE FROM jobs WHERE id = :id", id=job["id"])


async def test_jobs_go_with_their_course(
    client: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    job = await uploaded(client, course, "cohort,email\n")
    await client.delete(f"/v1/courses/{course.world.course_id}")
    assert (await client.get(f"/v1/jobs/{job['id']}")).status_code == 404


# Workers


async def test_many_uploads_of_a_course_are_done_in_their_order(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohorts = [await course.add(name) for name in "ABC"]
    person = await course.person(course.world.users[0])
    for name in "ABCABCAB":
        upload = file(f"cohort,username\n{name},{person['username']}\n")
        assert (await client.post(course.upload, **upload)).status_code == 204
    jobs = await finished(client, course, 8)
    assert [counts(job) for job in jobs] == [(1, 1, 1, 0, 0, 0)] * 8
    times = [(job["started_at"], job["finished_at"]) for job in jobs]
    assert times == sorted(times)
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    assert await course.members(cohorts[1]) == course.world.users[:1]


async def test_a_large_upload_shows_how_far_it_is(
    client: httpx.AsyncClient,
    make_course: Any,
    engine: AsyncEngine,
    sql: SQL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs_module, "CHUNK", 100)
    course: Course = await make_course(1_000)
    cohort = await course.add("A")
    rows = await sql(
        "SELECT username FROM users WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id",
        ids=course.world.users,
    )
    table = "".join(f"A,{name}\n" for (name,) in rows)
    async with row_locked(engine, "users", course.world.users[550]):
        await client.post(course.upload, **file(f"cohort,username\n{table}"))
        await until(lambda: sql(WAITING))
        path = f"/v1/courses/{course.world.course_id}/jobs"
        (job,) = (await client.get(path)).json()["items"]
        assert (job["state"], counts(job)) == ("running", (1_000, 500, 500, 0, 0, 0))
    (job,) = await finished(client, course)
    assert (job["state"], counts(job)) == ("done", (1_000, 1_000, 1_000, 0, 0, 0))
    assert len(await course.members(cohort)) == 1_000
    assert len({line[4]["group_id"] for line in await course.world.log("membership.%")}) == 1


@pytest_asyncio.fixture
async def hurried(url: Any, home: Any, auth: Auth) -> AsyncIterator[httpx.AsyncClient]:
    """A server that looks for the jobs of others all the time, and waits for nobody."""
    app: FastAPI = create_app(Settings(job_poll=0.1, job_silence=1, **UNHURRIED), url, home)
    async with serving(app) as client:
        client.headers.update(auth(*EVERYTHING, subject="root"))
        yield client


async def leave(sql: SQL, course: Course, content: str, **columns: Any) -> int:
    values = {
        "course_id": course.world.course_id,
        "kind": "cohort_upload",
        "total": content.count("\n") - 1,
        "payload": content.encode(),
        "created_by": "anna",
        **columns,
    }
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    ((job,),) = await sql(
        f"INSERT INTO jobs ({names}, result) VALUES ({places},"
        """ '{"cohorts": [], "without_identifier": 0, "error": null}') RETURNING id""",
        **values,
    )
    return job


async def test_a_job_of_a_worker_that_died_is_taken_over_where_it_was(
    hurried: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    cohort = await course.add("A")
    people = await course.people()
    rows = "".join(f"A,{person['username']}\n" for person in people)
    job = await leave(
        sql,
        course,
        f"cohort,username\n{rows}",
        state="running",
        worker="dead",
        attempted=3,
        succeeded=3,
    )
    await sql("UPDATE jobs SET heartbeat_at = now() - interval '1 hour' WHERE id = :id", id=job)
    (ended,) = await finished(hurried, course)
    assert (ended["state"], counts(ended)) == ("done", (5, 5, 5, 0, 0, 0))
    assert await course.members(cohort) == course.world.users[3:]
    actors = await sql(
        "SELECT DISTINCT actor FROM changes WHERE course_id = :id AND kind = 'membership.assigned'",
        id=course.world.course_id,
    )
    assert actors == [("anna",)]


async def test_a_worker_that_is_alive_keeps_its_job_and_holds_up_its_course_alone(
    hurried: httpx.AsyncClient, course: Course, make_course: Any, sql: SQL
) -> None:
    other: Course = await make_course(1)
    running = await leave(sql, course, "cohort,email\n", state="running", worker="alive")
    await sql("UPDATE jobs SET heartbeat_at = now() + interval '1 hour' WHERE id = :id", id=running)
    waiting = await leave(sql, course, "cohort,email\n")
    free = await leave(sql, other, "cohort,email\n")
    await finished(hurried, other)
    # Jobs are looked for in order: the next one is done after the others were passed over again.
    last = await leave(sql, other, "cohort,email\n")
    await finished(hurried, other, 2)
    states = await sql(
        "SELECT id, state FROM jobs WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY id",
        ids=[running, waiting, free, last],
    )
    assert states == [(running, "running"), (waiting, "queued"), (free, "done"), (last, "done")]


async def test_a_job_that_kills_its_workers_ends(
    hurried: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    await leave(sql, course, "cohort,email\nA,b\n", tries=50)
    (job,) = await finished(hurried, course)
    assert (job["state"], job["result"]["error"]["code"]) == ("failed", "internal_error")


async def test_what_was_uploaded_is_forgotten_with_the_work(
    client: httpx.AsyncClient, course: Course, sql: SQL
) -> None:
    job = await uploaded(client, course, "cohort,email\nA,a@b.org\n")
    assert await sql("SELECT payload FROM jobs WHERE id = :id", id=job["id"]) == [(None,)]
    old = await leave(sql, course, "cohort,email\n", state="done")
    await sql("UPDATE jobs SET finished_at = now() - interval '31 days' WHERE id = :id", id=old)
    await uploaded(client, course, "cohort,email\n")

    async def is_forgotten() -> bool:
        return await sql("SELECT id FROM jobs WHERE id = :id", id=old) == []

    # After the job is done, and so after its answer may have been read.
    await until(is_forgotten)


async def test_a_worker_that_stops_leaves_its_job_to_the_next(
    pool: Any, course: Course, make_course: Any, sql: SQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "CHUNK", 1)
    cohort = await course.add("A")
    people = await course.people()
    rows = "".join(f"A,{person['username']}\n" for person in people)
    await leave(sql, course, f"cohort,username\n{rows}")
    pace = Pace(poll=60, silence=60, keep=30)
    tries = 0
    while await sql(
        "SELECT 1 FROM jobs WHERE course_id = :id AND state <> 'done'", id=course.world.course_id
    ):
        runner = JobRunner(TransactionRunner(pool), pace)
        runner.start()
        await asyncio.sleep(0)  # it has begun, and is told to stop
        await runner.stop()
        tries += 1
        assert tries < 100
    assert await course.members(cohort) == course.world.users
    assert len(await course.world.log("membership.assigned")) == 5


async def test_runners_share_the_work(pool: Any, make_course: Any, sql: SQL) -> None:
    courses: list[Course] = [await make_course(2) for _ in range(4)]
    for course in courses:
        await course.add("A")
        names = [person["username"] for person in await course.people()]
        for _ in range(5):
            await leave(sql, course, f"cohort,username\nA,{names[0]}\nA,{names[1]}\n")
    runners = [
        JobRunner(TransactionRunner(pool), Pace(poll=0.1, silence=60, keep=30)) for _ in range(6)
    ]
    for runner in runners:
        runner.start()
    query = "SELECT state, count(*), sum(succeeded), sum(skipped) FROM jobs"
    query += " WHERE course_id = ANY (CAST(:ids AS bigint[])) GROUP BY state"
    ids = [course.world.course_id for course in courses]

    async def all_done() -> list[Any]:
        found = await sql(query, ids=ids)
        return found if [row[0] for row in found] == ["done"] else []

    found = await until(all_done)
    for runner in runners:
        await runner.stop()
    assert found == [("done", 20, 8, 32)]
