"""Roles of persons, and what they let the tokens of an identity provider do."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.conftest import SQL, Auth, MakeWorld, World
from tests.test_statements import recorded


@dataclass
class Person:
    """A person of the roster, the headers of a token that names them, and where they are."""

    world: World
    id: int
    username: str
    headers: dict[str, str]

    @property
    def member(self) -> dict[str, Any]:
        number = self.world.users.index(self.id) + 1
        return {
            "user_id": self.id,
            "username": self.username,
            "family_name": f"Family{number}",
            "given_name": "Given",
        }

    @property
    def course(self) -> str:
        return f"/v1/courses/{self.world.course_id}"

    @property
    def team(self) -> str:
        return f"{self.course}/team"

    @property
    def cohorts(self) -> str:
        return f"/api/cohorts/v1/courses/{self.world.course}/cohorts/"


@pytest_asyncio.fixture
async def person(world: World, sql: SQL, auth: Auth) -> Person:
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    headers = auth(subject="someone", username=username)
    return Person(world, world.users[0], username, headers)


async def statuses(client: httpx.AsyncClient, person: Person) -> tuple[int, int, int]:
    """Of a read, of a write, and of a read in the face of Open edX."""
    read = await client.get(f"{person.course}/partitions", headers=person.headers)
    write = await client.post(f"{person.course}/partitions", json={}, headers=person.headers)
    listed = await client.get(person.cohorts, headers=person.headers)
    return read.status_code, write.status_code, listed.status_code


STRANGER = (403, 403, 403)
READER = (200, 403, 200)
WRITER = (200, 422, 200)  # the body is not looked at before the caller is admitted


@pytest.mark.parametrize(
    ("role", "may"), [("staff", WRITER), ("instructor", WRITER), ("moderator", READER)]
)
@pytest.mark.parametrize("place", ["course", "department", "everywhere"])
async def test_a_role_is_good_for_what_it_says_in_its_place(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    make_world: MakeWorld,
    person: Person,
    role: str,
    may: tuple[int, int, int],
    place: str,
) -> None:
    elsewhere = await make_world(0)
    assert await statuses(anonymous, person) == STRANGER
    world = person.world
    text = {
        "course": f"{role}@course:{world.course}",
        "department": f"{role}@department:{world.department}",
        "everywhere": role,
    }[place]
    answer = await client.put(f"/v1/users/{person.id}/roles", json={"roles": [text]})
    assert (answer.status_code, answer.json()) == (200, {"roles": [text]})
    # As on the platform, v1 does not know roles in a whole organisation.
    listed = 403 if place == "department" else may[2]
    assert await statuses(anonymous, person) == (*may[:2], listed)
    other = await anonymous.get(
        f"/v1/courses/{elsewhere.course_id}/partitions", headers=person.headers
    )
    assert other.status_code == (200 if place == "everywhere" else 404)
    me = (await anonymous.get("/v1/me", headers=person.headers)).json()
    suffix = text.partition("@")[1] + text.partition("@")[2]
    assert me["grants"] == sorted(
        f"groups:{verb}{suffix}" for verb in (["read", "write"] if may == WRITER else ["read"])
    )


async def test_what_is_taken_away_is_gone_at_once_and_costs_no_round_trip(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, person: Person, sql: SQL
) -> None:
    path = f"{person.course}/partitions"
    body = {"roles": ["staff"]}
    await client.put(f"{person.team}/{person.id}", json=body)
    assert (await anonymous.get(path, headers=person.headers)).status_code == 200
    with recorded() as statements:
        assert (await anonymous.get(path, headers=person.headers)).status_code == 200
    assert len(statements) == 1
    # By another process, which this one hears nothing of.
    await sql("DELETE FROM roles WHERE user_id = :id", id=person.id)
    assert (await anonymous.get(path, headers=person.headers)).status_code == 403
    await sql(
        "INSERT INTO roles (user_id, role, course_id) VALUES (:id, 'moderator', :course)",
        id=person.id,
        course=person.world.course_id,
    )
    assert (await anonymous.get(path, headers=person.headers)).status_code == 200
    await sql("UPDATE users SET is_active = false WHERE id = :id", id=person.id)
    assert (await anonymous.get(path, headers=person.headers)).status_code == 403


async def test_who_leaves_the_roster_while_their_token_lives_has_no_role(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, person: Person, sql: SQL
) -> None:
    await client.put(f"{person.team}/{person.id}", json={"roles": ["staff"]})
    assert await statuses(anonymous, person) == WRITER
    await sql("UPDATE users SET username = username || '-2' WHERE id = :id", id=person.id)
    assert await statuses(anonymous, person) == STRANGER


async def test_whoever_joins_the_roster_after_they_called_has_their_role_at_once(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, person: Person, auth: Auth
) -> None:
    username = f"{person.world.department}-new"
    path, headers = f"{person.course}/partitions", auth(subject="new", username=username)
    assert (await anonymous.get(path, headers=headers)).status_code == 403
    place = {"department": person.world.department}
    made = await client.put(f"/v1/users/by-name/{username}", json=place)
    user_id = made.json()["id"]
    await client.put(f"{person.team}/{user_id}", json={"roles": ["staff"]})
    assert (await anonymous.get(path, headers=headers)).status_code == 200


async def test_grants_of_the_token_count_beside_roles(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, person: Person, auth: Auth
) -> None:
    await client.put(f"{person.team}/{person.id}", json={"roles": ["moderator"]})
    grant = f"groups:write@course:{person.world.course}"
    headers = auth(grant, subject="someone", username=person.username)
    me = (await anonymous.get("/v1/me", headers=headers)).json()
    assert me["grants"] == [f"groups:read@course:{person.world.course}", grant]


async def test_a_team_is_replaced_as_a_whole(
    client: httpx.AsyncClient, person: Person, world: World, sql: SQL
) -> None:
    ((second,),) = await sql("SELECT username FROM users WHERE id = :id", id=world.users[1])
    empty = await client.get(person.team)
    assert empty.json() == {"members": []}
    members = [
        {"username": second, "roles": ["moderator"]},
        {"username": f" {person.username} ", "roles": ["staff", "instructor", "staff"]},
    ]
    answer = await client.put(person.team, json={"members": members})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "members": [
                {**person.member, "roles": ["instructor", "staff"]},
                {
                    "user_id": world.users[1],
                    "username": second,
                    "family_name": "Family2",
                    "given_name": "Given",
                    "roles": ["moderator"],
                },
            ]
        },
    )
    assert (await client.get(person.team)).headers["etag"] == answer.headers["etag"]
    before = await lines(sql, world)
    again = await client.put(person.team, json={"members": members})
    assert again.json() == answer.json()
    assert await lines(sql, world) == before
    assert before == [
        ("role.created", world.users[0], None, "instructor"),
        ("role.created", world.users[0], None, "staff"),
        ("role.created", world.users[1], None, "moderator"),
    ]
    left = await client.put(person.team, json={"members": members[:1]})
    assert [member["user_id"] for member in left.json()["members"]] == [world.users[1]]
    gone = await client.put(f"{person.team}/{world.users[1]}", json={"roles": []})
    assert gone.json() == {"members": []}
    assert (await lines(sql, world))[3:] == [
        ("role.deleted", world.users[0], "instructor", None),
        ("role.deleted", world.users[0], "staff", None),
        ("role.deleted", world.users[1], "moderator", None),
    ]


async def lines(sql: SQL, world: World) -> list[tuple[Any, ...]]:
    """Of roles in the change log. They are for administrators: outside every course."""
    rows = await sql(
        "SELECT kind, user_id, before ->> 'role', after ->> 'role' FROM changes"
        " WHERE kind LIKE 'role.%' AND course_id = 0 AND user_id = ANY (:users)"
        " ORDER BY kind, user_id, 3, 4",
        users=world.users,
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"members": [{"username": "nobody", "roles": ["staff"]}]}, 422, "unknown_user", 0),
        ({"members": [{"username": " ", "roles": ["staff"]}]}, 422, "invalid_name", 0),
        ({"members": [{"username": "x" * 151, "roles": ["staff"]}]}, 422, "invalid_name", 0),
        ({"members": [{"username": "a", "roles": []}]}, 422, "invalid", None),
        ({"members": [{"username": "a", "roles": ["owner"]}]}, 422, "invalid", None),
        ({"members": [{"username": "a"}]}, 422, "invalid", None),
        ({"members": "all"}, 422, "invalid", None),
        ({}, 422, "invalid", None),
    ],
)
async def test_a_team_that_is_refused_changes_nothing(
    client: httpx.AsyncClient,
    person: Person,
    body: Any,
    status: int,
    code: str,
    pointer: int | None,
) -> None:
    await client.put(f"{person.team}/{person.id}", json={"roles": ["staff"]})
    before = await client.get(person.team)
    answer = await client.put(person.team, json=body)
    assert answer.status_code == status, answer.text
    if pointer is not None:
        assert answer.json()["code"] == code
        assert f"#/members/{pointer}/username" in answer.text
    assert (await client.get(person.team)).content == before.content


@pytest.mark.parametrize(
    ("roles", "code"),
    [
        (["staff", "owner"], "invalid_role"),
        (["staff", "staff@place:x"], "invalid_role"),
        (["staff", "staff@course:nowhere"], "unknown_place"),
        (["staff", "staff@department:nowhere"], "unknown_place"),
    ],
)
async def test_a_role_that_is_none_changes_nothing(
    client: httpx.AsyncClient, person: Person, roles: list[str], code: str
) -> None:
    path = f"/v1/users/{person.id}/roles"
    answer = await client.put(path, json={"roles": roles})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert "#/roles/1" in answer.text
    assert (await client.get(path)).json() == {"roles": []}


async def test_a_team_that_has_changed_meanwhile_is_not_overwritten(
    client: httpx.AsyncClient, person: Person
) -> None:
    seen = (await client.get(person.team)).headers["etag"]
    await client.put(f"{person.team}/{person.id}", json={"roles": ["staff"]})
    late = {"if-match": seen}
    for path, body in (
        (person.team, {"members": []}),
        (f"{person.team}/{person.id}", {"roles": []}),
    ):
        answer = await client.put(path, json=body, headers=late)
        assert answer.status_code == 412
        assert answer.json()["changes"][0]["kind"] == "role.created"
    path = f"/v1/users/{person.id}/roles"
    seen = (await client.get(path)).headers["etag"]
    assert (await client.put(path, json={"roles": []}, headers={"if-match": seen})).json() == {
        "roles": []
    }
    late = {"if-match": seen}
    answer = await client.put(path, json={"roles": ["staff"]}, headers=late)
    assert (answer.status_code, answer.json()["changes"][0]["kind"]) == (412, "role.deleted")


async def test_only_administrators_of_the_place_decide(
    anonymous: httpx.AsyncClient, person: Person, auth: Auth, make_world: MakeWorld
) -> None:
    world, elsewhere = person.world, await make_world(0)
    body = {"roles": ["staff"]}
    paths = [
        ("GET", person.team, None),
        ("PUT", person.team, {"members": []}),
        ("PUT", f"{person.team}/{person.id}", body),
    ]
    callers = {
        (f"admin@course:{world.course}",): 200,
        (f"admin@department:{world.department}",): 200,
        ("groups:write", "roster:write", "groups:read"): 403,
        (f"admin@course:{elsewhere.course}",): 404,
    }
    for grants, status in callers.items():
        for method, path, sent in paths:
            answer = await anonymous.request(method, path, json=sent, headers=auth(*grants))
            assert (method, path, answer.status_code) == (method, path, status)
        answer = await anonymous.put(
            f"/v1/users/{person.id}/roles", json=body, headers=auth(*grants)
        )
        assert answer.status_code == 403
    assert (
        await anonymous.get(f"/v1/users/{2**62}/roles", headers=auth("admin"))
    ).status_code == 404
    missing = f"{person.team}/{2**62}"
    assert (await anonymous.put(missing, json=body, headers=auth("admin"))).status_code == 404


async def test_whoever_has_a_role_is_renamed_by_administrators_alone(
    client: httpx.AsyncClient, person: Person, auth: Auth
) -> None:
    """A token finds its person by username: the new name could be that of somebody else's token."""
    path, name = f"/v1/users/{person.id}", f"{person.username}-new"
    staff = auth(f"roster:write@department:{person.world.department}")
    roles = {"roles": [f"staff@course:{person.world.course}"]}
    assert (await client.put(f"{path}/roles", json=roles)).status_code == 200
    refused = await client.patch(path, json={"username": name}, headers=staff)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    kept = await client.patch(path, json={"given_name": "New"}, headers=staff)
    assert (kept.status_code, kept.json()["username"]) == (200, person.username)
    assert (await client.patch(path, json={"username": name})).status_code == 200
    assert (await client.put(f"{path}/roles", json={"roles": []})).status_code == 200
    again = await client.patch(path, json={"username": person.username}, headers=staff)
    assert again.status_code == 200
