"""Departments and courses by import."""

from typing import Any

import httpx

from tests.api.tables import CSV, all_of, answered, rows, table
from tests.conftest import Auth, World

HEADER = ("department", "department_name", "course_key", "title", "is_locked")
FORBIDDEN = "this needs {} here"


async def stored(world: World, key: str = "%") -> list[Any]:
    return await world.sql(
        "SELECT d.acronym, d.name, c.key, c.title, c.is_locked FROM courses c"
        " JOIN departments d ON d.id = c.department_id"
        " WHERE d.acronym LIKE :acronym AND c.key LIKE :key ORDER BY c.id",
        acronym=f"{world.department}%",
        key=key,
    )


async def test_departments_and_courses_are_created_with_their_default_partition(
    client: httpx.AsyncClient, world: World
) -> None:
    acronym, key = f"{world.department}x", f"course-v1:{world.department}+NEW+2026"
    given = [
        (acronym, " Maths ", f"{key}/1", " One ", "false"),
        (acronym, "Maths", f"{key}/2", "", ""),
        (f"{acronym}-empty", "Empty", "", "", ""),
    ]
    found = await rows(client, "courses", HEADER, *given)
    assert found == [
        (2, "created", None, None),
        (3, "created", None, None),
        (4, "created", None, None),
    ]
    assert await stored(world, f"{key}%") == [
        (acronym, "Maths", f"{key}/1", " One ", False),
        (acronym, "Maths", f"{key}/2", "", False),
    ]
    ((kinds,),) = await world.sql(
        "SELECT array_agg(p.kind) FROM partitions p JOIN courses c ON c.id = p.course_id"
        " WHERE c.key LIKE :key",
        key=f"{key}%",
    )
    assert kinds == ["default", "default"]
    assert await rows(client, "courses", HEADER, *given[1:]) == all_of("unchanged", 2)


async def test_courses_are_updated_row_after_row(client: httpx.AsyncClient, world: World) -> None:
    other = f"{world.department}-2"
    found = await rows(
        client,
        "courses",
        ("course_key", "department", "title"),
        (world.course, world.department, "Course"),
        (world.course, world.department, "Other"),
        (world.course, other, "Other"),
        (world.course, other, "Other"),
    )
    assert [result for _, result, _, _ in found] == ["unchanged", "updated", "created", "unchanged"]
    assert await stored(world) == [(other, "", world.course, "Other", False)]


async def test_a_row_must_say_what_it_is_about(client: httpx.AsyncClient, world: World) -> None:
    found = await rows(
        client,
        "courses",
        HEADER,
        ("", "", "x", "", ""),
        (world.department, "", "", "Title", ""),
        (world.department, "", "", "", "true"),
        (world.department, "", "x" * 256, "", ""),
        (world.department, "", world.course, "t" * 1001, ""),
        (world.department, "", world.course, "t", "maybe"),
        ("zero\u200bwidth", "", "", "", ""),
    )
    length = "the name must have 1 to 255 characters that can be stored"
    assert found == [
        (2, "refused", "missing_value", "department is empty"),
        (3, "refused", "missing_value", "course_key is empty"),
        (4, "refused", "missing_value", "course_key is empty"),
        (5, "refused", "invalid_name", f"course_key: {length}"),
        (6, "refused", "invalid_value", "title has more than 1000 characters"),
        (7, "refused", "invalid_value", "is_locked is neither true nor false"),
        (8, "refused", "invalid_name", "department: an acronym must be printable"),
    ]
    assert await stored(world) == [(world.department, "", world.course, "Course", False)]


async def test_locks_close_when_all_rows_are_in_and_open_at_once(
    client: httpx.AsyncClient, world: World
) -> None:
    async def lock(*states: str) -> list[str]:
        given = [(world.department, "", world.course, "Course", state) for state in states]
        return [row[1] for row in await rows(client, "courses", HEADER, *given)]

    assert await lock("TRUE", "vrai", "false", "1") == [
        "updated",
        "unchanged",
        "updated",
        "updated",
    ]
    assert await stored(world) == [(world.department, "", world.course, "Course", True)]
    assert await lock("", "0", "FAUX") == ["unchanged", "updated", "unchanged"]
    assert await stored(world) == [(world.department, "", world.course, "Course", False)]
    ((count,),) = await world.sql(
        "SELECT count(*) FROM changes WHERE course_id = :id AND kind = 'course.updated'",
        id=world.course_id,
    )
    assert count == 2


async def test_what_a_department_may_not_change(
    anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    headers = CSV | auth(
        f"roster:write@department:{world.department}", "groups:read@department:SEEN"
    )
    new = f"course-v1:{world.department}+NEW+2026"
    content = table(
        HEADER,
        (world.department, "", new, "New", ""),
        (world.department, "Renamed", new, "New", ""),
        (world.department, "", new, "New", "true"),
        (f"{world.department}-2", "", new, "New", ""),
        (world.department, "", "", "", ""),
    )
    answer = await anonymous.post("/v1/import/courses", content=content, headers=headers)
    assert answer.json() == answered(
        "courses",
        (2, "created"),
        (3, "refused", "forbidden", FORBIDDEN.format("admin")),
        (4, "refused", "forbidden", FORBIDDEN.format("admin")),
        (5, "refused", "unknown_department", "no such department"),
        (6, "unchanged"),
    )


async def test_a_course_moves_for_whoever_holds_both_departments(
    anonymous: httpx.AsyncClient, auth: Auth, world: World, make_world: Any
) -> None:
    other = await make_world(0)
    row = (other.department, world.course)
    content = table(("department", "course_key"), row)
    for held, refusal in (
        ((world,), ("refused", "unknown_department", "no such department")),
        ((other,), ("refused", "unknown_course", "no such course")),
        ((world, other), ("updated",)),
    ):
        headers = CSV | auth(*(f"roster:write@department:{each.department}" for each in held))
        answer = await anonymous.post("/v1/import/courses", content=content, headers=headers)
        assert answer.json() == answered("courses", (2, *refusal))
    assert await stored(other, world.course) == [
        (other.department, "", world.course, "Course", False)
    ]
