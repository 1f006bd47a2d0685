"""Who and what is meant by names in tables that are not written as they are stored."""

import uuid
from typing import Any

import httpx
import pytest

from tests.api.tables import all_of, rows
from tests.conftest import MakeWorld, World

ROSTER = ("username", "email", "student_number", "department", "course_key")
PLACES = ("course_key", "user", "partition", "group")


@pytest.fixture
async def world(make_world: MakeWorld, client: httpx.AsyncClient) -> World:
    """A user ``<department>-jdupont`` with number 00420001, in a course with a partition TD."""
    made = await make_world(0)
    name, td = made.department, await made.add_partition("TD")
    await made.add_group(td, "TP 1")
    given = (f"{name}-jdupont", f"{name}@example.org", "00420001", name, made.course)
    assert await rows(client, "roster", ROSTER, given) == all_of("created", 1)
    return made


async def people(world: World) -> list[Any]:
    return await world.sql(
        "SELECT username, email, student_number FROM users WHERE department_id = :id ORDER BY id",
        id=world.department_id,
    )


async def names(world: World) -> list[Any]:
    return await world.sql(
        "SELECT g.name, count(m.user_id) FROM groups g LEFT JOIN memberships m"
        " ON m.course_id = g.course_id AND m.group_id = g.id"
        " WHERE g.course_id = :course AND g.name IS NOT NULL GROUP BY g.id, g.name ORDER BY g.id",
        course=world.course_id,
    )


def read_as(user: str) -> tuple[str, str]:
    return "lookalike", f"read as {user}, which looks alike"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{0}-JDupont", "lookalike", "read as {0}-jdupont, which looks alike"),
        (" {0}-jdu\u200bpont\u00a0", "lookalike", "read as {0}-jdupont, which looks alike"),
        ("\ufeff{0}\u2011jdupont", "lookalike", "read as {0}-jdupont, which looks alike"),
        ("{0}@example.org\u200b", "lookalike", "read as {0}-jdupont, which looks alike"),
    ],
)
async def test_a_user_is_found_however_they_are_written(
    client: httpx.AsyncClient, world: World, text: str, code: str, message: str
) -> None:
    name = world.department
    row = (world.course, text.format(name), "TD", "TP 1")
    found = await rows(client, "assignments", PLACES, row)
    assert found == [(2, "assigned", code, message.format(name))]
    assert await names(world) == [("TP 1", 1)]


@pytest.mark.parametrize("text", ["7{0}", "7{0}.0", "7{0},00", "007{0}.0"])
async def test_a_number_is_found_that_has_lost_its_zeros(
    client: httpx.AsyncClient, world: World, text: str
) -> None:
    digits = str(world.department_id)[-6:]
    await world.sql(
        "UPDATE users SET student_number = :number WHERE username = :name",
        number=f"007{digits}",
        name=f"{world.department}-jdupont",
    )
    row = (world.course, text.format(digits), "TD", "TP 1")
    found = await rows(client, "assignments", PLACES, row)
    message = f"read as the undamaged number of {world.department}-jdupont"
    assert found == [(2, "assigned", "damaged", message)]


async def test_a_rounded_number_is_found_when_one_person_fits(
    client: httpx.AsyncClient, world: World
) -> None:
    name, digits = world.department, "88" + str(world.department_id)[-4:]
    numbers = {"one": f"{digits}310001", "two": f"{digits}320001", "three": f"{digits}320002"}
    header = ("username", "student_number", "department", "course_key")
    given = [(f"{name}-{user}", number, name, world.course) for user, number in numbers.items()]
    assert await rows(client, "roster", header, *given) == all_of("created", 3)
    mantissa = f"{digits[0]}.{digits[1:]}"
    found = await rows(
        client,
        "assignments",
        PLACES,
        (world.course, f"{mantissa}31E+11", "TD", "TP 1"),
        (world.course, f"{mantissa}32E+11", "TD", "TP 1"),
    )
    assert found == [
        (2, "assigned", "damaged", f"read as the undamaged number of {name}-one"),
        (
            3,
            "refused",
            "ambiguous_user",
            f"several users may be meant: {name}-three, {name}-two",
        ),
    ]


async def test_digits_in_groups_are_found_when_one_person_fits(
    client: httpx.AsyncClient, world: World
) -> None:
    """With three zeros they may be decimals or thousands."""
    name, digits = world.department, str(world.department_id)[-3:]
    numbers = {"one": digits, "two": f"0{digits}000", "three": f"55{digits}5", "four": f"{digits}1"}
    header = ("username", "student_number", "department", "course_key")
    given = [(f"{name}-{user}", number, name, world.course) for user, number in numbers.items()]
    assert await rows(client, "roster", header, *given) == all_of("created", 4)
    texts = (f"{digits}.000", f"55{digits[0]},{digits[1:]}5", f"{digits[0]}.{digits[1:]}1,00")
    places = [(world.course, text, "TD", "TP 1") for text in texts]
    found = await rows(client, "assignments", PLACES, *places)
    several = f"several users may be meant: {name}-one, {name}-two"
    assert found == [
        (2, "refused", "ambiguous_user", several),
        (3, "assigned", "damaged", f"read as the undamaged number of {name}-three"),
        (4, "assigned", "damaged", f"read as the undamaged number of {name}-four"),
    ]
    await world.sql("DELETE FROM users WHERE username = :name", name=f"{name}-one")
    found = await rows(client, "assignments", PLACES, places[0])
    assert found == [(2, "assigned", "damaged", f"read as the undamaged number of {name}-two")]


async def test_a_name_as_it_is_stored_always_wins(client: httpx.AsyncClient, world: World) -> None:
    name = world.department
    await world.sql(
        "INSERT INTO users (department_id, username, sort_key) VALUES (:id, :name, '')",
        id=world.department_id,
        name=f"{name}-JDUPONT",
    )
    found = await rows(
        client,
        "assignments",
        PLACES,
        (world.course, f"{name}-jdupont", "TD", "TP 1"),
        (world.course, f"{name}-JDupont", "TD", "TP 1"),
    )
    near = f"several users may be meant: {name}-JDUPONT, {name}-jdupont"
    assert found == [(2, "assigned", None, None), (3, "refused", "ambiguous_user", near)]


async def test_former_names_find_the_user_until_somebody_has_them(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    user = f"{name}-jdupont"
    ((id_,),) = await world.sql("SELECT id FROM users WHERE username = :name", name=user)
    changes = {"username": f"{name}-jdurand", "email": f"{name}-new@example.org"}
    assert (await client.patch(f"/v1/users/{id_}", json=changes)).status_code == 200
    by_address = (world.course, f"{name}@example.org", "TD", "TP 1")
    by_username = (world.course, user, "TD", "TP 1")
    message = f"a former name of {name}-jdurand"
    assert await rows(client, "assignments", PLACES, by_address, by_username) == [
        (2, "assigned", "former_name", message),
        (3, "unchanged", "former_name", message),
    ]
    found = await rows(client, "roster", ("username", "course_key"), (user, world.course))
    assert found == [(2, "unchanged", "former_name", message)]
    assert len(await people(world)) == 1
    found = await rows(client, "roster", ("username",), (user,), accept="stale")
    assert found == all_of("created", 1)
    assert await rows(client, "assignments", PLACES, by_username) == [
        (2, "refused", "not_enrolled", "the user is not enrolled in the course")
    ]
    log = await world.sql(
        "SELECT count(*) FROM changes WHERE concat(before, after) LIKE :it", it=f"%{name}@%"
    )
    assert log == [(0,)]


async def test_former_names_go_with_the_user_and_when_the_user_retires(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    ((id_,),) = await world.sql(
        "SELECT id FROM users WHERE username = :name", name=f"{name}-jdupont"
    )
    former = "SELECT name FROM former_user_names WHERE user_id = :id ORDER BY name"
    await client.patch(f"/v1/users/{id_}", json={"email": f"{name}-2@example.org"})
    assert await world.sql(former, id=id_) == [(f"{name}@example.org",)]
    await client.patch(f"/v1/users/{id_}", json={"email": f"{name}@example.org"})
    assert await world.sql(former, id=id_) == [(f"{name}-2@example.org",)]
    await world.sql("UPDATE users SET is_retired = true WHERE id = :id", id=id_)
    await world.sql("UPDATE users SET username = 'retired-' || id WHERE id = :id", id=id_)
    assert await world.sql(former, id=id_) == []
    await world.sql("UPDATE users SET is_retired = false WHERE id = :id", id=id_)
    await client.patch(f"/v1/users/{id_}", json={"email": None})
    assert len(await world.sql(former, id=id_)) == 1
    assert (await client.delete(f"/v1/users/{id_}")).status_code == 204
    assert await world.sql(former, id=id_) == []


async def test_nobody_is_created_beside_a_look_alike(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    near = ("lookalike", f"this looks like another user: {name}-jdupont")
    found = await rows(client, "roster", ("username", "email"), (f"{name}-JDupont", f"{name}-9@x"))
    assert found == [(2, "refused", *near)]
    header = ("username", "email", "student_number", "family_name")
    sure = (f"{name}-JDupont", f"{name.upper()}@example.org", "", "Dupont")
    found = await rows(client, "roster", header[:2] + header[3:], sure[:2] + sure[3:])
    assert found == [(2, "updated", *read_as(f"{name}-jdupont"))]
    found = await rows(
        client, "roster", ("username", "student_number"), (f"{name}-Jdupont", "420001")
    )
    assert found == [
        (2, "refused", "damaged", "student_number looks as if a spreadsheet had damaged it")
    ]
    assert await people(world) == [(f"{name}-jdupont", f"{name}@example.org", "00420001")]
    twice = [(f"{name}-Ada",), (f"{name}-ada",)]
    assert await rows(client, "roster", ("username",), *twice) == [
        (2, "created", None, None),
        (3, "refused", "lookalike", f"this looks like another user: {name}-Ada"),
    ]
    found = await rows(client, "roster", ("username",), twice[1], accept="damaged,lookalike")
    assert found == all_of("created", 1)


async def test_a_damaged_number_is_written_only_when_that_is_accepted(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    header = ("username", "student_number")
    message = "student_number looks as if a spreadsheet had damaged it"
    for damaged in ("420001.0", "420001", "4.2E+05", "0420001"):
        found = await rows(client, "roster", header, (f"{name}-jdupont", damaged))
        assert found == [(2, "refused", "damaged", message)], damaged
    for damaged in ("1.5E+10", "1,234,567", "1.234.567", "1.000", "420.001", "1'234'567.00"):
        found = await rows(client, "roster", header, (f"{name}-other", damaged))
        assert found == [(2, "refused", "damaged", message)], damaged
    found = await rows(
        client, "roster", ("username", "student_number", "department"),
        (f"{name}-other", "420001", name),
    )  # fmt: skip
    assert found == [(2, "refused", "damaged", f"{message}: {name}-jdupont")]
    found = await rows(client, "roster", header, (f"{name}-jdupont", "520001"))
    assert found == all_of("updated", 1)
    found = await rows(client, "roster", header, (f"{name}-jdupont", "0520001"), accept="damaged")
    assert found == all_of("updated", 1)


async def test_two_users_swap_their_addresses_in_either_order(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    header = ("username", "email")
    one, two = (f"{name}-jdupont", f"{name}@example.org"), (f"{name}-2", f"{name}-2@example.org")
    assert await rows(client, "roster", header, two) == all_of("created", 1)
    swapped = [(one[0], two[1]), (two[0], one[1])]
    assert await rows(client, "roster", header, *swapped) == all_of("updated", 2)
    assert await rows(client, "roster", header, two, one) == all_of("updated", 2)
    taken = ("email_taken", "another user has this e-mail address")
    chain = [(f"{name}-3", one[1]), (one[0], two[1])]
    assert await rows(client, "roster", header, *chain) == [
        (2, "refused", *taken),
        (3, "refused", *taken),
    ]


async def test_names_that_look_alike_make_one_group(
    client: httpx.AsyncClient, world: World
) -> None:
    user = f"{world.department}-jdupont"
    given = [
        (world.course, user, "Td", group)
        for group in ("Cute Cats", "Cute cats", "Cute  Cats", "Cute\u200b Cats", "tp 1")
    ]
    found = await rows(client, "assignments", PLACES, *given, create=True)
    td, cats = "read as TD, which looks alike", "read as Cute Cats, which looks alike"
    assert found == [
        (2, "assigned", "lookalike", td),
        *((line, "unchanged", "lookalike", f"{td}; {cats}") for line in (3, 4, 5)),
        (6, "moved", "lookalike", f"{td}; read as TP 1, which looks alike"),
    ]
    assert await names(world) == [("TP 1", 1), ("Cute Cats", 0)]
    exact = (world.course, user, "TD", "Cute cats")
    found = await rows(client, "assignments", PLACES, exact, create=True, accept="lookalike")
    assert found == [(2, "moved", None, None)]
    assert await names(world) == [("TP 1", 0), ("Cute Cats", 0), ("Cute cats", 1)]


async def test_a_group_that_comes_back_under_its_old_name_is_that_group(
    client: httpx.AsyncClient, world: World
) -> None:
    user = f"{world.department}-jdupont"
    ((id_,),) = await world.sql(
        "SELECT id FROM groups WHERE name = 'TP 1' AND course_id = :id", id=world.course_id
    )
    old = (world.course, user, "TD", "TP 1")
    assert await rows(client, "assignments", PLACES, old) == all_of("assigned", 1)
    await client.patch(f"/v1/groups/{id_}", json={"name": "TP Lundi"})
    said = ("former_name", "a former name of TP Lundi")
    structure = ("course_key", "partition", "group")
    assert await rows(client, "structure", structure, (world.course, "TD", "TP 1")) == [
        (2, "unchanged", *said)
    ]
    assert await rows(client, "assignments", PLACES, old, create=True) == [(2, "unchanged", *said)]
    assert await names(world) == [("TP Lundi", 1)]
    ((partition,),) = await world.sql(
        "SELECT id FROM partitions WHERE name = 'TD' AND course_id = :id", id=world.course_id
    )
    await client.patch(f"/v1/partitions/{partition}", json={"name": "Travaux"})
    assert await rows(client, "structure", structure, (world.course, "td", "TP Lundi")) == [
        (2, "unchanged", "former_name", "a former name of Travaux")
    ]
    found = await rows(
        client, "structure", structure, (world.course, "Travaux", "TP 1"), accept="stale"
    )
    assert found == all_of("created", 1)
    reused = ("reused_name", "TP Lundi was called so before")
    assert await rows(client, "assignments", PLACES, (world.course, user, "Travaux", "TP 1")) == [
        (2, "moved", *reused)
    ]
    assert await rows(client, "structure", structure, (world.course, "Travaux", "TP 1")) == [
        (2, "unchanged", *reused)
    ]


async def test_what_cannot_be_accepted_is_refused(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.post(
        "/v1/import/roster", params={"accept": "damaged,all"}, json={"rows": []}
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_accept"


async def test_a_bulk_call_reads_names_alike(client: httpx.AsyncClient, world: World) -> None:
    name, path = world.department, "/v1/partitions/{}/assignments"
    (user_id,) = (
        await world.sql("SELECT id FROM users WHERE username = :name", name=f"{name}-jdupont")
    )[0]
    ((partition, group),) = await world.sql(
        "SELECT partition_id, id FROM groups WHERE name = 'TP 1' AND course_id = :id",
        id=world.course_id,
    )
    path = path.format(partition)
    given = [{"user": f"{name}-JDupont", "group": "tp  1"}, {"user": "nobody", "group": "TP 1"}]
    done = {"user_id": user_id, "group_id": group}
    answer = await client.post(path, json={"rows": given, "mode": "row_by_row"})
    nobody = {"user_id": None, "group_id": group, "previous_group_id": None}
    assert answer.json() == {
        "written": True,
        "counts": {"assigned": 1, "refused": 1},
        "rows": [
            {
                "line": 1,
                "result": "assigned",
                **done,
                "previous_group_id": None,
                "code": "lookalike",
            },
            {"line": 2, "result": "refused", **nobody, "code": "unknown_user"},
        ],
    }
    await client.patch(f"/v1/groups/{group}", json={"name": "TP Lundi"})
    await client.post(f"/v1/partitions/{partition}/groups", json={"name": "Cats"})
    await client.post(f"/v1/partitions/{partition}/groups", json={"name": "cats"})
    rows_given = [
        {"user_id": user_id, "group": "TP 1"},
        {"user": f"{name}-jdupont", "group": "CATS"},
        {"user": f"{name}-jdupont", "group": "dogs"},
    ]
    answer = await client.post(path, json={"rows": rows_given, "mode": "row_by_row"})
    no_group = {"user_id": user_id, "group_id": None, "previous_group_id": None}
    assert answer.json()["rows"] == [
        {
            "line": 1,
            "result": "unchanged",
            **done,
            "previous_group_id": group,
            "code": "former_name",
        },
        {
            "line": 2,
            "result": "refused",
            **no_group,
            "code": "ambiguous_group",
            "near": ["Cats", "cats"],
        },
        {"line": 3, "result": "refused", **no_group, "code": "unknown_group"},
    ]


async def test_a_roster_without_usernames_is_about_those_who_are_known(
    client: httpx.AsyncClient, world: World
) -> None:
    name = world.department
    header = ("email", "family_name", "course_key")
    found = await rows(
        client,
        "roster",
        header,
        (f"{name}@EXAMPLE.org", "Dupont", world.course),
        (f"{name}-9@example.org", "Nobody", world.course),
        ("", "Nobody", world.course),
    )
    nobody = (
        "unknown_user",
        "nobody has this address or number, and somebody new needs a username",
    )
    assert found == [
        (2, "updated", None, None),
        (3, "refused", *nobody),
        (4, "refused", "missing_value", "email is empty"),
    ]
    number = ("student_number", "department", "family_name")
    found = await rows(client, "roster", number, ("0", name, "Nobody"))
    assert found == [(2, "refused", *nobody)]
    email = f"{name}@EXAMPLE.org"
    assert await people(world) == [(f"{name}-jdupont", email, "00420001")]
    header = ("student_number", "department", "family_name")
    found = await rows(client, "roster", header, ("420001.0", name, "Durand"))
    message = f"read as the undamaged number of {name}-jdupont"
    assert found == [(2, "updated", "damaged", message)]
    assert await people(world) == [(f"{name}-jdupont", email, "00420001")]


async def test_a_damaged_number_beside_a_good_address_is_said(
    client: httpx.AsyncClient, world: World
) -> None:
    given = (f"{world.department}@example.org", "420001.0", world.course)
    (answer,) = await rows(client, "roster", ("email", "student_number", "course_key"), given)
    assert answer[1:3] == ("unchanged", "damaged")
    assert (await people(world))[0][2] == "00420001"


async def test_an_address_that_differs_in_what_nobody_sees_stays(
    client: httpx.AsyncClient, world: World
) -> None:
    address = f"{world.department}@example.org"
    given = (f"{world.department}-jdupont", address.replace("@", "\u200b@"))
    assert await rows(client, "roster", ("username", "email"), given) == all_of("unchanged", 1)
    assert (await people(world))[0][1] == address


async def test_whoever_comes_with_a_key_may_have_a_number_that_looks_damaged(
    client: httpx.AsyncClient, world: World
) -> None:
    header = ("username", "student_number", "department", "key")
    given = (f"{world.department}-12", "12.0", world.department, str(uuid.uuid4()))
    said = "student_number looks as if a spreadsheet had damaged it, and counts as it is"
    assert await rows(client, "roster", header, given) == [(2, "created", "damaged", said)]
    (refused,) = await rows(client, "roster", header[:3], (f"{world.department}-13", *given[1:3]))
    assert refused[1:3] == ("refused", "damaged")


async def test_a_number_in_place_of_a_username_means_who_has_it(
    client: httpx.AsyncClient, world: World
) -> None:
    name, digits = world.department, f"7{str(world.department_id)[-6:]}"
    await world.sql(
        "UPDATE users SET student_number = :number WHERE username = :name",
        number=f"00{digits}",
        name=f"{name}-jdupont",
    )
    before = await people(world)
    header = ("username", "email", "course_key")
    said = ("damaged", f"read as the undamaged number of {name}-jdupont")
    near = ("lookalike", f"this looks like another user: {name}-jdupont")
    for text, email, told in (
        (f"00{digits}", "", (None, None)),
        (digits, f"{name.upper()}@example.org", said),
        (digits, f"{name}-other@example.org", near),
        (f"00{digits}", f"{name}-other@example.org", near),
    ):
        found = await rows(client, "roster", header, (text, email, world.course), dry_run=True)
        assert found[0][2:] == told, text
    assert await people(world) == before
    found = await rows(
        client, "roster", header, (digits, f"{name}-other@y", world.course), accept="lookalike"
    )
    assert found == all_of("created", 1)
