"""Routes 5 to 7: into a group, out of a group, out of a partition."""

import httpx
import pytest

from tests.api.scodoc.conftest import (
    LOCKED,
    NOBODY,
    NOT_EDITABLE,
    NOT_FOUND,
    Caller,
    Semester,
    refused,
    told,
)
from tests.conftest import SQL

NOT_ENROLLED = "etud non inscrit au formsemestre du groupe"


async def members(semester: Semester) -> tuple[list[int], list[int]]:
    return await semester.world.members(semester.a), await semester.world.members(semester.b)


async def test_set_puts_a_student_into_a_group(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": student})
    assert await members(semester) == ([student], [])


async def test_set_moves_a_student_within_the_partition_alone(
    writer: Caller, semester: Semester
) -> None:
    student = semester.students[0]
    other = await semester.world.add_group(semester.tp, "A")
    await semester.put(semester.a, student)
    await semester.put(other, student)
    answer = await writer.post(f"/group/{semester.b}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.b, "etudid": student})
    assert await members(semester) == ([], [student])
    assert await semester.world.members(other) == [student]


async def test_set_again_changes_nothing(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    await semester.put(semester.a, student)
    before = await semester.world.log()
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": student})
    assert await semester.world.log() == before


@pytest.mark.parametrize("state", ["withdrawn", "defaulted"])
async def test_set_takes_a_student_in_any_state(
    writer: Caller, semester: Semester, sql: SQL, state: str
) -> None:
    student = semester.students[0]
    await sql("UPDATE enrollments SET state = :state WHERE user_id = :u", state=state, u=student)
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": student})


async def test_set_does_not_ask_whether_groups_are_editable(
    writer: Caller, semester: Semester
) -> None:
    fixed = await semester.world.add_partition("Fixe", groups_editable=True)
    group = await semester.world.add_group(fixed, "A")
    await semester.world.sql(
        "UPDATE partitions SET groups_editable = false WHERE id = :id", id=fixed
    )
    student = semester.students[0]
    for path in (
        f"/group/{group}/set_etudiant/{student}",
        f"/group/{group}/remove_etudiant/{student}",
        f"/partition/{fixed}/remove_etudiant/{student}",
    ):
        assert (await writer.post(path)).status_code == 200


async def test_set_refuses_who_is_not_enrolled(writer: Caller, semester: Semester) -> None:
    (student,) = await semester.world.add_users(1)
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{student}")
    refused(answer, 404, NOT_ENROLLED)
    assert await members(semester) == ([], [])


async def test_set_refuses_who_is_in_another_semester(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    (student,) = await semester.world.add_users(1)
    course, _ = await semester.world.add_course()
    await sql("INSERT INTO enrollments (course_id, user_id) VALUES (:c, :u)", c=course, u=student)
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{student}")
    refused(answer, 404, NOT_ENROLLED)


async def test_set_into_a_cohort_does_not_ask_for_the_inscription(
    writer: Caller, semester: Semester
) -> None:
    """Open edX puts users into cohorts before they enroll."""
    cohorts = await semester.world.add_partition("Cohorts", kind="cohorts", position=3)
    group = await semester.world.add_group(cohorts, "A")
    student = (await semester.world.add_users(1))[0]
    answer = await writer.post(f"/group/{group}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": group, "etudid": student})
    assert await semester.world.members(group) == [student]


async def test_set_into_a_full_group(writer: Caller, semester: Semester, sql: SQL) -> None:
    """ScoDoc knows no capacities: whoever sets one natively is obeyed here."""
    await semester.put(semester.a, semester.students[0])
    await sql("UPDATE groups SET capacity = 1 WHERE id = :id", id=semester.a)
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{semester.students[1]}")
    refused(answer, 403, "groupe complet")


async def test_set_looks_for_the_inscription_and_then_for_a_place(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    (stranger,) = await semester.world.add_users(1)
    member, other = semester.students[:2]
    await semester.put(semester.a, member)
    await semester.put(semester.b, other)
    await sql("UPDATE groups SET capacity = 1 WHERE id = :id", id=semester.a)
    path = f"/group/{semester.a}/set_etudiant"
    refused(await writer.post(f"{path}/{stranger}"), 404, NOT_ENROLLED)
    refused(await writer.post(f"{path}/{other}"), 403, "groupe complet")
    assert await members(semester) == ([member], [other])
    answer = await writer.post(f"{path}/{member}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": member})
    await semester.lock()
    refused(await writer.post(f"{path}/{other}"), 403, LOCKED)


async def test_set_in_the_default_group_of_a_locked_semester(
    writer: Caller, semester: Semester
) -> None:
    await semester.lock()
    path = f"/group/{semester.everybody}/set_etudiant/{semester.students[0]}"
    refused(await writer.post(path), 403, LOCKED)


async def test_set_in_the_default_group_has_no_effect(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    before = await semester.world.log()
    answer = await writer.post(f"/group/{semester.everybody}/set_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.everybody, "etudid": student})
    assert await semester.world.log() == before


async def test_set_in_the_default_group_asks_for_the_inscription(
    writer: Caller, semester: Semester, sql: SQL
) -> None:
    (student,) = await semester.world.add_users(1)
    course, _ = await semester.world.add_course()
    await sql("INSERT INTO enrollments (course_id, user_id) VALUES (:c, :u)", c=course, u=student)
    answer = await writer.post(f"/group/{semester.everybody}/set_etudiant/{student}")
    refused(answer, 404, NOT_ENROLLED)


async def test_remove_takes_a_student_out(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    await semester.put(semester.a, *semester.students[:2])
    answer = await writer.post(f"/group/{semester.a}/remove_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": student})
    assert await members(semester) == ([semester.students[1]], [])


async def test_remove_from_a_group_he_is_not_in(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    await semester.put(semester.b, student)
    before = await semester.world.log()
    answer = await writer.post(f"/group/{semester.a}/remove_etudiant/{student}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": student})
    assert await members(semester) == ([], [student])
    assert await semester.world.log() == before


async def test_leaving_a_partition(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    other = await semester.world.add_group(semester.tp, "A")
    await semester.put(semester.b, student)
    await semester.put(other, student)
    answer = await writer.post(f"/partition/{semester.td}/remove_etudiant/{student}")
    assert told(answer) == (200, {"partition_id": semester.td, "etudid": student})
    assert await members(semester) == ([], [])
    assert await semester.world.members(other) == [student]


async def test_leaving_a_partition_he_is_not_in(writer: Caller, semester: Semester) -> None:
    student = semester.students[0]
    before = await semester.world.log()
    answer = await writer.post(f"/partition/{semester.td}/remove_etudiant/{student}")
    assert told(answer) == (200, {"partition_id": semester.td, "etudid": student})
    assert await semester.world.log() == before


@pytest.mark.parametrize("path", ["/group/{0.a}/remove", "/partition/{0.td}/remove"])
async def test_removes_do_not_ask_for_an_inscription(
    writer: Caller, semester: Semester, sql: SQL, path: str
) -> None:
    (student,) = await semester.world.add_users(1)
    course, _ = await semester.world.add_course()
    await sql("INSERT INTO enrollments (course_id, user_id) VALUES (:c, :u)", c=course, u=student)
    answer = await writer.post(f"{path.format(semester)}_etudiant/{student}")
    assert answer.status_code == 200
    assert answer.json()["etudid"] == student


@pytest.mark.parametrize(
    "path",
    ["/group/{0.everybody}/remove_etudiant/{1}", "/partition/{0.default}/remove_etudiant/{1}"],
)
async def test_nobody_leaves_the_default_group(
    writer: Caller, semester: Semester, path: str
) -> None:
    student = semester.students[0]
    refused(await writer.post(path.format(semester, student)), 403, NOT_EDITABLE)
    refused(await writer.post(path.format(semester, NOBODY)), 404, NOT_FOUND)
    await semester.lock()
    refused(await writer.post(path.format(semester, student)), 403, LOCKED)


PATHS = [
    "/group/{a}/set_etudiant/{student}",
    "/group/{a}/remove_etudiant/{student}",
    "/partition/{td}/remove_etudiant/{student}",
]


@pytest.mark.parametrize("path", PATHS)
async def test_the_student_the_row_and_the_lock_in_this_order(
    writer: Caller, semester: Semester, path: str
) -> None:
    names = {"a": semester.a, "td": semester.td, "student": semester.students[0]}
    await semester.lock()
    refused(await writer.post(path.format(**names)), 403, LOCKED)
    for unknown in (NOBODY, 10**30):
        refused(await writer.post(path.format(**{**names, "student": unknown})), 404, NOT_FOUND)
        nowhere = {**names, "a": unknown, "td": unknown}
        refused(await writer.post(path.format(**nowhere)), 404, NOT_FOUND)


@pytest.mark.parametrize("path", PATHS)
async def test_the_lock_before_the_inscription(
    writer: Caller, semester: Semester, sql: SQL, path: str
) -> None:
    (student,) = await semester.world.add_users(1)
    course, _ = await semester.world.add_course()
    await sql("INSERT INTO enrollments (course_id, user_id) VALUES (:c, :u)", c=course, u=student)
    await semester.lock()
    names = {"a": semester.a, "td": semester.td, "student": student}
    refused(await writer.post(path.format(**names)), 403, LOCKED)


@pytest.mark.parametrize("path", PATHS)
async def test_a_student_of_another_department(
    anonymous: httpx.AsyncClient, writer: Caller, semester: Semester, make_semester, path: str
) -> None:
    """He exists under the global prefix alone."""
    other: Semester = await make_semester(1)
    names = {"a": semester.a, "td": semester.td, "student": other.students[0]}
    answer = await writer.post(path.format(**names))
    if not writer.prefix.endswith("Doc/api"):
        refused(answer, 404, NOT_FOUND)
    elif "set_" in path:
        refused(answer, 404, NOT_ENROLLED)
    else:
        assert answer.status_code == 200
    await semester.lock()
    answer = await writer.post(path.format(**names))
    if writer.prefix.endswith("Doc/api"):
        refused(answer, 403, LOCKED)
    else:
        refused(answer, 404, NOT_FOUND)


async def test_a_student_of_another_department_who_is_enrolled_here(
    writer: Caller, semester: Semester, make_semester
) -> None:
    other: Semester = await make_semester(1)
    await semester.world.enroll(other.students[0])
    answer = await writer.post(f"/group/{semester.a}/set_etudiant/{other.students[0]}")
    assert told(answer) == (200, {"group_id": semester.a, "etudid": other.students[0]})


async def test_natively_removes_ask_for_no_user(
    client: httpx.AsyncClient, semester: Semester
) -> None:
    """Whom the roster has forgotten can be removed all the same; sets are for users there are."""
    path = f"/v1/groups/{semester.a}/members/{NOBODY}"
    assert (await client.delete(path)).status_code == 204
    assert (await client.put(path)).status_code == 404
