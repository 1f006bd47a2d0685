"""Files that spreadsheets and scripts send: which are taken, what their rows mean."""

from typing import Any

import httpx
import pytest

from groupsvc.core.jobs import service as jobs_module
from tests.api.openedx.conftest import Course, envelope, told
from tests.api.openedx.test_upload import (
    ENDING,
    FIELD,
    NO_COHORT,
    NO_FILE,
    NO_IDENTIFIER,
    NOT_UTF8,
    SIZE,
    counts,
    file,
    finished,
    told_of,
    uploaded,
)

GOOD = b"cohort,email\n"
TYPE = "text/csv"

REFUSED: list[tuple[Any, str, int]] = [
    *((file(GOOD, name), ENDING, 403) for name in ("csv", "a.csv.txt", "a.csv ", "a.cs", "a.xlsx")),
    (file(b" " * 5_000_000, "a.txt"), ENDING, 403),
    (file(b" " * 5_000_000), SIZE, 403),
    (file("cohort,email\n".encode("utf-16")), NOT_UTF8, 400),
    (file("cohort,email\n".encode("utf-16-be")), NO_COHORT, 400),
    (
        file(b"\xef\xbb\xbfcohort,email\nA,\xe9\n"),
        "'utf-8' codec can't decode byte 0xe9 in position 15: invalid continuation byte",
        400,
    ),
    (file(b'"cohort,email"\n'), NO_COHORT, 400),
    (file(b" cohort,email\n"), NO_COHORT, 400),
    (file(b"cohort, email\n"), NO_IDENTIFIER, 400),
    (file(b"\xef\xbb\xbf\xef\xbb\xbfcohort,email\n"), NO_COHORT, 400),
    ({"files": [(FIELD, ("a.csv", GOOD, TYPE)), (FIELD, ("b.csv", b"x\n", TYPE))]}, NO_COHORT, 400),
    ({"files": [(FIELD, ("a.csv", GOOD, TYPE)), (FIELD, ("b.txt", GOOD, TYPE))]}, ENDING, 403),
    ({"files": {"Uploaded-File": ("a.csv", GOOD, TYPE)}}, NO_FILE, 400),
    ({"files": {FIELD: ("", GOOD, TYPE)}}, NO_FILE, 400),
    ({}, NO_FILE, 400),
]


@pytest.mark.parametrize(("send", "message", "status"), REFUSED)
async def test_files_that_are_refused_by_either_address(
    staff: httpx.AsyncClient, course: Course, send: Any, message: str, status: int
) -> None:
    code = "failed-validation" if status == 400 else None
    assert told(await staff.post(course.upload, **send)) == (status, envelope(message, code))
    twin = f"/courses/{course.key}/instructor/api/add_users_to_cohorts"
    assert told(await staff.post(twin, **send)) == (400, {"error": message})


@pytest.mark.parametrize("header", [{}, {"content-type": "multipart/form-data"}])
async def test_a_body_that_is_no_form_has_no_file(
    staff: httpx.AsyncClient, course: Course, header: Any
) -> None:
    answer = await staff.post(course.upload, headers=header)
    assert told(answer) == (400, envelope(NO_FILE, "failed-validation"))


async def test_a_body_of_another_type_is_named(staff: httpx.AsyncClient, course: Course) -> None:
    headers = {"content-type": TYPE}
    answer = await staff.post(course.upload, content=GOOD, headers=headers)
    assert told(answer) == (415, envelope('Unsupported media type "text/csv" in request.'))


async def test_the_last_of_several_files_counts(client: httpx.AsyncClient, course: Course) -> None:
    await course.add("A")
    parts = [
        (FIELD, ("a.txt", b"\xff", TYPE)),
        ("other", ("b.txt", b"", TYPE)),
        (FIELD, ("c.csv", b"cohort,email\nA,a@example.org\n", TYPE)),
    ]
    assert (await client.post(course.upload, files=parts)).status_code == 204
    await finished(client, course)
    assert list(await course.waiting()) == ["a@example.org"]


ROWS: list[tuple[str, tuple[int, ...], dict[str, int]]] = [
    # line, (succeeded, skipped, preassigned, failed)
    ('"two\nlines",{name}', (1, 0, 0, 0), {"two\nlines": 1}),
    ('"say ""A""",{name}', (1, 0, 0, 0), {'say "A"': 1}),
    ("A, {name} ", (1, 0, 0, 0), {"A": 1}),
    ("A,{name},more,cells", (1, 0, 0, 0), {"A": 1}),
    ("A,{mail}", (1, 0, 0, 0), {"A": 1}),
    ("a,{name}", (0, 0, 0, 1), {"a": 0}),
    (" A,{name}", (1, 0, 0, 0), {"A": 1}),
    ("A ,{name}\n\u00a0A,{other}", (1, 1, 0, 0), {"A": 1}),
    ("A  B,{name}", (0, 0, 0, 1), {"A  B": 0}),
    (" ,{name}", (0, 0, 0, 1), {"": 0}),
    ("e\u0301,{name}", (1, 0, 0, 0), {"\u00e9": 1}),
    (",{name}", (0, 0, 0, 1), {"": 0}),
    ("A,{other}", (0, 1, 0, 0), {"A": 0}),
    ("A,{name}\nA,{name}", (1, 1, 0, 0), {"A": 1}),
    ("A,{name}\nB,{name}", (2, 0, 0, 0), {"A": 1, "B": 1}),
    ("B,{other}\nA,{other}", (2, 0, 0, 0), {"B": 1, "A": 1}),
    ("A,\nA, \nA", (0, 0, 0, 3), {"A": 0}),
    ("A,n@example.org\nB,N@example.org", (0, 0, 2, 0), {"A": 0, "B": 0}),
    ("None,n@example.org", (0, 0, 0, 1), {"None": 0}),
    ("A,\u00e9\u0301", (0, 0, 0, 1), {"A": 0}),
]


@pytest.mark.parametrize(("lines", "expected", "added"), ROWS)
async def test_what_a_row_means(
    client: httpx.AsyncClient,
    course: Course,
    lines: str,
    expected: tuple[int, ...],
    added: dict[str, int],
) -> None:
    made = [await course.add(name) for name in ("A", "B", "\u00e9", "two\nlines", 'say "A"')]
    await course.join(made[0], course.world.users[1])
    first, other = (await course.people())[:2]
    lines = lines.format(name=first["username"], mail=first["email"], other=other["username"])
    job = await uploaded(client, course, f"cohort,username\n{lines}\n")
    total = sum(expected)
    assert counts(job) == (total, total, *expected)
    assert {
        each["cohort_name"]: each["learners_added"] for each in job["result"]["cohorts"]
    } == added


async def test_a_wrong_name_beside_a_good_address_and_the_other_way_round(
    client: httpx.AsyncClient, course: Course
) -> None:
    cohort = await course.add("A")
    first, second = (await course.people())[:2]
    table = f"username,cohort,email\nnobody,A,{first['email']}\n{second['username']},A,x@y\n"
    job = await uploaded(client, course, table)
    assert counts(job) == (2, 2, 1, 0, 0, 1)
    assert job["result"]["cohorts"] == [
        told_of("A", learners_added=1, invalid_email_addresses=["x@y"])
    ]
    assert await course.members(cohort) == course.world.users[:1]


async def test_of_columns_with_one_name_the_last_counts(
    client: httpx.AsyncClient, course: Course
) -> None:
    await course.add("A")
    job = await uploaded(client, course, "cohort,email,email\nA,a@b.org,c@d.org\n")
    assert job["result"]["cohorts"] == [told_of("A", preassigned_learners=["c@d.org"])]


@pytest.mark.parametrize("chunk", [1, 2, 100])
async def test_what_is_told_once_however_the_rows_are_taken(
    client: httpx.AsyncClient, course: Course, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(jobs_module, "CHUNK", chunk)
    await course.add("A")
    names = ["nobody", "x@y", "new@example.org", "nobody", "other", "x@y", "new@example.org"]
    rows = [f"{cohort},{name}" for cohort in "AB" for name in names]
    job = await uploaded(client, course, "\n".join(["cohort,email", *rows]))
    assert counts(job) == (14, 14, 0, 0, 2, 12)
    told = told_of(
        "A",
        learners_not_found=["nobody", "other"],
        invalid_email_addresses=["x@y"],
        preassigned_learners=["new@example.org"],
    )
    assert job["result"]["cohorts"] == [told, told_of("B", exists=False)]
