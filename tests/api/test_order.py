"""Positions of partitions in a course and of groups in a partition."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from groupsvc.core.groups.service import GroupService
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from groupsvc.domain.principal import Grant, Permission, Principal
from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, World

TWICE = "the order names one twice"
EVERY_ONE = "the order must name every one"
ELSEWHERE = problem(404, "not_found", "the order names one that is not in this list")
ROOT = Principal("root", grants=frozenset({Grant(Permission.GROUPS_WRITE)}))


def bad_order(message: str) -> dict[str, Any]:
    entry = {"pointer": "#/ids", "code": "invalid_order", "message": message}
    return problem(422, "invalid_order", message, errors=[entry])


class List:
    """Something with a position and the route that orders it."""

    def __init__(self, client: httpx.AsyncClient, sql: SQL, world: World, noun: str) -> None:
        self.client, self.sql, self.world, self.noun = client, sql, world, noun
        self.parent = world.course_id
        self.ids: list[int] = []
        self.elsewhere = 0

    async def make(self, *positions: int) -> "List":
        if self.noun == "partitions":
            self.ids = [
                await self.world.add_partition(f"P{n}", position=position)
                for n, position in enumerate(positions)
            ]
            other = World(self.sql, self.world.department, self.world.department_id)
            other.course_id, _ = await other.add_course()
            self.elsewhere = await other.add_partition()
            return self
        self.parent = await self.world.add_partition()
        self.ids = [
            await self.world.add_group(self.parent, f"G{n}", position=position)
            for n, position in enumerate(positions)
        ]
        self.elsewhere = await self.world.add_group(await self.world.add_partition("other"))
        return self

    async def order(self, ids: Sequence[Any]) -> httpx.Response:
        return await self.order_by({"ids": ids})

    async def order_by(self, body: dict[str, Any]) -> httpx.Response:
        parent = "courses" if self.noun == "partitions" else "partitions"
        path = f"/v1/{parent}/{self.parent}/{self.noun}/order"
        return await self.client.put(path, json=body)

    async def order_some(self, pool: ConnectionPool, ids: Sequence[int]) -> None:
        async with UnitOfWork(pool) as uow:
            service = PartitionService if self.noun == "partitions" else GroupService
            await service(uow, ROOT).order(self.parent, ids, partial=True)

    async def stored(self) -> list[tuple[int, int]]:
        return [
            (id_, position)
            for id_, position in await self.sql(
                f"SELECT id, position FROM {self.noun}"
                " WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY position",
                ids=self.ids,
            )
        ]


@pytest.fixture(params=["partitions", "groups"])
def made(request: Any, client: httpx.AsyncClient, sql: SQL, world: World) -> List:
    return List(client, sql, world, request.param)


def from_one(ids: Sequence[int]) -> list[tuple[int, int]]:
    return [(id_, position) for position, id_ in enumerate(ids, start=1)]


@pytest.mark.parametrize("positions", [(1, 2, 3), (0, 0, 0), (7, -3, 2**62)])
async def test_an_order_leaves_positions_from_one_without_gap(
    made: List, positions: Sequence[int]
) -> None:
    await made.make(*positions)
    wanted = [made.ids[2], made.ids[0], made.ids[1]]
    answer = await made.order(wanted)
    shown = answer.json() if made.noun == "partitions" else answer.json()["groups"]
    assert [(each["id"], each["position"]) for each in shown] == from_one(wanted)
    assert await made.stored() == from_one(wanted)


async def test_an_order_is_one_changeset_with_a_line_for_each_that_moves(made: List) -> None:
    await made.make(1, 2, 3)
    await made.order([made.ids[0], made.ids[2], made.ids[1]])
    lines = await made.world.log(f"{made.noun[:-1]}.updated")
    assert sorted((before["position"], after["position"]) for *_, before, after in lines) == [
        (2, 3),
        (3, 2),
    ]


async def test_the_order_that_is_there_already_changes_nothing(made: List) -> None:
    await made.make(1, 2, 3)
    before = await made.world.log()
    assert (await made.order(made.ids)).status_code == 200
    assert await made.world.log() == before


async def test_an_order_that_is_wrong_changes_nothing(made: List) -> None:
    await made.make(1, 2, 3)
    one, two, three = made.ids
    before = await made.world.log()
    assert told(await made.order([one, two])) == bad_order(EVERY_ONE)
    assert told(await made.order([])) == bad_order(EVERY_ONE)
    assert told(await made.order([one, two, two])) == bad_order(TWICE)
    assert told(await made.order([one, two, three, made.elsewhere])) == ELSEWHERE
    assert told(await made.order([one, two, made.elsewhere])) == ELSEWHERE
    assert told(await made.order([one, two, "3"])) == invalid(
        "#/ids/2", "int_type", "Input should be a valid integer"
    )
    assert await made.world.log() == before


async def test_names_are_put_in_their_natural_order(made: List) -> None:
    await made.make(*range(1, 8))
    natural = ["TD 2", "TD 02x", "td 10", "Td 10", "TD A", "\u00c9t\u00e9", "z"]
    names = [natural[place] for place in (6, 4, 2, 0, 5, 3, 1)]
    for id_, name in zip(made.ids, names, strict=True):
        await made.sql(f"UPDATE {made.noun} SET name = :name WHERE id = :id", name=name, id=id_)
    answer = await made.order_by({"by": "name"})
    listed = answer.json() if made.noun == "partitions" else answer.json()["groups"]
    wanted = ["\u00c9t\u00e9", "TD 2", "TD 02x", "Td 10", "td 10", "TD A", "z"]
    assert (answer.status_code, [each["name"] for each in listed]) == (200, wanted)
    assert [each["position"] for each in listed] == list(range(1, 8))
    before = await made.world.log()
    assert (await made.order_by({"by": "name"})).content == answer.content
    assert await made.world.log() == before


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"by": "number"}, invalid("#/by", "literal_error", "Input should be 'name'")),
        (
            {"by": "name", "ids": []},
            invalid("#/ids", "extra_forbidden", "Extra inputs are not permitted"),
        ),
        ({}, invalid("#/ids", "missing", "Field required")),
    ],
)
async def test_an_order_that_is_neither_changes_nothing(
    made: List, body: dict[str, Any], refusal: Any
) -> None:
    await made.make(2, 1)
    before = await made.world.log()
    assert told(await made.order_by(body)) == refusal
    assert await made.world.log() == before


async def test_an_empty_list_has_one_order(made: List) -> None:
    await made.make()
    assert (await made.order([])).status_code == 200


async def test_a_part_of_an_order_comes_first_and_the_rest_keeps_its_own(
    made: List, pool: ConnectionPool
) -> None:
    await made.make(1, 2, 3, 4)
    one, two, three, four = made.ids
    await made.order_some(pool, [four, two])
    assert await made.stored() == from_one([four, two, one, three])
    await made.order_some(pool, [])
    assert await made.stored() == from_one([four, two, one, three])


async def test_the_default_partition_has_no_place(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    ((default,),) = await sql(
        "SELECT id FROM partitions WHERE course_id = :id AND kind = 'default'", id=world.course_id
    )
    path = f"/v1/courses/{world.course_id}/partitions/order"
    assert told(await client.put(path, json={"ids": [default]})) == ELSEWHERE


async def test_ties_of_partitions_go_by_id_and_of_groups_by_name(
    client: httpx.AsyncClient, world: World
) -> None:
    partitions = [await world.add_partition(name, position=1) for name in ("b", "a")]
    groups = [await world.add_group(partitions[0], name) for name in ("b", "B", "a")]
    listed = (await client.get(f"/v1/courses/{world.course_id}/partitions")).json()
    assert [each["id"] for each in listed] == partitions
    assert [each["id"] for each in listed[0]["groups"]] == [groups[1], groups[2], groups[0]]


async def test_after_ties_a_new_one_is_last_all_the_same(
    client: httpx.AsyncClient, world: World
) -> None:
    partition = await world.add_partition("a", position=5)
    await world.add_group(partition, "z", position=5)
    made = await client.post(f"/v1/courses/{world.course_id}/partitions", json={"name": "b"})
    group = await client.post(f"/v1/partitions/{partition}/groups", json={"name": "a"})
    assert (made.json()["position"], group.json()["position"]) == (6, 6)
