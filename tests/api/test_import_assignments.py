"""Who is in which group, by import."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.tables import NO_COURSE, rows, table, upload
from tests.conftest import SQL, MakeWorld, World

HEADER = ("course_key", "user", "partition", "group")
REFUSALS = {
    "unknown_user": "no such user",
    "unknown_partition": "no such partition",
    "unknown_group": "no such group",
    "not_enrolled": "the user is not enrolled in the course",
    "group_full": "the group has no place left",
    "groups_not_editable": "the groups of this partition are not editable",
    "course_locked": "the course is locked",
}


class Place:
    """A course with users by name and the partition TD with the groups A and B."""

    def __init__(self, client: httpx.AsyncClient, world: World) -> None:
        self.client, self.world = client, world
        self.partition = self.a = self.b = 0
        self.names: list[str] = []

    async def make(self, **limits: int) -> "Place":
        self.partition = await self.world.add_partition("TD")
        self.a = await self.world.add_group(self.partition, "A", capacity=limits.get("a"))
        self.b = await self.world.add_group(self.partition, "B", position=2)
        found = await self.world.sql(
            "SELECT username FROM users WHERE department_id = :id ORDER BY id",
            id=self.world.department_id,
        )
        self.names = [name for (name,) in found]
        return self

    async def send(self, *given: tuple[object, str, str], **query: Any) -> list[str]:
        """Rows of user, partition and group; answers results, or codes of those refused."""
        table_rows = [
            (self.world.course, self.names[user] if isinstance(user, int) else user, *rest)
            for user, *rest in given
        ]
        found = await rows(self.client, "assignments", HEADER, *table_rows, **query)
        assert [line for line, *_ in found] == list(range(2, len(given) + 2))
        for _, result, code, message in found:
            assert message == (REFUSALS[code] if result == "refused" else None)
        return [code or result for _, result, code, _ in found]

    async def groups(self) -> dict[str, list[int]]:
        """Members (by number) of every group of the course, by partition and group."""
        found = await self.world.sql(
            "SELECT p.name || '/' || g.name, m.user_id FROM groups g"
            " JOIN partitions p ON p.course_id = g.course_id AND p.id = g.partition_id"
            " LEFT JOIN memberships m ON m.course_id = g.course_id AND m.group_id = g.id"
            " WHERE g.course_id = :id AND p.kind <> 'default'"
            " ORDER BY p.position, g.position, m.user_id",
            id=self.world.course_id,
        )
        places: dict[str, list[int]] = {}
        for name, user in found:
            members = places.setdefault(name, [])
            members += [self.world.users.index(user)] if user is not None else []
        return places


@pytest.fixture
async def place(client: httpx.AsyncClient, world: World) -> Place:
    return await Place(client, world).make()


async def test_rows_take_effect_in_their_order(place: Place) -> None:
    found = await place.send(
        (0, "TD", "A"), (1, "TD", "A"), (0, "TD", "A"), (0, "TD", "B"), (1, "TD", ""),
        (2, "TD", ""), (1, " TD ", " B "), empty="clear",
    )  # fmt: skip
    assert found == [
        "assigned", "assigned", "unchanged", "moved", "removed", "unchanged", "assigned",
    ]  # fmt: skip
    assert await place.groups() == {"TD/A": [], "TD/B": [0, 1]}
    assert await place.send((0, "TD", "A"), (1, "TD", "")) == ["moved", "unchanged"]
    assert await place.groups() == {"TD/A": [0], "TD/B": [1]}


async def test_users_go_by_username_address_or_number(place: Place) -> None:
    name = place.names[1]
    await place.world.sql(
        "UPDATE users SET student_number = '4711' WHERE id = :id", id=place.world.users[2]
    )
    found = await place.send(
        (0, "TD", "A"), (f"{name}@EXAMPLE.org", "TD", "A"), ("4711", "TD", "A"), ("12", "TD", "A")
    )
    assert found == ["assigned", "assigned", "assigned", "unknown_user"]
    assert await place.groups() == {"TD/A": [0, 1, 2], "TD/B": []}


async def test_what_stands_against_a_row(place: Place, client: httpx.AsyncClient) -> None:
    await place.world.sql("DELETE FROM enrollments WHERE user_id = :id", id=place.world.users[4])
    found = await place.send(
        (0, "TP", "A"), (0, "TD", "C"), ("nobody", "TD", "A"), ("nobody", "TD", ""),
        (4, "TD", "A"), (4, "TD", ""), (0, "TP", ""), (0, "TD", "A"),
    )  # fmt: skip
    assert found == [
        "unknown_partition", "unknown_group", "unknown_user", "unknown_user",
        "not_enrolled", "unchanged", "unknown_partition", "assigned",
    ]  # fmt: skip
    given = [
        ("nowhere", place.names[0], "TD", "A"),
        ("", place.names[0], "TD", "A"),
        (place.world.course, "", "TD", "A"),
        (place.world.course, place.names[0], "", "A"),
    ]
    assert await rows(client, "assignments", HEADER, *given) == [
        (2, "refused", *NO_COURSE),
        (3, "refused", "missing_value", "course_key is empty"),
        (4, "refused", "missing_value", "user is empty"),
        (5, "refused", "missing_value", "partition is empty"),
    ]


async def test_a_full_group_takes_whom_another_row_makes_room_for(
    client: httpx.AsyncClient, world: World
) -> None:
    place = await Place(client, world).make(a=1)
    found = await place.send((0, "TD", "A"), (1, "TD", "A"), (2, "TD", "A"), (0, "TD", "B"))
    assert found == ["assigned", "assigned", "group_full", "moved"]
    assert await place.groups() == {"TD/A": [1], "TD/B": [0]}


async def test_members_of_full_groups_change_places_by_a_table(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    place = await Place(client, world).make(a=1)
    await sql("UPDATE groups SET capacity = 1 WHERE id = :id", id=place.b)
    await place.send((0, "TD", "A"), (1, "TD", "B"))
    swap = [(0, "TD", "B"), (1, "TD", "A")]
    assert await place.send(*swap, dry_run=True) == ["moved", "moved"]
    assert await place.send(*swap) == ["moved", "moved"]
    assert await place.groups() == {"TD/A": [1], "TD/B": [0]}


async def test_what_is_missing_is_made_at_the_end_when_asked_for(place: Place) -> None:
    given = [(0, "TP", "X"), (1, "TD", "C"), (2, "TP", "Y"), (3, "TP", "X"), (0, "Langue", "X")]
    refused = ["unknown_partition", "unknown_group", *["unknown_partition"] * 3]
    assert await place.send(*given) == refused
    tried = await place.send(*given, create=True, dry_run=True)
    assert tried == ["assigned"] * 5
    assert await place.groups() == {"TD/A": [], "TD/B": []}
    assert await place.send(*given, create=True) == ["assigned"] * 5
    assert await place.groups() == {
        "TD/A": [], "TD/B": [], "TD/C": [1], "TP/X": [0, 3], "TP/Y": [2], "Langue/X": [0],
    }  # fmt: skip
    positions = await place.world.sql(
        "SELECT name, position FROM partitions WHERE course_id = :id AND kind = 'ordinary'"
        " ORDER BY position",
        id=place.world.course_id,
    )
    assert positions == [("TD", 1), ("TP", 2), ("Langue", 3)]


async def test_nothing_is_made_for_rows_that_are_refused(place: Place) -> None:
    await place.world.sql("DELETE FROM enrollments WHERE user_id = :id", id=place.world.users[4])
    await place.world.add_partition("Fixe", position=2, groups_editable=False)
    await place.world.add_partition("Parcours", "tracks", position=3, groups_editable=False)
    await place.world.add_partition("Cohortes", "cohorts", position=4)
    found = await place.send(
        ("nobody", "TP", "X"), (4, "TP", "X"), (0, "TP", ""), (0, "Fixe", "X"),
        (0, "Parcours", "X"), (4, "Cohortes", "X"),
        create=True,
    )  # fmt: skip
    assert found == [
        "unknown_user", "not_enrolled", "unknown_partition", "groups_not_editable",
        "groups_not_editable", "assigned",
    ]  # fmt: skip
    assert await place.groups() == {"TD/A": [], "TD/B": [], "Cohortes/X": [4]}


async def test_many_courses_and_partitions_at_once(
    place: Place, client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    other = await Place(client, await make_world(3)).make()
    await other.world.sql(
        "UPDATE courses SET is_locked = true WHERE id = :id", id=other.world.course_id
    )
    third = await Place(client, await make_world(3)).make()
    given = [
        (each.world.course, each.names[user], "TD", group)
        for user, group in ((0, "A"), (1, "B"))
        for each in (third, other, place)
    ]
    locked = ("refused", "course_locked", REFUSALS["course_locked"])
    assigned = ("assigned", None, None)
    assert await rows(client, "assignments", HEADER, *given) == [
        (line, *(locked if line in (3, 6) else assigned)) for line in range(2, 8)
    ]
    for each, a, b in ((third, [0], [1]), (other, [], []), (place, [0], [1])):
        assert await each.groups() == {"TD/A": a, "TD/B": b}


async def test_membership_in_a_track_is_the_track(place: Place, client: httpx.AsyncClient) -> None:
    await client.put(f"/v1/courses/{place.world.course_id}/tracks", json={"codes": ["X", "Y"]})
    assert await place.send((0, "Parcours", "X"), (1, "Parcours", "Y")) == ["assigned"] * 2
    tracks = await place.world.sql(
        "SELECT track FROM enrollments WHERE course_id = :id ORDER BY user_id",
        id=place.world.course_id,
    )
    assert tracks == [("X",), ("Y",), (None,), (None,), (None,)]


async def test_imports_that_race_for_the_last_places_fill_exactly_those(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    place = await Place(client, await make_world(20)).make(a=10)
    tables = [
        table(HEADER, *((place.world.course, place.names[n], "TD", "A") for n in mine))
        for mine in (range(start, 20, 4) for start in range(4))
    ]
    answers = await asyncio.gather(*(upload(client, "assignments", each) for each in tables))
    counts = [answer.json()["counts"] for answer in answers]
    assert sum(each.get("assigned", 0) for each in counts) == 10
    assert sum(each.get("refused", 0) for each in counts) == 10
    assert len((await place.groups())["TD/A"]) == 10


async def test_a_lock_that_races_with_an_import_is_never_passed(
    place: Place, client: httpx.AsyncClient
) -> None:
    content = table(HEADER, *((place.world.course, name, "TD", "A") for name in place.names))
    answers = await asyncio.gather(
        upload(client, "assignments", content),
        client.put(f"/v1/courses/{place.world.course_id}/lock"),
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["counts"] in ({"assigned": 5}, {"refused": 5})
    kinds = [row[0] for row in await place.world.log()]
    assert "membership.assigned" not in kinds[kinds.index("course.updated") :]
