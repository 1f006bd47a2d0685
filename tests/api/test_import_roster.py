"""Users and enrollments by import."""

from typing import Any

import httpx
import pytest

from tests.api.tables import CSV, NO_COURSE, all_of, answered, rows, table
from tests.conftest import Auth, MakeWorld, World

COLUMNS = (
    "username, email, family_name, given_name, usual_name, civility, student_number,"
    " national_number, is_active"
)
EMAIL = ("email_taken", "another user has this e-mail address")
NUMBER = ("number_taken", "another user of the department has this student number")


@pytest.fixture
async def empty(make_world: MakeWorld) -> World:
    return await make_world(0)


async def users(world: World, columns: str = COLUMNS) -> list[Any]:
    return await world.sql(
        f"SELECT {columns} FROM users WHERE username LIKE :name ORDER BY id",
        name=f"{world.department}%",
    )


async def enrollments(world: World) -> list[Any]:
    return await world.sql(
        "SELECT u.username, e.state FROM enrollments e JOIN users u ON u.id = e.user_id"
        " WHERE e.course_id = :course ORDER BY u.id",
        course=world.course_id,
    )


async def test_a_user_comes_with_all_that_is_known_of_him(
    client: httpx.AsyncClient, empty: World
) -> None:
    name = f"{empty.department}-1"
    header = (*COLUMNS.replace(" ", "").split(","), "department", "course_key", "state")
    given = (
        name, f" {name}@example.org ", "Lovelace", "  Ada\u0301 ", "Byron", "F", "2210", "N 1",
        "FALSE", empty.department, empty.course, "withdrawn",
    )  # fmt: skip
    assert await rows(client, "roster", header, given) == all_of("created", 1)
    email = f"{name}@example.org"
    assert await users(empty) == [
        (name, email, "Lovelace", "Ad\u00e1", "Byron", "F", "2210", "N 1", False)
    ]
    assert await users(empty, "sort_key, department_id") == [("lovelace ada", empty.department_id)]
    assert await enrollments(empty) == [(name, "withdrawn")]
    assert await rows(client, "roster", header, given) == all_of("unchanged", 1)


async def test_an_empty_cell_leaves_what_is_there_unless_it_is_to_clear(
    client: httpx.AsyncClient, empty: World
) -> None:
    name = f"{empty.department}-1"
    header = ("username", "email", "family_name", "civility", "student_number", "is_active")
    await rows(client, "roster", header, (name, f"{name}@example.org", "X", "M", "1", "false"))
    assert await rows(client, "roster", ("username",), (name,)) == all_of("unchanged", 1)
    nothing = (name, "", "", "", "", "")
    assert await rows(client, "roster", header, nothing) == all_of("unchanged", 1)
    found = await rows(client, "roster", header, nothing, empty="clear")
    assert found == all_of("erased", 1)
    assert await users(empty) == [(name, None, "", "", None, "M", None, None, False)]


async def test_a_new_user_belongs_where_he_is_enrolled_and_an_old_one_stays(
    client: httpx.AsyncClient, empty: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    name = empty.department
    found = await rows(
        client,
        "roster",
        ("username", "department", "course_key"),
        (f"{name}-1", "", empty.course),
        (f"{name}-1", "", other.course),
        (f"{name}-2", other.department, empty.course),
        (f"{name}-3", "", ""),
        (f"{name}-3", "", empty.course),
        (f"{name}-4", "nowhere", empty.course),
        (f"{name}-5", "", "nowhere"),
    )
    assert found == [
        *all_of("created", 5),
        (7, "refused", "unknown_department", "no such department"),
        (8, "refused", *NO_COURSE),
    ]
    assert await users(empty, "department_id") == [
        (empty.department_id,),
        (other.department_id,),
        (None,),
    ]
    assert await enrollments(empty) == [(f"{name}-{n}", "active") for n in (1, 2, 3)]
    assert await enrollments(other) == [(f"{name}-1", "active")]


async def test_states_change_when_they_are_told(client: httpx.AsyncClient, empty: World) -> None:
    name = f"{empty.department}-1"
    found = await rows(
        client,
        "roster",
        ("username", "course_key", "state"),
        (name, empty.course, "defaulted"),
        (name, empty.course, ""),
        (name, empty.course, "withdrawn"),
        (name, "", "withdrawn"),
        (name, empty.course, "gone"),
    )
    assert found == [
        (2, "created", None, None),
        (3, "unchanged", None, None),
        (4, "withdrawn", None, None),
        (5, "refused", "invalid_value", "state needs a course_key"),
        (6, "refused", "invalid_value", "state is none of active, withdrawn, defaulted"),
    ]
    assert await enrollments(empty) == [(name, "withdrawn")]


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("email", "ada", "email is no e-mail address"),
        ("email", "a da@example.org", "email is no e-mail address"),
        ("email", "ada@example@org", "email is no e-mail address"),
        ("email", "a" * 250 + "@x.org", "email has more than 254 characters"),
        ("civility", "Mme", "civility is none of M, F, X"),
        ("student_number", "1" * 65, "student_number has more than 64 characters"),
        ("given_name", "Ada\x07", "given_name has control characters"),
        ("is_active", "2", "is_active is neither true nor false"),
    ],
)
async def test_a_value_that_is_none_is_named_by_its_column(
    client: httpx.AsyncClient, empty: World, column: str, cell: str, message: str
) -> None:
    found = await rows(client, "roster", ("username", column), (empty.department, cell))
    assert found == [(2, "refused", "invalid_value", message)]
    assert await users(empty) == []


async def test_only_the_rows_that_clash_with_others_are_refused(
    client: httpx.AsyncClient, empty: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    name = empty.department
    header = ("username", "email", "student_number", "department")
    await rows(client, "roster", header, (f"{name}-1", f"{name}@x", "1", empty.department))
    found = await rows(
        client,
        "roster",
        header,
        (f"{name}-2", f"{name.upper()}@X", "", empty.department),
        (f"{name}-2", "", "1", empty.department),
        (f"{name}-2", "", "1", other.department),
        (f"{name}-3", f"{name}-3@x", "3", empty.department),
        (f"{name}-4", f"{name}-4@x", "3", empty.department),
        (f"{name}-4", f"{name}-3@x", "4", empty.department),
        (f"{name}-4", f"{name}-4@x", "4", empty.department),
        (f"{name}-2", "", "1", empty.department),
    )
    assert found == [
        (2, "refused", *EMAIL),
        (3, "refused", *NUMBER),
        (4, "created", None, None),
        (5, "created", None, None),
        (6, "refused", *NUMBER),
        (7, "refused", *EMAIL),
        (8, "created", None, None),
        (9, "refused", *NUMBER),
    ]


async def test_addresses_and_numbers_may_go_round(client: httpx.AsyncClient, empty: World) -> None:
    name = empty.department
    header = ("username", "email", "student_number", "department")

    def row(user: int, email: int, number: int) -> tuple[str, ...]:
        return f"{name}-{user}", f"{name}-{email}@x", str(number), empty.department

    await rows(client, "roster", header, *(row(n, n, n) for n in (1, 2, 3)))
    found = await rows(
        client,
        "roster",
        header,
        row(1, 9, 9),
        row(2, 1, 1),
        row(3, 2, 2),
        row(1, 3, 3),
        row(4, 9, 9),
    )
    assert found == [*all_of("updated", 4), (6, "created", None, None)]
    assert await users(empty, "username, email, student_number") == [
        row(1, 3, 3)[:3],
        row(2, 1, 1)[:3],
        row(3, 2, 2)[:3],
        row(4, 9, 9)[:3],
    ]


async def test_the_last_of_several_rows_wins(client: httpx.AsyncClient, empty: World) -> None:
    name = f"{empty.department}-1"
    header = ("username", "family_name", "course_key")
    given = [(name, family, empty.course) for family in ("A", "B", "B", "A")]
    found = await rows(client, "roster", header, *given)
    assert [row[1] for row in found] == ["created", "updated", "unchanged", "updated"]
    assert await users(empty, "family_name") == [("A",)]
    kinds = await empty.sql(
        "SELECT kind FROM changes WHERE user_id = (SELECT id FROM users WHERE username = :name)",
        name=name,
    )
    assert kinds == [("user.created",), ("enrollment.created",)]


async def test_users_of_elsewhere_are_enrolled_and_not_changed(
    anonymous: httpx.AsyncClient, auth: Auth, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(2)
    ((first, family), (second, _)) = await world.sql(
        "SELECT username, family_name FROM users WHERE department_id = :id ORDER BY id",
        id=other.department_id,
    )
    headers = CSV | auth(f"roster:write@department:{world.department}")
    content = table(
        ("username", "family_name", "department", "course_key"),
        (first, family, "", world.course),
        (second, "Changed", "", world.course),
        (second, "Family2", world.department, world.course),
        (f"{world.department}-new", "New", other.department, world.course),
        (f"{world.department}-new", "New", "", ""),
        (f"{world.department}-new", "New", "", world.course),
    )
    answer = await anonymous.post("/v1/import/roster", content=content, headers=headers)
    unseen = ("refused", "unknown_department", "no such department")
    forbidden = ("refused", "forbidden", "this needs roster:write where the user belongs")
    assert answer.json() == answered(
        "roster",
        (2, "created"),
        (3, *forbidden),
        (4, *forbidden),
        (5, *unseen),
        (6, *forbidden),
        (7, "created"),
    )


async def test_a_course_alone_enrolls_those_who_are_known(
    anonymous: httpx.AsyncClient, auth: Auth, world: World
) -> None:
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    await world.sql("DELETE FROM enrollments WHERE user_id = :id", id=world.users[0])
    headers = CSV | auth(f"roster:write@course:{world.course}")
    content = table(("username", "course_key"), (name, world.course), (f"{name}-new", world.course))
    answer = await anonymous.post("/v1/import/roster", content=content, headers=headers)
    assert answer.json() == answered(
        "roster",
        (2, "created"),
        (3, "refused", "forbidden", "this needs roster:write where the user belongs"),
    )


async def test_a_locked_course_still_takes_users(client: httpx.AsyncClient, empty: World) -> None:
    await empty.sql("UPDATE courses SET is_locked = true WHERE id = :id", id=empty.course_id)
    given = (f"{empty.department}-1", empty.course)
    assert await rows(client, "roster", ("username", "course_key"), given) == all_of("created", 1)
