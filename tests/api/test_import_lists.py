"""What is not in a file: empty cells, people who are missing, rows that take somebody out."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.api.tables import XLSX, all_of, rows, table, upload
from tests.conftest import MakeWorld, World
from tests.workbooks import workbook

PLACES = ("course_key", "user", "partition", "group")


class Course:
    """A course whose students go by their places, with the groups A and B of TD and C of TP."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world = client, world
        self.names: list[str] = []
        self.groups: dict[str, int] = {}

    async def make(self, **members: Sequence[int]) -> "Course":
        found = await self.world.sql(
            "SELECT username FROM users WHERE id = ANY (:ids) ORDER BY id", ids=self.world.users
        )
        self.names = [name for (name,) in found]
        td = await self.world.add_partition("TD")
        tp = await self.world.add_partition("TP", position=2)
        for partition, name in ((td, "A"), (td, "B"), (tp, "C")):
            group = self.groups[name] = await self.world.add_group(partition, name)
            for place in members.get(name, ()):
                await self.world.sql(
                    "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
                    " VALUES (:course, :partition, :user, :group)",
                    course=self.world.course_id,
                    partition=partition,
                    user=self.world.users[place],
                    group=group,
                )
        return self

    async def members(self) -> dict[str, list[int]]:
        return {
            name: [self.world.users.index(user) for user in await self.world.members(group)]
            for name, group in self.groups.items()
        }

    async def withdrawn(self) -> list[int]:
        found = await self.world.sql(
            "SELECT user_id FROM enrollments WHERE course_id = :id AND state = 'withdrawn'"
            " ORDER BY user_id",
            id=self.world.course_id,
        )
        return [self.world.users.index(user) for (user,) in found]

    def place(self, user: int | str, group: str, *more: str) -> tuple[str, ...]:
        name = self.names[user] if isinstance(user, int) else user
        return (self.world.course, name, "TP" if group == "C" else "TD", group, *more)

    async def send(self, kind: str, *given: Sequence[object], **query: Any) -> dict[str, Any]:
        """The same answer to a dry run, after which nothing is otherwise, and to the run."""
        before = await self.members(), await self.withdrawn()
        dry = (await upload(self.client, kind, table(*given), dry_run=True, **query)).json()
        assert (await self.members(), await self.withdrawn()) == before
        answer = (await upload(self.client, kind, table(*given), **query)).json()
        told = {"dry_run": True, **({"written": False} if "written" in answer else {})}
        assert dry == {**answer, **told}
        return answer

    def missing(self, user: int, group: str | None, result: str, *why: str) -> dict[str, Any]:
        partition = {None: None, "C": "TP"}.get(group, "TD")
        code, message = why or (None, None)
        return {
            "course_key": self.world.course,
            "partition": partition,
            "group": group,
            "user": self.names[user],
            "result": result,
            "code": code,
            "message": message,
        }


@pytest.fixture
async def ten(client: httpx.AsyncClient, make_world: MakeWorld) -> Course:
    """0 to 3 are in A, 4 to 6 in B; 0, 1 and 9 in C."""
    world = await make_world(10)
    return await Course(client, world).make(A=range(4), B=range(4, 7), C=(0, 1, 9))


async def test_only_those_who_are_listed_stay_in_the_groups_of_the_file(ten: Course) -> None:
    listed = [ten.place(0, "A"), ten.place(4, "A"), ten.place(8, "A"), ten.place(1, "C")]
    answer = await ten.send("assignments", PLACES, *listed, only=True)
    assert answer["counts"] == {"unchanged": 2, "moved": 1, "assigned": 1, "removed": 5}
    assert answer["missing"] == [
        *(ten.missing(user, "A", "removed") for user in (1, 2, 3)),
        *(ten.missing(user, "C", "removed") for user in (0, 9)),
    ]
    # B is not named, and loses only who is somewhere else now.
    assert await ten.members() == {"A": [0, 4, 8], "B": [5, 6], "C": [1]}
    log = await ten.world.log("membership.removed")
    assert len(log) == 5
    again = await ten.send("assignments", PLACES, *listed, only=True)
    assert (again["counts"], again["missing"]) == ({"unchanged": 4}, [])


async def test_those_who_go_make_room_for_those_who_are_listed(ten: Course) -> None:
    await ten.world.sql("UPDATE groups SET capacity = 4 WHERE id = :id", id=ten.groups["A"])
    listed = [ten.place(user, "A") for user in (0, 4, 8, 9)]
    answer = await ten.send("assignments", PLACES, *listed, only=True)
    assert answer["counts"] == {"unchanged": 1, "moved": 1, "assigned": 2, "removed": 3}
    assert answer["missing"] == [ten.missing(user, "A", "removed") for user in (1, 2, 3)]
    assert (await ten.members())["A"] == [0, 4, 8, 9]
    # Where there is no room for all the same, they are refused, and nobody else comes back.
    await ten.world.sql("UPDATE groups SET capacity = 2 WHERE id = :id", id=ten.groups["B"])
    listed = [ten.place(user, "B") for user in (5, 1, 2)]
    answer = await ten.send("assignments", PLACES, *listed, only=True)
    assert answer["counts"] == {"unchanged": 1, "assigned": 1, "refused": 1, "removed": 1}
    assert (await ten.members())["B"] == [1, 5]


@pytest.mark.parametrize("batch", [1, 2, 1000])
async def test_members_of_full_groups_swap_anywhere_in_a_table(
    ten: Course, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", batch)
    for group, places in (("A", 4), ("B", 3)):
        await ten.world.sql(
            "UPDATE groups SET capacity = :places WHERE id = :id",
            places=places,
            id=ten.groups[group],
        )
    given = [ten.place(4, "A"), ten.place(5, "A"), ten.place(0, "B"), ten.place(1, "B")]
    answer = await ten.send("assignments", PLACES, *given)
    assert answer["counts"] == {"moved": 4}
    assert await ten.members() == {"A": [2, 3, 4, 5], "B": [0, 1, 6], "C": [0, 1, 9]}
    # With a list, those who go make room, whoever comes first.
    given = [ten.place(8, "B"), ten.place(9, "B"), ten.place(2, "B"), ten.place(6, "A")]
    answer = await ten.send("assignments", PLACES, *given, only=True)
    assert answer["counts"] == {"assigned": 2, "moved": 2, "removed": 5}
    assert [row["result"] for row in answer["rows"]].count("moved") == 2
    assert await ten.members() == {"A": [6], "B": [2, 8, 9], "C": [0, 1, 9]}


async def test_an_answer_of_rows_that_have_all_waited_is_whole(ten: Course) -> None:
    await ten.world.sql("UPDATE groups SET capacity = 4 WHERE id = :id", id=ten.groups["A"])
    answer = await ten.send("assignments", PLACES, ten.place(8, "A"), only=True)
    assert answer["rows"] == [{"line": 2, "result": "assigned", "code": None, "message": None}]
    assert answer["counts"] == {"assigned": 1, "removed": 4}


async def test_a_list_is_judged_as_a_whole_and_not_batch_by_batch(
    ten: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", 2)
    listed = [ten.place(user, "A") for user in (0, 1, 2, 4)]
    answer = await ten.send("assignments", PLACES, *listed, only=True)
    assert answer["missing"] == [ten.missing(3, "A", "removed")]
    roster = [("username", "course_key"), *((name, ten.world.course) for name in ten.names[1:])]
    answer = await ten.send("roster", *roster, withdraw_missing=True)
    assert answer["missing"] == [ten.missing(0, None, "withdrawn")]


async def test_whoever_a_refused_row_may_mean_is_not_missing(ten: Course) -> None:
    name = ten.names[2]
    given = [
        ten.place(0, "A"),
        ten.place(1, "none"),
        ten.place(name.upper(), "none"),
        ten.place("nobody", "A"),
        ten.place(3, ""),
        ten.place("nobody", "B"),
    ]
    answer = await ten.send("assignments", PLACES, *given, only=True)
    codes = [row["code"] or row["result"] for row in answer["rows"]]
    unknown = ["unknown_group", "unknown_group", "unknown_user", "unchanged", "unknown_user"]
    assert codes == ["unchanged", *unknown]
    # Of B no row is done: nothing says who is to be in it.
    assert answer["missing"] == []
    broken = table(PLACES, ten.place(0, "A")) + f"{ten.world.course},Doe,Jane,TD,A\r\n"
    answer = (await upload(ten.client, "assignments", broken, only=True)).json()
    why = "incomplete_list", "rows cannot be read, so that nobody can be said to be missing"
    assert answer["counts"] == {"unchanged": 1, "refused": 4}
    assert answer["missing"] == [ten.missing(user, "A", "refused", *why) for user in (1, 2, 3)]


async def test_rows_take_out_who_is_to_be_removed(ten: Course) -> None:
    given = [
        ten.place(0, "A", "remove"),
        ten.place(1, "B", "remove"),
        ten.place(2, "", "Remove"),
        ten.place(7, "", "remove"),
        ten.place(3, "B", "add"),
        ten.place(3, "B", "remove"),
        ten.place(8, "A", ""),
        ten.place(9, "none", "remove"),
        ten.place(9, "A", "drop"),
    ]
    answer = await ten.send("assignments", (*PLACES, "action"), *given, create=True)
    assert [row["code"] or row["result"] for row in answer["rows"]] == [
        "removed", "unchanged", "removed", "unchanged", "moved", "removed", "assigned",
        "unknown_group", "invalid_value",
    ]  # fmt: skip
    assert await ten.members() == {"A": [1, 8], "B": [4, 5, 6], "C": [0, 1, 9]}


async def test_who_is_missing_from_a_roster_is_withdrawn_and_who_is_back_is_active(
    ten: Course, client: httpx.AsyncClient
) -> None:
    key, header = ten.world.course, ("username", "course_key")
    await ten.world.sql(
        "UPDATE enrollments SET state = 'defaulted' WHERE user_id = :id", id=ten.world.users[9]
    )
    listed = [(name, key) for name in ten.names[:8]]
    answer = await ten.send("roster", header, *listed, withdraw_missing=True)
    assert answer["counts"] == {"unchanged": 8, "withdrawn": 1}
    assert answer["missing"] == [ten.missing(8, None, "withdrawn")]
    assert await ten.withdrawn() == [8]
    answer = await ten.send("roster", header, (ten.names[8], key))
    assert answer["counts"] == {"reactivated": 1}
    given = [(ten.names[7], key, "remove"), (ten.names[6], key, "add"), ("nobody", key, "remove")]
    answer = await ten.send("roster", (*header, "action"), *given)
    assert [row["code"] or row["result"] for row in answer["rows"]] == [
        "withdrawn", "unchanged", "unknown_user",
    ]  # fmt: skip
    states = ("username", "course_key", "state")
    given = [(ten.names[7], key, ""), (ten.names[7], key, "withdrawn"), (ten.names[7], key, "")]
    assert [result for _, result, *_ in await rows(client, "roster", states, *given)] == [
        "reactivated", "withdrawn", "reactivated",
    ]  # fmt: skip


async def test_a_row_that_withdraws_and_erases_counts_as_both(
    ten: Course, client: httpx.AsyncClient
) -> None:
    header = ("username", "email", "course_key", "action")
    row = (ten.names[0], "", ten.world.course, "remove")
    answer = await ten.send("roster", header, row, empty="clear")
    assert answer["counts"] == {"withdrawn": 1, "erased": 1}
    assert answer["rows"][0] == {
        "line": 2, "result": "withdrawn", "code": None, "message": None, "also": ["erased"],
    }  # fmt: skip
    contrary = (ten.names[0], ten.world.course, "remove", "active")
    found = await rows(client, "roster", ("username", "course_key", "action", "state"), contrary)
    assert found == [(2, "refused", "invalid_value", "state says otherwise than the action")]


LARGE = [
    (
        "assignments",
        # Five of TD and two of TP: too many for one file.
        lambda ten: [PLACES, ten.place(0, "A"), ten.place(4, "B"), ten.place(0, "C")],
        {"only": True},
        "7 of 10 people in groups that the file names would be taken out",
    ),
    (
        "assignments",
        lambda ten: [(*PLACES, "action"), *(ten.place(n, "", "remove") for n in range(6))],
        {},
        "6 of 7 people in groups of the partition would be taken out",
    ),
    (
        "assignments",
        lambda ten: [PLACES, *(ten.place(n, "") for n in range(6))],
        {"empty": "clear"},
        "6 of 7 people in groups of the partition would be taken out",
    ),
    (
        "roster",
        lambda ten: [("username", "course_key"), (ten.names[0], ten.world.course)],
        {"withdraw_missing": True},
        "9 of 10 people who are active in the course would be withdrawn",
    ),
    (
        "roster",
        lambda ten: [
            ("username", "course_key", "state"),
            *((name, ten.world.course, "withdrawn") for name in ten.names[:6]),
        ],
        {},
        "6 of 10 people who are active in the course would be withdrawn",
    ),
    (
        "roster",
        lambda ten: [("username", "email"), *((name, "") for name in ten.names)],
        {"empty": "clear"},
        "10 of 10 people of the file would lose what is known of them",
    ),
]


@pytest.mark.parametrize(("kind", "given", "query", "message"), LARGE)
async def test_what_would_take_away_too_much_is_refused_unless_accepted(
    ten: Course, kind: str, given: Any, query: dict[str, Any], message: str
) -> None:
    before = await ten.members(), await ten.withdrawn()
    answer = await ten.send(kind, *given(ten), **query)
    refused = [
        each
        for each in (*answer["rows"], *answer.get("missing", ()))
        if each["result"] == "refused"
    ]
    assert {(each["code"], each["message"]) for each in refused} == {("large", message)}
    assert len(refused) == answer["counts"]["refused"] == int(message.split()[0])
    assert (await ten.members(), await ten.withdrawn()) == before
    answer = await ten.send(kind, *given(ten), accept="large", **query)
    assert "refused" not in answer["counts"]
    assert sum(answer["counts"].get(each, 0) for each in ("removed", "withdrawn", "erased")) == len(
        refused
    )


async def test_five_people_or_a_fifth_may_always_go(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(40)
    course = await Course(client, world).make(A=range(40))
    listed = [course.place(n, "A") for n in range(32)]
    answer = await course.send("assignments", PLACES, *listed, only=True)
    assert answer["counts"] == {"unchanged": 32, "removed": 8}
    answer = await course.send("assignments", PLACES, *listed[:25], only=True)
    assert answer["counts"] == {"unchanged": 25, "refused": 7}
    why = ("large", "7 of 32 people in groups that the file names would be taken out")
    assert answer["missing"][0] == course.missing(25, "A", "refused", *why)
    answer = await course.send("assignments", PLACES, *listed[:27], only=True)
    assert answer["counts"] == {"unchanged": 27, "removed": 5}


async def test_people_who_come_with_the_list_do_not_count_as_those_who_were_there(
    ten: Course,
) -> None:
    new = [(f"{ten.world.department.lower()}-{n}", ten.world.course) for n in range(60)]
    answer = await ten.send("roster", ("username", "course_key"), *new, withdraw_missing=True)
    assert answer["counts"] == {"created": 60, "refused": 10}
    assert await ten.withdrawn() == []


async def test_nothing_is_written_of_an_import_of_which_something_is_refused(
    ten: Course, client: httpx.AsyncClient
) -> None:
    given = [ten.place(7, "A"), ten.place("nobody", "A")]
    answer = await ten.send("assignments", PLACES, *given, mode="all_or_nothing")
    assert answer["written"] is False
    assert answer["counts"] == {"assigned": 1, "refused": 1}
    assert 7 not in (await ten.members())["A"]
    answer = await ten.send("assignments", PLACES, given[0], mode="all_or_nothing")
    assert (answer["written"], answer["counts"]) == (True, {"assigned": 1})
    assert 7 in (await ten.members())["A"]
    # A list that is braked is a refusal too.
    one = ("username", "course_key"), (ten.names[0], ten.world.course)
    query = {"withdraw_missing": True, "mode": "all_or_nothing"}
    answer = await ten.send("roster", *one, ("new" + ten.names[0], ten.world.course), **query)
    assert (answer["written"], answer["counts"]["created"]) == (False, 1)
    body = {"rows": [{"username": ten.names[0], "email": None}]}
    answer = await client.post("/v1/import/roster", json=body, params={"empty": "clear"})
    assert answer.json()["rows"][0]["result"] == "erased"
    answer = await client.post("/v1/import/roster", json=body)
    assert answer.json()["rows"][0]["result"] == "unchanged"


async def test_a_locked_course_keeps_whoever_is_missing(ten: Course) -> None:
    await ten.world.sql(
        "UPDATE courses SET is_locked = true WHERE id = :id", id=ten.world.course_id
    )
    answer = await ten.send("assignments", PLACES, ten.place(0, "A"), only=True)
    assert answer["counts"] == {"unchanged": 1, "refused": 3}
    assert {each["code"] for each in answer["missing"]} == {"course_locked"}


async def test_near_matches_are_told_apart(ten: Course, client: httpx.AsyncClient) -> None:
    answer = await upload(client, "roster", table(("username",), (ten.names[0].upper(),)))
    near = [ten.names[0]]
    assert answer.json()["rows"] == [
        {
            "line": 2,
            "result": "refused",
            "code": "lookalike",
            "message": f"this looks like another user: {near[0]}",
            "near": near,
        }
    ]


async def test_own_exports_are_unchanged_even_where_empty_cells_clear(
    ten: Course, client: httpx.AsyncClient
) -> None:
    await ten.world.sql(
        "UPDATE enrollments SET state = 'withdrawn' WHERE user_id = :id", id=ten.world.users[3]
    )
    query = {"empty": "clear", "only": True, "withdraw_missing": True, "mode": "all_or_nothing"}
    taken = {"roster": ("withdraw_missing",), "assignments": ("only",)}
    for kind in ("courses", "roster", "structure", "assignments", "roles"):
        out = await client.get(f"/v1/export/{kind}", params={"course_id": ten.world.course_id})
        own = ("empty", "mode", *taken.get(kind, ()))
        answer = await upload(client, kind, out.content, **{name: query[name] for name in own})
        count = len(out.text.splitlines()) - 1
        assert answer.json()["counts"] == ({"unchanged": count} if count else {})
        assert answer.json()["rows"] == [
            {"line": line, "result": result, "code": code, "message": message}
            for line, result, code, message in all_of("unchanged", count)
        ]


async def test_a_workbook_is_read_twice_where_its_rows_are_weighed(
    ten: Course, client: httpx.AsyncClient
) -> None:
    for header in (PLACES, (*PLACES, "action")):
        given = [[*header], *([*ten.place(n, "A"), ""][: len(header)] for n in range(4))]
        answer = await client.post(
            "/v1/import/assignments",
            content=workbook(given),
            headers={"content-type": XLSX},
            params={"only": True},
        )
        assert answer.json()["counts"] == {"unchanged": 4}
    given = [[*PLACES, "action"], *([*ten.place(n, ""), "remove"] for n in range(7))]
    answer = await client.post(
        "/v1/import/assignments", content=workbook(given), headers={"content-type": XLSX}
    )
    assert answer.json()["counts"] == {"refused": 7}
