"""Names that an Open edX keeps as they were given, and keys of the old form, imported twice."""

from functools import partial
from typing import Any

import httpx
import pytest

from groupsvc.cli.openedx_copy import copy_course
from groupsvc.cli.openedx_source import OpenedxSource, SourceCourse
from groupsvc.cli.remote_import import CopiedRow
from groupsvc.core.unit_of_work import TransactionRunner
from tests.api.openedx.conftest import Course
from tests.conftest import SQL


async def copy(pool: Any, key: str, source: SourceCourse) -> list[CopiedRow]:
    return await TransactionRunner(pool).run("cli", partial(copy_course, key, source, None))


@pytest.mark.parametrize("name", [" A ", "e\u0301", "A\u00a0"])
async def test_a_cohort_is_found_again_under_its_tidy_name(
    pool: Any, course: Course, name: str
) -> None:
    users = [{"username": person["username"]} for person in await course.people()]
    cohort = {"id": 1, "name": name, "assignment_type": "automatic", "users": users}
    source = SourceCourse.model_validate({"is_cohorted": True, "cohorts": [cohort]})
    for result in ("assigned", "unchanged"):
        rows = await copy(pool, course.key, source)
        assert rows == [CopiedRow((name,), user["username"], result) for user in users]


async def test_a_name_is_recognised_in_either_form(pool: Any, course: Course, sql: SQL) -> None:
    name = f"e\u0301-{course.world.department}"
    user = course.world.users[0]
    await sql("UPDATE users SET username = normalize(:n, NFC) WHERE id = :id", n=name, id=user)
    cohort = {"id": 1, "name": "A", "assignment_type": "manual", "users": [{"username": name}]}
    source = SourceCourse.model_validate({"is_cohorted": False, "cohorts": [cohort]})
    rows = await copy(pool, course.key, source)
    assert rows == [CopiedRow(("A",), name, "assigned")]


async def test_a_key_of_the_old_form(
    pool: Any, staff: httpx.AsyncClient, course: Course, make_course: Any, sql: SQL
) -> None:
    other: Course = await make_course(0)
    keys = [f"Org/{each.world.department}/R" for each in (course, other)]
    await course.join(await course.add("A", "random"), *course.world.users)
    for key, each in zip(keys, (course, other), strict=True):
        await sql("UPDATE courses SET key = :key WHERE id = :id", key=key, id=each.world.course_id)
    read = await OpenedxSource(staff).course(keys[0], lambda _: None)
    assert [row.result for row in await copy(pool, keys[1], read)] == ["assigned"] * 5
    found = [(await staff.get(f"/api/cohorts/v1/courses/{key}/cohorts/")).json()[0] for key in keys]
    assert [(cohort["name"], cohort["assignment_type"]) for cohort in found] == [
        ("A", "random")
    ] * 2
