from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, MakeWorld, World

NOBODY = 2**62


class GroupOccupancy:
    """A partition with the groups A and B, and its bulk route."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world = client, world
        self.partition = self.a = self.b = 0

    async def make(self, **limits: int) -> "GroupOccupancy":
        self.partition = await self.world.add_partition()
        self.a, self.b = [
            await self.world.add_group(
                self.partition, name, position=position, capacity=limits.get(name.lower())
            )
            for position, name in enumerate("AB", start=1)
        ]
        return self

    async def send(self, rows: Sequence[Any], **more: Any) -> httpx.Response:
        path = f"/v1/partitions/{self.partition}/assignments"
        return await self.client.post(path, json={"rows": rows, **more})

    async def outcome(self, rows: Sequence[Any], **more: Any) -> Any:
        answer = await self.send(rows, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def put(self, group: int, *users: int) -> None:
        for user in users:
            await self.client.put(f"/v1/groups/{group}/members/{user}")

    async def members(self) -> tuple[list[int], list[int]]:
        return await self.world.members(self.a), await self.world.members(self.b)


@pytest.fixture
async def room(client: httpx.AsyncClient, world: World) -> GroupOccupancy:
    return await GroupOccupancy(client, world).make()


def row(line: int, result: str, user: int | None, group: int | None, **more: Any) -> Any:
    return {
        "line": line,
        "result": result,
        "user_id": user,
        "group_id": group,
        "previous_group_id": None,
        "code": None,
        **more,
    }


async def test_every_row_gets_its_result(room: GroupOccupancy, world: World) -> None:
    one, two, three, four, five = world.users
    await room.put(room.a, two, three, four)
    outcome = await room.outcome(
        [
            {"user_id": one, "group_id": room.a},
            {"user_id": two, "group_id": room.b},
            {"user_id": three, "group_id": room.a},
            {"user_id": four, "group_id": None},
            {"user_id": five},
        ]
    )
    assert outcome == {
        "written": True,
        "counts": {"assigned": 1, "moved": 1, "unchanged": 2, "removed": 1},
        "rows": [
            row(1, "assigned", one, room.a),
            row(2, "moved", two, room.b, previous_group_id=room.a),
            row(3, "unchanged", three, room.a, previous_group_id=room.a),
            row(4, "removed", four, None, previous_group_id=room.a),
            row(5, "unchanged", five, None),
        ],
    }
    assert await room.members() == ([one, three], [two])


async def test_only_what_changes_is_logged_and_as_one_changeset(
    room: GroupOccupancy, world: World, sql: SQL
) -> None:
    one, two, three = world.users[:3]
    await room.put(room.a, one, two)
    before = len(await world.log())
    await room.outcome(
        [
            {"user_id": one, "group_id": room.a},
            {"user_id": two, "group_id": room.b},
            {"user_id": three, "group_id": room.b},
        ]
    )
    lines = (await world.log())[before:]
    assert sorted((kind, user) for kind, user, *_ in lines) == [
        ("membership.assigned", three),
        ("membership.moved", two),
    ]
    sets = "SELECT DISTINCT changeset_id FROM changes WHERE course_id = :id AND user_id = :two"
    ((changeset,),) = await sql(
        sets + " AND kind = 'membership.moved'", id=world.course_id, two=two
    )
    same = "SELECT count(*) FROM changes WHERE changeset_id = :changeset"
    assert await sql(same, changeset=changeset) == [(2,)]


REFUSED = [
    ({"user_id": NOBODY, "group": "A"}, "unknown_user"),
    ({"user": "nobody", "group": "A"}, "unknown_user"),
    ({"user": "", "group": "A"}, "unknown_user"),
    ({"user": "nobody"}, "unknown_user"),
    ({"user_id": "first", "group": "C"}, "unknown_group"),
    ({"user_id": "first", "group": ""}, "unknown_group"),
    ({"user_id": "first", "group_id": NOBODY}, "unknown_group"),
    ({"user_id": "first", "group_id": "elsewhere"}, "unknown_group"),
    ({"user_id": "stranger", "group": "A"}, "not_enrolled"),
    ({"user_id": "first", "group": "B"}, "group_full"),
]


@pytest.mark.parametrize(("given", "code"), REFUSED)
async def test_a_row_that_is_refused_says_why(
    client: httpx.AsyncClient, world: World, given: dict[str, Any], code: str
) -> None:
    room = await GroupOccupancy(client, world).make(b=0)
    (stranger,) = await world.add_users(1)
    elsewhere = await world.add_group(await world.add_partition("TP"))
    ids = {"first": world.users[0], "stranger": stranger, "elsewhere": elsewhere}
    given = {
        name: ids.get(value, value) if name.endswith("_id") else value
        for name, value in given.items()
    }
    good = {"user_id": world.users[1], "group": "A"}
    before = await world.log()
    nothing = await room.outcome([given, good])
    assert (nothing["written"], nothing["rows"][0]["code"]) == (False, code)
    assert nothing["counts"] == {"refused": 1, "assigned": 1}
    assert await world.log() == before
    rest = await room.outcome([given, good], mode="row_by_row")
    assert rest == {**nothing, "written": True}
    assert await room.members() == ([world.users[1]], [])


async def test_a_dry_run_answers_the_same_and_writes_nothing(
    room: GroupOccupancy, world: World
) -> None:
    rows = [{"user_id": user, "group": "A"} for user in world.users]
    before = await world.log()
    tried = await room.outcome(rows, dry_run=True)
    assert await world.log() == before
    assert await room.outcome(rows) == {**tried, "written": True}
    assert tried["written"] is False


async def test_users_are_named_by_username_email_or_number(
    room: GroupOccupancy, world: World, sql: SQL
) -> None:
    one, two, three = world.users[:3]
    number = f"N{world.department}"
    await sql("UPDATE users SET student_number = :n WHERE id = :id", n=number, id=three)
    rows = await sql(
        "SELECT username, upper(email) FROM users WHERE id IN (:one, :two) ORDER BY id",
        one=one,
        two=two,
    )
    names = [f" {rows[0][0]} ", rows[1][1], number]
    outcome = await room.outcome([{"user": name, "group": "A"} for name in names])
    assert [each["user_id"] for each in outcome["rows"]] == [one, two, three]
    assert (await room.members())[0] == [one, two, three]


async def test_a_number_means_the_user_of_the_department(
    room: GroupOccupancy, world: World, make_world: MakeWorld, sql: SQL
) -> None:
    other = await make_world(1)
    number = f"N{world.department}"
    for user in (other.users[0], world.users[0]):
        await sql("UPDATE users SET student_number = :n WHERE id = :id", n=number, id=user)
    outcome = await room.outcome([{"user": number, "group": "A"}])
    assert outcome["rows"] == [row(1, "assigned", world.users[0], room.a)]


@pytest.mark.parametrize("name", ["e\u0301te\u0301", " \u00e9t\u00e9 "])
async def test_a_group_is_named_as_it_would_be_stored(
    client: httpx.AsyncClient, world: World, name: str
) -> None:
    room = await GroupOccupancy(client, world).make()
    group = await world.add_group(room.partition, "\u00e9t\u00e9")
    outcome = await room.outcome([{"user_id": world.users[0], "group": name}])
    assert outcome["rows"] == [row(1, "assigned", world.users[0], group)]


async def test_a_place_that_a_row_frees_is_there_for_the_next(
    client: httpx.AsyncClient, world: World
) -> None:
    room = await GroupOccupancy(client, world).make(a=1, b=1)
    one, two = world.users[:2]
    await room.put(room.a, one)
    await room.put(room.b, two)
    swap = [
        {"user_id": one, "group_id": None},
        {"user_id": two, "group": "A"},
        {"user_id": one, "group": "B"},
    ]
    outcome = await room.outcome(swap)
    assert [each["result"] for each in outcome["rows"]] == ["removed", "moved", "assigned"]
    assert await room.members() == ([two], [one])


@pytest.mark.parametrize("mode", ["all_or_nothing", "row_by_row"])
async def test_members_of_full_groups_change_places(
    client: httpx.AsyncClient, world: World, mode: str
) -> None:
    room = await GroupOccupancy(client, world).make(a=1, b=1)
    one, two = world.users[:2]
    await room.put(room.a, one)
    await room.put(room.b, two)
    outcome = await room.outcome(
        [{"user_id": one, "group": "B"}, {"user_id": two, "group": "A"}], mode=mode
    )
    assert outcome == {
        "written": True,
        "counts": {"moved": 2},
        "rows": [
            row(1, "moved", one, room.b, previous_group_id=room.a),
            row(2, "moved", two, room.a, previous_group_id=room.b),
        ],
    }
    assert await room.members() == ([two], [one])


async def test_whoever_finds_no_place_keeps_theirs_and_others_do_not_have_it(
    client: httpx.AsyncClient, world: World
) -> None:
    room = await GroupOccupancy(client, world).make(a=1, b=1)
    one, two, three = world.users[:3]
    await room.put(room.a, one)
    await room.put(room.b, two)
    rows = [{"user_id": three, "group": "A"}, {"user_id": one, "group": "B"}]
    outcome = await room.outcome(rows, mode="row_by_row")
    assert outcome == {
        "written": True,
        "counts": {"refused": 2},
        "rows": [
            row(1, "refused", three, room.a, code="group_full"),
            row(2, "refused", one, room.b, code="group_full"),
        ],
    }
    assert await room.members() == ([one], [two])


async def test_rows_of_one_user_take_effect_in_their_order(
    room: GroupOccupancy, world: World
) -> None:
    user = world.users[0]
    outcome = await room.outcome(
        [
            {"user_id": user, "group": "A"},
            {"user_id": user, "group": "B"},
            {"user_id": user, "group": "B"},
        ]
    )
    assert outcome["rows"] == [
        row(1, "assigned", user, room.a),
        row(2, "moved", user, room.b, previous_group_id=room.a),
        row(3, "unchanged", user, room.b, previous_group_id=room.b),
    ]
    assert await room.members() == ([], [user])
    assert [line[0] for line in await world.log("membership.%")] == ["membership.assigned"]


async def test_a_capacity_counts_the_rows_of_the_batch(
    client: httpx.AsyncClient, world: World
) -> None:
    room = await GroupOccupancy(client, world).make(a=2)
    await room.put(room.a, world.users[0])
    rows = [{"user_id": user, "group": "A"} for user in world.users]
    outcome = await room.outcome(rows, mode="row_by_row")
    results = [each["result"] for each in outcome["rows"]]
    assert results == ["unchanged", "assigned", "refused", "refused", "refused"]
    assert (await room.members())[0] == world.users[:2]


async def test_a_cohort_takes_strangers_in_bulk(client: httpx.AsyncClient, world: World) -> None:
    partition = await world.add_partition("Cohorts", "cohorts")
    cohort = await world.add_group(partition)
    (stranger,) = await world.add_users(1)
    path = f"/v1/partitions/{partition}/assignments"
    answer = await client.post(path, json={"rows": [{"user_id": stranger, "group": "A"}]})
    assert answer.json()["rows"] == [row(1, "assigned", stranger, cohort)]


async def test_no_rows_are_no_change(room: GroupOccupancy) -> None:
    assert await room.outcome([]) == {"written": True, "counts": {}, "rows": []}


async def test_a_row_that_names_no_user_refuses_the_request(
    room: GroupOccupancy, world: World
) -> None:
    good = {"user_id": world.users[0], "group": "A"}
    assert told(await room.send([good, {"group": "A"}])) == problem(
        422,
        "invalid",
        "a row names no user",
        errors=[
            {"pointer": "#/rows/1/user_id", "code": "invalid", "message": "a row names no user"}
        ],
    )
    assert await room.members() == ([], [])


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        (
            {"mode": "most"},
            invalid("#/mode", "literal_error", "Input should be 'all_or_nothing' or 'row_by_row'"),
        ),
        (
            {"dry_run": 1},
            invalid("#/dry_run", "bool_type", "Input should be a valid boolean"),
        ),
    ],
)
async def test_an_option_that_there_is_not_is_refused(
    room: GroupOccupancy, more: dict[str, Any], refusal: dict[str, Any]
) -> None:
    assert told(await room.send([], **more)) == refusal


async def test_ten_thousand_rows_at_once(client: httpx.AsyncClient, make_world: MakeWorld) -> None:
    world = await make_world(10_000)
    room = await GroupOccupancy(client, world).make(a=9_000)
    rows = [{"user_id": user, "group": "A"} for user in world.users]
    outcome = await room.outcome(rows, mode="row_by_row")
    assert outcome["counts"] == {"assigned": 9_000, "refused": 1_000}
    assert (await room.members())[0] == world.users[:9_000]
