"""Real transactions at the same time."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from tests.api.scodoc.conftest import Caller, Semester, error


async def all_of(*requests: Any) -> list[httpx.Response]:
    return list(await asyncio.gather(*requests))


def counted(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def test_two_equal_partitions_at_once(writer: Caller, semester: Semester) -> None:
    path = f"/formsemestre/{semester.id}/partition/create"
    answers = await all_of(
        *(writer.post(path, json={"partition_name": "Langues"}) for _ in range(8))
    )
    assert counted(answers) == {200: 1, 400: 7}
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert refusals == [error(400, "invalid partition_name")] * 7


async def test_two_equal_groups_at_once(writer: Caller, semester: Semester) -> None:
    path = f"/partition/{semester.td}/group/create"
    answers = await all_of(*(writer.post(path, json={"group_name": "C"}) for _ in range(8)))
    assert counted(answers) == {200: 1, 400: 7}
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert refusals == [error(400, "invalid group_name")] * 7


async def test_two_partitions_take_one_name_at_once(writer: Caller, semester: Semester) -> None:
    answers = await all_of(
        *(
            writer.post(f"/partition/{each}/edit", json={"partition_name": "Langues"})
            for each in (semester.td, semester.tp)
        ),
        writer.post(
            f"/formsemestre/{semester.id}/partition/create", json={"partition_name": "Langues"}
        ),
    )
    assert counted(answers) == {200: 1, 400: 2}
    refusals = [answer.json() for answer in answers if answer.status_code == 400]
    assert refusals == [error(400, "invalid partition_name")] * 2


async def test_a_student_set_many_times_at_once_is_in_one_group(
    writer: Caller, semester: Semester
) -> None:
    student = semester.students[0]
    answers = await all_of(
        *(
            writer.post(f"/group/{(semester.a, semester.b)[n % 2]}/set_etudiant/{student}")
            for n in range(40)
        )
    )
    assert counted(answers) == {200: 40}
    found = await semester.world.members(semester.a) + await semester.world.members(semester.b)
    assert found == [student]


async def test_setting_and_removing_at_once(writer: Caller, semester: Semester) -> None:
    answers = await all_of(
        *(
            writer.post(f"/group/{group}/{verb}_etudiant/{student}")
            for student in semester.students
            for group in (semester.a, semester.b)
            for verb in ("set", "remove")
        ),
        writer.post(f"/group/{semester.b}/delete"),
    )
    assert set(counted(answers)) <= {200, 404}
    assert await semester.world.members(semester.b) == []


async def test_nothing_changes_after_the_lock(
    client: httpx.AsyncClient, writer: Caller, semester: Semester
) -> None:
    requests = [
        writer.post(f"/group/{semester.a}/set_etudiant/{student}") for student in semester.students
    ]
    requests.insert(2, client.put(f"/v1/courses/{semester.id}/lock"))
    answers = await all_of(
        *requests, writer.post(f"/partition/{semester.tp}/edit", json={"numero": 5})
    )
    kinds = [line[0] for line in await semester.world.log()]
    assert kinds[-1] == "course.updated"
    assert set(counted(answers)) <= {200, 403}


async def test_orders_at_once_leave_places_without_gap(writer: Caller, semester: Semester) -> None:
    groups = [semester.a, semester.b] + [
        await semester.world.add_group(semester.td, f"G{n}") for n in range(7)
    ]
    path = f"/partition/{semester.td}/groups/order"
    orders = [groups[n:] + groups[:n] for n in range(9)]
    answers = await all_of(*(writer.post(path, json=ids) for ids in orders))
    assert counted(answers) == {200: 9}
    for answer, ids in zip(answers, orders, strict=True):
        assert list(answer.json()["groups"]) == [str(each) for each in ids]
