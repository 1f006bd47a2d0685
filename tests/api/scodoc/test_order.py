"""Routes 12 and 13: the order of partitions and of groups."""

import json
from typing import Any

import pytest

from tests.api.scodoc.conftest import (
    LOCKED,
    NOBODY,
    NOT_FOUND,
    Caller,
    MakeSemester,
    Semester,
    refused,
    told,
)

NOT_JSON = "le corps de la requête n'est pas du JSON"
MESSAGES = {
    "partitions": "paramètre liste des partitions invalide",
    "groups": "paramètre liste de groupe invalide",
}


@pytest.fixture(params=["partitions", "groups"])
def what(request: pytest.FixtureRequest) -> str:
    return request.param


def path(semester: Semester, what: str) -> str:
    if what == "partitions":
        return f"/formsemestre/{semester.id}/partitions/order"
    return f"/partition/{semester.td}/groups/order"


async def rows(semester: Semester, what: str) -> list[int]:
    """Ids in order: TD and TP, or A and B, and three more."""
    if what == "partitions":
        first = [semester.td, semester.tp]
        return first + [await semester.world.add_partition(f"P{n}", position=n) for n in (3, 4, 5)]
    groups = [semester.a, semester.b]
    return groups + [
        await semester.world.add_group(semester.td, f"G{n}", position=n) for n in (3, 4, 5)
    ]


async def order(semester: Semester, what: str) -> list[tuple[int, int]]:
    """(id, numero) as stored."""
    places = {
        "partitions": "partitions WHERE course_id = :course AND kind <> 'default' AND :td > 0",
        "groups": "groups WHERE course_id = :course AND partition_id = :td",
    }
    return [
        (row, position - 1)
        for row, position in await semester.world.sql(
            f"SELECT id, position FROM {places[what]} ORDER BY position, id",
            course=semester.id,
            td=semester.td,
        )
    ]


async def test_all_ids_once_each(writer: Caller, semester: Semester, what: str) -> None:
    a, b, c, d, e = await rows(semester, what)
    answer = await writer.post(path(semester, what), json=[c, a, e, d, b])
    assert answer.status_code == 200
    assert await order(semester, what) == [(c, 0), (a, 1), (e, 2), (d, 3), (b, 4)]


async def test_the_answer_to_an_order_of_partitions(writer: Caller, semester: Semester) -> None:
    answer = await writer.post(path(semester, "partitions"), json=[semester.tp, semester.td])
    assert told(answer) == (
        200,
        [
            semester.partition(semester.tp, "TP", numero=0),
            semester.partition(semester.td, "TD", numero=1),
        ],
    )


async def test_the_answer_to_an_order_of_groups(writer: Caller, semester: Semester) -> None:
    answer = await writer.post(path(semester, "groups"), json=[semester.b, semester.a])
    b = semester.group(semester.td, semester.b, "B", numero=0)
    a = semester.group(semester.td, semester.a, "A", numero=1)
    assert told(answer) == (
        200,
        semester.partition(semester.td, "TD", groups={str(semester.b): b, str(semester.a): a}),
    )
    assert list(answer.json()["groups"]) == [str(semester.b), str(semester.a)]


async def test_nothing_named_changes_nothing(writer: Caller, semester: Semester, what: str) -> None:
    before = await semester.world.log()
    answer = await writer.post(path(semester, what), content=b"[]")
    if what == "groups":
        assert told(answer) == (200, semester.whole_td())
    else:
        td = semester.partition(semester.td, "TD")
        assert told(answer) == (200, [td, semester.partition(semester.tp, "TP", numero=1)])
    assert await semester.world.log() == before


async def test_those_named_come_first(writer: Caller, semester: Semester, what: str) -> None:
    a, b, c, d, e = await rows(semester, what)
    assert (await writer.post(path(semester, what), json=[d, b])).status_code == 200
    assert await order(semester, what) == [(d, 0), (b, 1), (a, 2), (c, 3), (e, 4)]


@pytest.mark.parametrize(
    "content",
    [
        '["{0}"]',
        "[{0}, null]",
        "[{0}, true]",
        "[true]",
        "[{0}.0]",
        "[1.5]",
        "[[{0}]]",
        '[{{"id": {0}}}]',
        '"{0}"',
        '{{"ids": [{0}]}}',
        '{{"{0}": 0}}',
        "{0}",
        "0",
        "null",
        "true",
        "false",
        "{{}}",
        '""',
        "[{0}, {0}]",
        "[{1}, {0}, {1}]",
    ],
)
async def test_orders_that_are_refused(
    writer: Caller, semester: Semester, what: str, content: str
) -> None:
    a, b, *_ = await rows(semester, what)
    before = await semester.world.log()
    answer = await writer.post(path(semester, what), content=content.format(a, b).encode())
    refused(answer, 400, MESSAGES[what])
    assert await semester.world.log() == before


@pytest.mark.parametrize("content", [b"", b"rubbish", b"[1,]", b"\xff", b"[NaN]", b"[" * 100_000])
async def test_orders_that_are_not_json(
    writer: Caller, semester: Semester, what: str, content: bytes
) -> None:
    refused(await writer.post(path(semester, what), content=content), 400, NOT_JSON)


@pytest.mark.parametrize("unknown", [0, -1, NOBODY, 2**63, -(2**63) - 1, 10**30])
async def test_an_unknown_id(writer: Caller, semester: Semester, what: str, unknown: int) -> None:
    a, b, *_ = await rows(semester, what)
    before = await semester.world.log()
    refused(await writer.post(path(semester, what), json=[b, unknown, a]), 404, NOT_FOUND)
    assert await semester.world.log() == before


async def test_ids_of_elsewhere(
    writer: Caller, semester: Semester, make_semester: MakeSemester, what: str
) -> None:
    """Of another partition or semester, locked or not, and of another department."""
    other = await make_semester()
    course, _ = await semester.world.add_course()
    ((near,),) = await semester.world.sql(
        "INSERT INTO partitions (course_id, name, position) VALUES (:c, 'X', 1) RETURNING id",
        c=course,
    )
    sibling = await semester.world.add_group(semester.tp, "A")
    await other.lock()
    a, b, *_ = await rows(semester, what)
    foreign = {
        "partitions": [near, other.td, semester.default],
        "groups": [sibling, other.a, semester.everybody],
    }
    before = await semester.world.log(), await other.world.log()
    for each in foreign[what]:
        refused(await writer.post(path(semester, what), json=[b, each, a]), 404, NOT_FOUND)
    assert (await semester.world.log(), await other.world.log()) == before


async def test_the_row_and_the_lock_before_the_body(
    writer: Caller, semester: Semester, what: str
) -> None:
    for unknown in (NOBODY, 10**30):
        for nowhere in (
            f"/formsemestre/{unknown}/partitions/order",
            f"/partition/{unknown}/groups/order",
        ):
            refused(await writer.post(nowhere, content=b"rubbish"), 404, NOT_FOUND)
    await semester.lock()
    refused(await writer.post(path(semester, what), content=b"rubbish"), 403, LOCKED)


async def test_orders_do_not_ask_whether_groups_are_editable(
    writer: Caller, semester: Semester, parcours: dict[str, Any]
) -> None:
    first, second = (group["id"] for group in parcours["groups"])
    answer = await writer.post(f"/partition/{parcours['id']}/groups/order", json=[second, first])
    assert list(answer.json()["groups"]) == [str(second), str(first)]


async def test_the_order_shows_in_lists(api: Caller, semester: Semester) -> None:
    await api.post(path(semester, "partitions"), json=[semester.tp])
    found = (await api.get(f"/formsemestre/{semester.id}/partitions")).json()
    assert list(found) == [str(semester.tp), str(semester.td)]


async def test_the_default_partition_has_nothing_to_order(
    writer: Caller, semester: Semester
) -> None:
    default = f"/partition/{semester.default}/groups/order"
    (answer,) = {(await writer.post(default, json=ids)).text for ids in ([], [semester.everybody])}
    assert list(json.loads(answer)["groups"]) == [str(semester.everybody)]
    assert (await writer.post(default, json=[semester.a])).status_code == 404
