import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Engine, event

from groupsvc.db.engine import Sessions
from groupsvc.repositories.unit_of_work import UnitOfWork
from tests.api.refusals import ANONYMOUS, HALF_A_PAIR, MISSING, NUL, invalid, problem, told
from tests.conftest import SQL, Auth, MakeWorld, World

ABSENT = problem(404, "not_found", "no such user")
NO_DEPARTMENT = problem(404, "not_found", "no such department")
FORBIDDEN = problem(
    403, "forbidden", "this needs another permission here", permission="roster:write"
)


@pytest.fixture
def name() -> str:
    return f"w{uuid.uuid4().hex[:10]}"


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def user(number: int, name: str, **known: Any) -> dict[str, Any]:
    """A user of whom nothing but this is known."""
    return {
        "id": number,
        "username": name,
        "email": None,
        "family_name": "",
        "given_name": "",
        "usual_name": None,
        "civility": "X",
        "student_number": None,
        "national_number": None,
        "department": None,
        "is_active": True,
        **known,
    }


async def lines(sql: SQL, number: int) -> list[Any]:
    return await sql(
        "SELECT kind, course_id, actor, before, after FROM changes"
        " WHERE user_id = :number ORDER BY seq",
        number=number,
    )


async def put(client: httpx.AsyncClient, name: str, **known: Any) -> dict[str, Any]:
    answer = await client.put(f"/v1/users/by-name/{quote(name)}", json=known)
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_user_is_declared_by_name(
    client: httpx.AsyncClient, name: str, world: World, sql: SQL
) -> None:
    path = f"/v1/users/by-name/{name}"
    known = {
        "email": f"{name}@example.org",
        "family_name": " Œuvrard ",
        "given_name": "Zoe\u0308",
        "usual_name": "Zou",
        "civility": "F",
        "student_number": "22104711",
        "national_number": "0ABC 12",
        "department": world.department,
        "is_active": False,
    }
    created = await client.put(path, json=known)
    number = created.json()["id"]
    tidy = known | {"family_name": "Œuvrard", "given_name": "Zoë"}
    assert (created.status_code, created.json()) == (201, user(number, name, **tidy))
    assert created.headers["location"] == f"/v1/users/{number}"
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=number) == [("œuvrard zoe",)]
    again = await client.put(path, json=known)
    assert (again.status_code, again.content) == (200, created.content)
    for address in (path, f"/v1/users/{number}"):
        read = await client.get(address)
        assert (read.status_code, read.content) == (200, created.content)
        assert read.headers["etag"] == created.headers["etag"]
    bare = await client.put(path, json={})
    assert (bare.status_code, bare.json()) == (200, user(number, name))
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=number) == [(name,)]
    fields = sorted([*known, "sort_key", "department_id"])
    fields.remove("department")
    assert await lines(sql, number) == [
        ("user.created", 0, "root", None, None),
        ("user.updated", 0, "root", None, {"fields": fields}),
    ]


async def test_a_username_may_hold_slashes_and_is_normalised(
    client: httpx.AsyncClient, name: str
) -> None:
    created = await put(client, f" {name}/e\u0301 ")
    assert created["username"] == f"{name}/é"
    read = await client.get(f"/v1/users/by-name/{name}/e\u0301")
    assert read.json() == created


async def test_a_merge_changes_what_is_named(
    client: httpx.AsyncClient, name: str, world: World, sql: SQL
) -> None:
    made = await put(client, name, family_name="Noether", given_name="Emmy", usual_name="E")
    path = f"/v1/users/{made['id']}"
    moved = await client.patch(path, json={"department": world.department, "usual_name": None})
    assert moved.json() == made | {"department": world.department, "usual_name": None}
    renamed = await client.patch(path, json={"username": f"{name}-2", "family_name": "Nöther"})
    assert renamed.json() == moved.json() | {"username": f"{name}-2", "family_name": "Nöther"}
    unchanged = await client.patch(path, json={})
    assert (unchanged.status_code, unchanged.content) == (200, renamed.content)
    assert (await client.patch(path, json={"department": None})).json()["department"] is None
    assert told(await client.get(f"/v1/users/by-name/{name}")) == ABSENT
    assert await sql("SELECT sort_key FROM users WHERE id = :n", n=made["id"]) == [("nother emmy",)]
    assert [line[4] and line[4]["fields"] for line in await lines(sql, made["id"])] == [
        None,
        ["department_id", "usual_name"],
        ["family_name", "sort_key", "username"],
        ["department_id"],
    ]


async def test_names_addresses_and_numbers_are_used_once(
    client: httpx.AsyncClient, name: str, world: World, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    known = {"student_number": "1", "national_number": "2", "department": world.department}
    await put(client, name, email=f"{name}@example.org", **known)
    second = await put(client, f"{name}-2", department=world.department)
    path = f"/v1/users/{second['id']}"
    cases = {
        "username": (name, "name_taken", "a user has this name"),
        "email": (f"{name.upper()}@Example.org", "email_taken", "a user has this e-mail"),
        "student_number": (
            "1",
            "number_taken",
            "a user of the department has this student number",
        ),
        "national_number": (
            "2",
            "number_taken",
            "a user of the department has this national number",
        ),
    }
    for member, (value, code, detail) in cases.items():
        refused = await client.patch(path, json={member: value})
        assert told(refused) == problem(409, code, detail)
    elsewhere = known | {"department": other.department}
    assert (await client.patch(path, json=elsewhere)).json() == second | elsewhere


async def test_what_the_caller_last_saw_is_held_against_what_is(
    client: httpx.AsyncClient, name: str, world: World
) -> None:
    path = f"/v1/users/by-name/{name}"
    detail = "the resource has changed since"
    absent = await client.put(path, json={}, headers={"if-match": "*"})
    assert told(absent) == problem(412, "precondition_failed", detail, etag=None, changes=[])
    first = await client.put(path, json={})
    own = first.headers["location"]
    matched = await client.patch(
        own, json={"civility": "M"}, headers={"if-match": first.headers["etag"]}
    )
    assert matched.json() == first.json() | {"civility": "M"}
    await client.put(
        f"/v1/courses/{world.course_id}/enrollments/{first.json()['id']}", json={"state": "active"}
    )
    for method, address in (("PUT", path), ("PATCH", own), ("DELETE", own)):
        late = told(
            await client.request(
                method,
                address,
                json={} if method != "DELETE" else None,
                headers={"if-match": first.headers["etag"]},
            )
        )
        assert [(line["kind"], line["actor"], line["after"]) for line in late.pop("changes")] == [
            ("user.updated", "root", {"fields": ["civility"]}),
            ("user.created", "root", None),
        ]
        assert late == problem(412, "precondition_failed", detail, etag=matched.headers["etag"])
    cached = await client.get(own, headers={"if-none-match": matched.headers["etag"]})
    assert (cached.status_code, cached.content) == (304, b"")


async def test_a_deleted_user_leaves_everything(client: httpx.AsyncClient, world: World) -> None:
    gone = world.users[0]
    group = await world.add_group(await world.add_partition())
    await client.put(f"/v1/groups/{group}/members/{gone}")
    await client.put(f"/v1/courses/{world.course_id}/lock")
    locked = problem(409, "course_locked", "the course is locked")
    assert told(await client.delete(f"/v1/users/{gone}")) == locked
    await client.delete(f"/v1/courses/{world.course_id}/lock")
    assert (await client.delete(f"/v1/users/{gone}")).status_code == 204
    for method in ("GET", "DELETE"):
        assert told(await client.request(method, f"/v1/users/{gone}")) == ABSENT
    assert await world.members(group) == []
    assert [line[:2] for line in await world.log() if line[1] == gone][-2:] == [
        ("membership.removed", gone),
        ("enrollment.deleted", gone),
    ]


@pytest.fixture
async def people(client: httpx.AsyncClient, world: World, name: str) -> World:
    """Four users who can be told apart, and nobody else in the department."""
    await world.sql("DELETE FROM users WHERE department_id = :id", id=world.department_id)
    for username, family, given, number in (
        ("curie", "Curie", "Marie", "100"),
        ("dvm", "de la Vallée-Poussin", "Charles Jean", "101"),
        ("eluard", "Éluard", "Paul", "1_2"),
        ("dumont", "Dumont", "Jean-Pierre", "20%"),
    ):
        await put(
            client,
            f"{name}.{username}",
            email=f"{username}.{name}@Example.org",
            family_name=family,
            given_name=given,
            student_number=number,
            national_number=f"N{number}",
            department=world.department,
        )
    return world


async def found(client: httpx.AsyncClient, world: World, search: str) -> list[str]:
    answer = await client.get(
        "/v1/users", params={"department": world.department, "search": search}
    )
    assert answer.status_code == 200, answer.text
    return [item["username"].partition(".")[2] for item in answer.json()["items"]]


@pytest.mark.parametrize(
    ("search", "usernames"),
    [
        ("", ["curie", "dvm", "dumont", "eluard"]),
        ("curie", ["curie"]),
        ("CURIE Mar", ["curie"]),
        ("marie cu", ["curie"]),
        ("elu", ["eluard"]),
        ("ÉLU", ["eluard"]),
        ("E\u0301luard pa", ["eluard"]),
        ("de la vallee", ["dvm"]),
        ("Vallée-P", ["dvm"]),
        ("poussin", ["dvm"]),
        ("jean", ["dvm", "dumont"]),
        ("pierre dumont", ["dumont"]),
        ("urie", []),
        ("curie paul", []),
        ("CURIE.", ["curie"]),
        ("100", ["curie"]),
        ("10", ["curie", "dvm"]),
        ("n10", ["curie", "dvm"]),
        ("1_", ["eluard"]),
        ("20%", ["dumont"]),
        ("%", []),
        ("\\", []),
        ("'", []),
        ("\u0301", []),
        ("  \u00a0 ", ["curie", "dvm", "dumont", "eluard"]),
    ],
)
async def test_users_are_found_by_name_address_and_number(
    search: str, usernames: list[str], client: httpx.AsyncClient, people: World
) -> None:
    assert await found(client, people, search) == usernames


async def test_users_are_found_by_username(
    client: httpx.AsyncClient, people: World, name: str
) -> None:
    assert await found(client, people, f"{name.upper()}.D") == ["dvm", "dumont"]


async def test_users_are_listed_by_name_in_pages(client: httpx.AsyncClient, people: World) -> None:
    query = f"?department={people.department}&search=n1&limit=2"
    first = await client.get(f"/v1/users{query}")
    assert [item["family_name"] for item in first.json()["items"]] == [
        "Curie",
        "de la Vallée-Poussin",
    ]
    assert first.links["next"]["url"] == f"{query}&cursor={first.json()['next_cursor']}"
    second = await client.get(f"/v1/users{first.links['next']['url']}")
    (item,) = second.json()["items"]
    assert item == user(
        item["id"],
        item["username"],
        email=item["email"],
        family_name="Éluard",
        given_name="Paul",
        student_number="1_2",
        national_number="N1_2",
        department=people.department,
    )
    assert second.json()["next_cursor"] is None
    assert "link" not in second.headers


async def test_namesakes_are_paged_through(client: httpx.AsyncClient, world: World) -> None:
    await world.sql(
        "UPDATE users SET sort_key = 'same' WHERE department_id = :id", id=world.department_id
    )
    seen: list[int] = []
    url = f"/v1/users?department={world.department}&limit=1"
    while url:
        page = await client.get(url)
        seen += [item["id"] for item in page.json()["items"]]
        url = f"/v1/users{page.links['next']['url']}" if page.links else ""
    assert seen == world.users


ELSEWHERE = "@department:ELSEWHERE"
HERE = "@department:{0}"
COURSE = "@course:{1}"


@pytest.mark.parametrize(
    ("grants", "reading", "writing", "deleting"),
    [
        (["groups:read"], 200, 403, 403),
        (["groups:read" + HERE], 200, 403, 403),
        (["groups:read" + COURSE], 200, 403, 403),
        (["groups:read" + ELSEWHERE], 404, 403, 403),
        (["groups:read" + ELSEWHERE, "groups:write" + COURSE], 403, 403, 403),
        (["roster:write"], 200, 200, 403),
        (["roster:write" + HERE], 200, 200, 403),
        (["roster:write" + COURSE], 200, 403, 403),
        (["roster:write" + ELSEWHERE], 404, 404, 403),
        (["roster:write" + ELSEWHERE, "admin" + HERE], 403, 403, 204),
        (["groups:write"], 403, 403, 403),
        (["admin"], 403, 403, 204),
        (["admin" + COURSE], 403, 403, 403),
        (["admin" + ELSEWHERE], 404, 403, 404),
        ([], 404, 403, 403),
    ],
)
async def test_who_may_read_change_and_delete_a_user(
    grants: list[str],
    reading: int,
    writing: int,
    deleting: int,
    world: World,
    anonymous: httpx.AsyncClient,
    auth: Auth,
) -> None:
    headers = auth(*(grant.format(world.department, world.course) for grant in grants))
    number = world.users[0]
    path = f"/v1/users/{number}"
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=number)
    named = f"/v1/users/by-name/{name}"
    assert (await anonymous.get(path, headers=headers)).status_code == reading
    assert (await anonymous.get(named, headers=headers)).status_code == reading
    patched = await anonymous.patch(path, json={"civility": "M"}, headers=headers)
    assert patched.status_code == writing
    body = {"department": world.department}
    assert (await anonymous.put(named, json=body, headers=headers)).status_code == writing
    assert (await anonymous.delete(path, headers=headers)).status_code == deleting


async def test_a_user_is_nothing_for_the_unknown(
    world: World, anonymous: httpx.AsyncClient
) -> None:
    number = world.users[0]
    for path in (f"/v1/users/{number}", "/v1/users/1000000000", "/v1/users/by-name/x"):
        assert told(await anonymous.get(path)) == ANONYMOUS
    assert told(await anonymous.get("/v1/users")) == ANONYMOUS
    assert told(await anonymous.put("/v1/users/by-name/x", content=b"{")) == ANONYMOUS
    assert told(await anonymous.patch(f"/v1/users/{number}", content=b"{")) == ANONYMOUS
    assert told(await anonymous.delete(f"/v1/users/{number}")) == ANONYMOUS


async def test_out_of_sight_is_told_like_absent(
    world: World, anonymous: httpx.AsyncClient, auth: Auth
) -> None:
    headers = auth("roster:write" + ELSEWHERE, "admin" + ELSEWHERE)
    for number in (world.users[0], 2**63 - 1):
        path = f"/v1/users/{number}"
        assert told(await anonymous.get(path, headers=headers)) == ABSENT
        assert told(await anonymous.patch(path, json={}, headers=headers)) == ABSENT
        assert told(await anonymous.delete(path, headers=headers)) == ABSENT


async def test_a_user_without_department_is_for_callers_from_everywhere(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, world: World, name: str, auth: Auth
) -> None:
    path = f"/v1/users/by-name/{name}"
    local = auth(f"roster:write@department:{world.department}")
    assert told(await anonymous.put(path, json={}, headers=local)) == FORBIDDEN
    made = await anonymous.put(path, json={}, headers=auth("roster:write"))
    assert made.status_code == 201
    body = {"department": world.department}
    assert told(await anonymous.put(path, json=body, headers=local)) == ABSENT
    number = made.json()["id"]
    await client.put(
        f"/v1/courses/{world.course_id}/enrollments/{number}", json={"state": "active"}
    )
    assert (await anonymous.get(path, headers=local)).json() == made.json()
    assert told(await anonymous.put(path, json=body, headers=local)) == FORBIDDEN
    assert told(await anonymous.patch(f"/v1/users/{number}", json=body, headers=local)) == FORBIDDEN


async def test_who_moves_a_user_needs_both_departments(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    make_world: MakeWorld,
    name: str,
    auth: Auth,
) -> None:
    old, new = await make_world(0), await make_world(0)
    made = await put(client, name, department=old.department)
    path, body = f"/v1/users/{made['id']}", {"department": new.department}
    leaving, entering = (f"roster:write@department:{place.department}" for place in (old, new))
    seeing = f"groups:read@department:{new.department}"
    for grants, answer in (
        ([leaving], NO_DEPARTMENT),
        ([entering], ABSENT),
        ([leaving, seeing], FORBIDDEN),
    ):
        refused = await anonymous.patch(path, json=body, headers=auth(*grants))
        assert told(refused) == answer
        named = f"/v1/users/by-name/{name}"
        assert told(await anonymous.put(named, json=body, headers=auth(*grants))) == answer
    moved = await anonymous.patch(path, json=body, headers=auth(leaving, entering))
    assert moved.json() == made | body


async def test_an_unknown_department_is_refused(client: httpx.AsyncClient, name: str) -> None:
    refused = await client.put(f"/v1/users/by-name/{name}", json={"department": "NONESUCH"})
    assert told(refused) == NO_DEPARTMENT


@pytest.mark.parametrize(
    ("grant", "sees"),
    [
        ("groups:read", "all"),
        ("roster:write@department:{0}", "all"),
        ("groups:read@department:{1}", "guest"),
        ("roster:write@course:{3}", "guest"),
        ("groups:read@course:{2}", "enrolled"),
        ("groups:read@department:ELSEWHERE", "none"),
        ("groups:write@department:{0}", "refused"),
        ("admin", "refused"),
    ],
)
async def test_a_list_has_whom_the_caller_may_see(
    grant: str,
    sees: str,
    world: World,
    make_world: MakeWorld,
    anonymous: httpx.AsyncClient,
    auth: Auth,
) -> None:
    """Of six users of a department, five are in its course and one of these in another's."""
    other = await make_world(0)
    await other.enroll(world.users[0])
    (free,) = await world.add_users(1)
    places = world.department, other.department, world.course, other.course
    answer = await anonymous.get(
        f"/v1/users?department={world.department}", headers=auth(grant.format(*places))
    )
    if sees == "refused":
        detail = "this needs another permission here"
        assert told(answer) == problem(403, "forbidden", detail, permission="groups:read")
        return
    expected = {
        "all": {*world.users, free},
        "enrolled": set(world.users),
        "guest": {world.users[0]},
        "none": set[int](),
    }[sees]
    assert {item["id"] for item in answer.json()["items"]} == expected


PATTERN = "string_pattern_mismatch"
NO_LINE = r"String should match pattern '^[^\x00-\x1f\x7f]*$'"
NO_ADDRESS = r"String should match pattern '^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$'"
NO_NUMBER = (
    r"String should match pattern "
    r"'^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$'"
)
NO_TEXT = "Input should be a valid string"


def bad(member: str, value: str, code: str, message: str) -> Any:
    return (f'{{"{member}":{value}}}', invalid(f"#/{member}", code, message))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"email":"a\\u0000@b"}', NUL),
        ('{"family_name":"\\udfff"}', HALF_A_PAIR),
        ("{", problem(400, "invalid_json", "body is not JSON at line 1, column 2")),
        bad("email", '"nobody"', PATTERN, NO_ADDRESS),
        bad("email", '"a b@c"', PATTERN, NO_ADDRESS),
        bad("email", '""', PATTERN, NO_ADDRESS),
        bad("email", "true", "string_type", NO_TEXT),
        bad(
            "email",
            f'"{"x" * 250}@x.org"',
            "string_too_long",
            "String should have at most 254 characters",
        ),
        bad("family_name", "null", "string_type", NO_TEXT),
        bad("family_name", '"a\\tb"', PATTERN, NO_LINE),
        bad(
            "given_name",
            f'"{"x" * 256}"',
            "string_too_long",
            "String should have at most 255 characters",
        ),
        bad("civility", '"m"', "literal_error", "Input should be 'M', 'F' or 'X'"),
        bad("civility", "null", "literal_error", "Input should be 'M', 'F' or 'X'"),
        bad("student_number", "22104711", "string_type", NO_TEXT),
        bad("student_number", '""', "string_too_short", "String should have at least 1 character"),
        bad("national_number", '" 1"', PATTERN, NO_NUMBER),
        bad(
            "national_number",
            f'"{"1" * 65}"',
            "string_too_long",
            "String should have at most 64 characters",
        ),
        bad("department", '"\\n"', PATTERN, NO_LINE),
        bad("is_active", '"yes"', "bool_type", "Input should be a valid boolean"),
        bad("is_active", "1", "bool_type", "Input should be a valid boolean"),
        bad("is_retired", "true", "extra_forbidden", "Extra inputs are not permitted"),
        bad("id", "1", "extra_forbidden", "Extra inputs are not permitted"),
    ],
)
async def test_bodies_that_are_refused(
    method: str, body: str, answer: dict[str, Any], client: httpx.AsyncClient, world: World
) -> None:
    path = "/v1/users/by-name/x" if method == "PUT" else f"/v1/users/{world.users[0]}"
    refused = await client.request(
        method, path, content=body, headers={"content-type": "application/json"}
    )
    assert told(refused) == answer


NO_NAME = "the name must have 1 to 150 characters that can be stored"


@pytest.mark.parametrize("given", ["\x00", " ", "x" * 151])
async def test_usernames_that_cannot_be(
    given: str, client: httpx.AsyncClient, world: World
) -> None:
    entry = {"pointer": "#/username", "code": "invalid_name", "message": NO_NAME}
    refusal = problem(422, "invalid_name", NO_NAME, errors=[entry])
    path = f"/v1/users/by-name/{quote(given)}"
    assert told(await client.put(path, json={})) == refusal
    assert told(await client.get(path)) == ABSENT
    if given != "\x00":
        renamed = await client.patch(f"/v1/users/{world.users[0]}", json={"username": given})
        assert told(renamed) == refusal


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 400, "-1", "x", "1.0", "%00"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_ids_that_cannot_be_name_nobody(
    method: str, number: str, client: httpx.AsyncClient
) -> None:
    body = {} if method == "PATCH" else None
    assert told(await client.request(method, f"/v1/users/{number}", json=body)) == MISSING


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            "search=%00",
            invalid("#/query/search", PATTERN, r"String should match pattern '^[^\x00]*$'"),
        ),
        (
            "search=" + "x" * 201,
            invalid(
                "#/query/search", "string_too_long", "String should have at most 200 characters"
            ),
        ),
        ("department=%0A", invalid("#/query/department", PATTERN, NO_LINE)),
        (
            "limit=0",
            invalid(
                "#/query/limit", "greater_than_equal", "Input should be greater than or equal to 1"
            ),
        ),
        (
            "limit=201",
            invalid(
                "#/query/limit", "less_than_equal", "Input should be less than or equal to 200"
            ),
        ),
        (
            "limit=x",
            invalid(
                "#/query/limit",
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
        ),
    ],
)
async def test_queries_that_are_refused(
    query: str, answer: dict[str, Any], client: httpx.AsyncClient
) -> None:
    assert told(await client.get(f"/v1/users?{query}")) == answer


async def test_parallel_declarations_make_one_user(client: httpx.AsyncClient, name: str) -> None:
    path = f"/v1/users/by-name/{name}"
    answers = await asyncio.gather(
        *(client.put(path, json={"family_name": f"F{n}"}) for n in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_each_read_is_one_statement(client: httpx.AsyncClient, world: World) -> None:
    number = world.users[0]
    ((name,),) = await world.sql("SELECT username FROM users WHERE id = :id", id=number)
    for path, count in (
        (f"/v1/users/{number}", 1),
        (f"/v1/users/by-name/{name}", 1),
        (f"/v1/users?department={world.department}&search=f", 1),
        (f"/v1/departments/{world.department}", 1),
        ("/v1/departments?limit=1", 1),
        (f"/v1/courses/{world.course_id}/enrollments/{number}", 1),
        (f"/v1/courses/{world.course_id}/enrollments", 2),
    ):
        with statements() as seen:
            assert (await client.get(path)).status_code == 200
        assert len(seen) == count, path


async def test_users_are_known_by_username_then_address_then_number(
    client: httpx.AsyncClient, sessions: Sessions, make_world: MakeWorld, name: str
) -> None:
    here, there = await make_world(0), await make_world(0)
    own = {"department": here.department}
    ada = await put(client, f"{name}-a", email=f"{name}@example.org", student_number=name, **own)
    other = {"department": there.department, "student_number": name}
    bob = await put(client, f"{name}-b", **other)
    eve = await put(client, f"{name}@example.org", student_number=f"{name}-a", **own)
    names = [f"{name}-a", f"{name}@example.org", f"{name.upper()}@EXAMPLE.org", name, "", "nobody"]
    async with UnitOfWork(sessions) as uow:
        with statements() as seen:
            assert await uow.users.ids_of(names, here.department) == {
                f"{name}-a": ada["id"],
                f"{name}@example.org": eve["id"],
                f"{name.upper()}@EXAMPLE.org": ada["id"],
                name: ada["id"],
            }
        assert len(seen) == 1
        assert (await uow.users.ids_of([name], there.department)) == {name: bob["id"]}
        assert (await uow.users.ids_of([name], "ELSEWHERE")) == {}
        await client.delete(f"/v1/users/{ada['id']}")
        assert (await uow.users.ids_of([name], "ELSEWHERE")) == {name: bob["id"]}
