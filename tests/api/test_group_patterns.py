"""Many groups at once, by a pattern for their names."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.refusals import invalid, problem, told
from tests.conftest import SQL, Auth, MakeWorld, World

PATHS = ("groups", "groups/by-pattern")


class Part:
    """A partition, and what can be sent to make groups of it."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world, self.id = client, world, 0

    async def make(self) -> "Part":
        self.id = await self.world.add_partition("TD")
        return self

    async def send(self, path: str = "groups", **body: Any) -> httpx.Response:
        headers = body.pop("headers", {})
        where = f"/v1/partitions/{self.id}/{path}"
        return await self.client.post(where, json=body, headers=headers)

    async def stored(self) -> list[tuple[Any, ...]]:
        """Name, position, capacity and id, in order."""
        return [
            (group["name"], group["position"], group["capacity"], group["id"])
            for group in (await self.client.get(f"/v1/partitions/{self.id}")).json()["groups"]
        ]

    async def names(self, **body: Any) -> list[str]:
        answer = await self.send(**body, dry_run=True)
        assert answer.status_code == 200, answer.text
        return [group["name"] for group in answer.json()["groups"]]


@pytest.fixture
async def part(client: httpx.AsyncClient, world: World) -> Part:
    return await Part(client, world).make()


def refusal(pointer: str, message: str, code: str = "invalid") -> Any:
    entry = {"pointer": pointer, "code": code, "message": message}
    return problem(422, code, message, errors=[entry])


@pytest.mark.parametrize("path", PATHS)
async def test_a_pattern_makes_groups_at_the_end(part: Part, path: str) -> None:
    first = (await part.send(name="Z")).json()["id"]
    answer = await part.send(path, pattern="TD #", count=3, capacity=30)
    made = await part.stored()
    assert [each[:3] for each in made] == [
        ("Z", 1, None),
        ("TD 1", 2, 30),
        ("TD 2", 3, 30),
        ("TD 3", 4, 30),
    ]
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "written": True,
            "counts": {"created": 3},
            "groups": [
                {"name": name, "result": "created", "group_id": id_}
                for name, _, _, id_ in made
                if id_ != first
            ],
        },
    )


async def test_a_preview_answers_the_names_and_writes_nothing(part: Part, world: World) -> None:
    (there,) = [(await part.send(name="TD 2", capacity=5)).json()["id"]]
    before = await world.log()
    tried = await part.send(pattern="TD #", count=3, capacity=30, dry_run=True)
    assert (tried.status_code, tried.json()) == (
        200,
        {
            "written": False,
            "counts": {"created": 2, "exists": 1},
            "groups": [
                {"name": "TD 1", "result": "created", "group_id": None},
                {"name": "TD 2", "result": "exists", "group_id": there},
                {"name": "TD 3", "result": "created", "group_id": None},
            ],
        },
    )
    assert await world.log() == before
    done = await part.send(pattern="TD #", count=3, capacity=30)
    ids = {name: id_ for name, _, _, id_ in await part.stored()}
    expected = tried.json() | {"written": True}
    for group in expected["groups"]:
        group["group_id"] = ids[group["name"]]
    assert (done.status_code, done.json()) == (201, expected)
    assert [each[:3] for each in await part.stored()] == [
        ("TD 2", 1, 5),
        ("TD 1", 2, 30),
        ("TD 3", 3, 30),
    ]


async def test_what_exists_counts_and_stays_as_it_is(part: Part, world: World) -> None:
    await part.send(pattern="TD #", count=2)
    made, before = await part.stored(), await world.log()
    answer = await part.send(pattern="TD #", count=2, capacity=30)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "written": False,
            "counts": {"exists": 2},
            "groups": [
                {"name": name, "result": "exists", "group_id": id_} for name, _, _, id_ in made
            ],
        },
    )
    assert (await part.stored(), await world.log()) == (made, before)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"pattern": "TD #", "from": 9, "count": 2}, ["TD 9", "TD 10"]),
        ({"pattern": "TD #", "from": 0, "count": 1}, ["TD 0"]),
        ({"pattern": "##", "from": 9, "count": 2}, ["09", "10"]),
        ({"pattern": "##", "from": 99, "count": 2}, ["99", "100"]),
        ({"pattern": "G###a", "count": 1}, ["G001a"]),
        ({"pattern": "TP @", "count": 3}, ["TP A", "TP B", "TP C"]),
        ({"pattern": "@", "from": 26, "count": 2}, ["Z", "AA"]),
        ({"pattern": "@", "from": 702, "count": 2}, ["ZZ", "AAA"]),
        ({"pattern": "C\\# #", "count": 1}, ["C# 1"]),
        ({"pattern": "a\\@b\\\\c @", "count": 1}, ["a@b\\c A"]),
        ({"pattern": "a\\b #", "count": 1}, ["a\\b 1"]),
        ({"pattern": " TD # ", "count": 1}, ["TD 1"]),
        ({"pattern": "e\u0301 #", "count": 1}, ["\u00e9 1"]),
    ],
)
async def test_what_a_pattern_stands_for(part: Part, body: Any, names: list[str]) -> None:
    assert await part.names(**body) == names


async def test_there_are_enough_groups_for_the_active_enrollments(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(8)
    path = f"/v1/courses/{world.course_id}/enrollments/{world.users[0]}"
    await client.patch(path, json={"state": "withdrawn"})
    part = await Part(client, world).make()
    found = [len(await part.names(pattern="#", size=size)) for size in (1, 2, 3, 4, 6, 7, 8)]
    assert found == [7, 4, 3, 2, 2, 1, 1]
    answer = await part.send(pattern="TD #", size=3, capacity=3)
    assert (answer.status_code, answer.json()["counts"]) == (201, {"created": 3})


async def test_nobody_needs_no_groups(client: httpx.AsyncClient, make_world: MakeWorld) -> None:
    part = await Part(client, await make_world(0)).make()
    assert told(await part.send(pattern="TD #", size=3)) == problem(
        409, "nobody_enrolled", "nobody is active in the course"
    )


async def test_there_are_no_more_groups_at_once_than_a_list_holds(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    part = await Part(client, await make_world(501)).make()
    message = "that would be 501 groups; 500 at once is most"
    assert told(await part.send(pattern="#", size=1)) == refusal("#/size", message)
    assert len(await part.names(pattern="#", size=2)) == 251
    assert (await part.send(pattern="#", count=500)).json()["counts"] == {"created": 500}


ONE_PLACE = refusal(
    "#/pattern",
    "the pattern must have one place for a number (#) or for letters (@)",
    "invalid_pattern",
)
STORED = refusal(
    "#/pattern", "the name must have 1 to 255 characters that can be stored", "invalid_name"
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"pattern": "TD", "count": 2}, ONE_PLACE),
        ({"pattern": "", "count": 2}, ONE_PLACE),
        ({"pattern": "# #", "count": 2}, ONE_PLACE),
        ({"pattern": "#@", "count": 2}, ONE_PLACE),
        ({"pattern": "@@", "count": 2}, ONE_PLACE),
        ({"pattern": "\\#", "count": 2}, ONE_PLACE),
        ({"pattern": "x" * 254 + "#", "from": 9, "count": 2}, STORED),
        ({"pattern": "@", "from": 0, "count": 2}, refusal("#/from", "letters are counted from 1")),
        ({"pattern": "#"}, invalid("#", "count_or_size", "Send either `count` or `size`")),
        (
            {"pattern": "#", "count": 1, "size": 1},
            invalid("#", "count_or_size", "Send either `count` or `size`"),
        ),
        (
            {"pattern": "#", "count": 0},
            invalid("#/count", "greater_than_equal", "Input should be greater than or equal to 1"),
        ),
        (
            {"pattern": "#", "count": 501},
            invalid("#/count", "less_than_equal", "Input should be less than or equal to 500"),
        ),
        (
            {"pattern": "#", "size": 0},
            invalid("#/size", "greater_than_equal", "Input should be greater than or equal to 1"),
        ),
        (
            {"pattern": "#", "count": 1, "from": -1},
            invalid("#/from", "greater_than_equal", "Input should be greater than or equal to 0"),
        ),
        (
            {"pattern": "#", "count": 1, "first": 1},
            invalid("#/first", "extra_forbidden", "Extra inputs are not permitted"),
        ),
        (
            {"pattern": "#", "count": 1, "name": "A"},
            invalid("#/name", "extra_forbidden", "Extra inputs are not permitted"),
        ),
        (
            {"pattern": 1, "count": 1},
            invalid("#/pattern", "string_type", "Input should be a valid string"),
        ),
        (
            {"pattern": "#", "count": 1, "capacity": -1},
            invalid(
                "#/capacity", "greater_than_equal", "Input should be greater than or equal to 0"
            ),
        ),
    ],
)
@pytest.mark.parametrize("path", PATHS)
async def test_a_pattern_that_is_wrong_makes_nothing(
    part: Part, path: str, body: Any, expected: Any
) -> None:
    assert told(await part.send(path, **body)) == expected
    assert await part.stored() == []


async def test_a_single_group_is_refused_in_its_own_words(part: Part) -> None:
    assert told(await part.send()) == invalid("#/name", "missing", "Field required")
    assert told(await part.send(name="A", count=2)) == invalid(
        "#/count", "extra_forbidden", "Extra inputs are not permitted"
    )


@pytest.mark.parametrize("dry_run", [False, True])
async def test_who_and_where(part: Part, world: World, sql: SQL, auth: Auth, dry_run: bool) -> None:
    body: dict[str, Any] = {"pattern": "#", "count": 2, "dry_run": dry_run}
    elsewhere = await part.send(**body, headers=auth("groups:write@course:elsewhere"))
    assert told(elsewhere) == problem(404, "not_found", "no such partition")
    reader = f"groups:read@course:{world.course}"
    refused = await part.send(**body, headers=auth(reader, "groups:write@course:elsewhere"))
    assert refused.status_code == 403
    await sql("UPDATE partitions SET groups_editable = false WHERE id = :id", id=part.id)
    assert told(await part.send(**body)) == problem(
        409, "groups_not_editable", "the groups of this partition are not editable"
    )
    await sql("UPDATE courses SET is_locked = true WHERE id = :id", id=world.course_id)
    assert told(await part.send(**body)) == problem(409, "course_locked", "the course is locked")
    assert await part.stored() == []


@pytest.mark.parametrize("path", PATHS)
async def test_a_pattern_that_is_sent_again_with_its_key_is_answered_again(
    part: Part, path: str
) -> None:
    sent = [
        await part.send(path, pattern="TD #", count=2, headers={"idempotency-key": f"{part.id}"})
        for _ in range(2)
    ]
    assert [(each.status_code, each.content) for each in sent] == [(201, sent[0].content)] * 2
    assert [each.headers.get("idempotent-replayed") for each in sent] == [None, "true"]


async def test_of_many_at_once_each_name_is_made_once(part: Part) -> None:
    answers = await asyncio.gather(
        *(part.send(pattern="TD #", count=2 + n % 3) for n in range(12)),
        part.send(name="TD 1"),
    )
    *patterns, single = answers
    assert {each.status_code for each in patterns} <= {200, 201}
    assert single.status_code in (201, 409)
    made = await part.stored()
    assert sorted(name for name, *_ in made) == ["TD 1", "TD 2", "TD 3", "TD 4"]
    assert [position for _, position, *_ in made] == [1, 2, 3, 4]
    ids = {name: id_ for name, *_, id_ in made}
    for answer in patterns:
        for group in answer.json()["groups"]:
            assert group["group_id"] == ids[group["name"]]
