"""Ids by which other systems know users."""

import uuid
from typing import Any

import httpx
import pytest

from tests.api.people import user
from tests.api.refusals import problem, told
from tests.conftest import SQL, World


@pytest.fixture
def name() -> str:
    return f"w{uuid.uuid4().hex[:10]}"


def unique() -> str:
    return str(uuid.uuid4().int % 10**17 + 1)


def path(name: str) -> str:
    return f"/v1/users/by-name/{name}"


async def test_a_user_may_have_an_id_in_each_of_several_systems(
    client: httpx.AsyncClient, name: str, sql: SQL
) -> None:
    lms, sis = unique(), f"sis:{unique()}"
    given = {"external_ids": {"sis": sis, "openedx": int(lms)}}
    created = await client.put(path(name), json=given)
    number = created.json()["id"]
    held: dict[str, Any] = {"external_ids": {"openedx": lms, "sis": sis}}
    assert (created.status_code, created.json()) == (201, user(number, name, **held))
    again = await client.put(path(name), json=given)
    assert (again.status_code, again.content) == (200, created.content)
    for address in (path(name), f"/v1/users/{number}"):
        read = await client.get(address)
        assert (read.content, read.headers["etag"]) == (created.content, created.headers["etag"])
    found = await client.get("/v1/users", params={"search": name})
    assert found.json()["items"] == [user(number, name, **held)]
    assert await sql(
        "SELECT kind, before, after FROM changes WHERE user_id = :n ORDER BY seq", n=number
    ) == [
        ("user.created", None, None),
        ("user.updated", None, {"fields": ["external_ids"]}),
        ("user.updated", None, {"fields": ["external_ids"]}),
    ]


async def test_systems_that_are_not_named_keep_theirs_and_null_takes_one_away(
    client: httpx.AsyncClient, name: str
) -> None:
    first, second = unique(), unique()
    created = await client.put(path(name), json={"external_ids": {"a": first, "b": second}})
    number, tag = created.json()["id"], created.headers["etag"]
    bare = await client.put(path(name), json={"given_name": "Ada"})
    held: dict[str, Any] = {"external_ids": {"a": first, "b": second}}
    assert bare.json() == user(number, name, given_name="Ada", **held)
    patched = await client.patch(
        f"/v1/users/{number}", json={"external_ids": {"b": "x", "c": None}}
    )
    held = {"external_ids": {"a": first, "b": "x"}}
    assert patched.json() == user(number, name, given_name="Ada", **held)
    late = await client.patch(
        f"/v1/users/{number}", json={"external_ids": {"a": None}}, headers={"If-Match": tag}
    )
    assert late.status_code == 412
    fields = [change["after"]["fields"] for change in late.json()["changes"] if change["after"]]
    assert fields == [["external_ids"], ["given_name", "sort_key"], *[["external_ids"]] * 2]
    emptied = await client.patch(
        f"/v1/users/{number}", json={"external_ids": {"a": None, "b": None}}
    )
    assert emptied.json() == user(number, name, given_name="Ada")


async def test_an_id_means_one_user_until_they_are_gone(
    client: httpx.AsyncClient, name: str
) -> None:
    lms = unique()
    first = await client.put(path(name), json={"external_ids": {"openedx": lms}})
    taken = await client.put(path(f"{name}-2"), json={"external_ids": {"openedx": lms}})
    assert told(taken) == problem(409, "external_id_taken", "another user has this id there")
    assert (await client.get(path(f"{name}-2"))).status_code == 404
    elsewhere = await client.put(path(f"{name}-2"), json={"external_ids": {"other": lms}})
    assert elsewhere.status_code == 201
    assert (await client.delete(f"/v1/users/{first.json()['id']}")).status_code == 204
    free = await client.put(path(f"{name}-2"), json={"external_ids": {"openedx": lms}})
    assert free.json()["external_ids"] == {"openedx": lms, "other": lms}


async def test_rows_of_the_database_hold_the_rule(sql: SQL, world: World) -> None:
    lms = unique()
    insert = "INSERT INTO external_ids (user_id, system, external_id) VALUES (:user, :system, :id)"
    await sql(insert, user=world.users[0], system="openedx", id=lms)
    for bad in (
        {"user": world.users[1], "system": "openedx", "id": lms},
        {"user": world.users[0], "system": "openedx", "id": unique()},
        {"user": world.users[1], "system": "Open edX", "id": lms},
        {"user": world.users[1], "system": "other", "id": " "},
    ):
        with pytest.raises(Exception, match=r"[up][qk]_external_ids|ck_external_ids"):
            await sql(insert, **bad)


@pytest.mark.parametrize(
    ("ids", "pointer"),
    [
        ({"openedx": "x1"}, "#/external_ids/openedx"),
        ({"openedx": "0"}, "#/external_ids/openedx"),
        ({"openedx": -1}, "#/external_ids/openedx"),
        ({"openedx": 10**18}, "#/external_ids/openedx"),
        ({"sis": ""}, "#/external_ids/sis"),
        ({"sis": "a b"}, "#/external_ids/sis"),
        ({"sis": True}, "#/external_ids/sis"),
        ({"sis": 1.5}, "#/external_ids/sis"),
        ({"sis": ["1"]}, "#/external_ids/sis"),
        ({"sis": "a\u0007"}, "#/external_ids/sis"),
        ({"sis": "9" * 256}, "#/external_ids/sis"),
        ({"No": "1"}, "#/external_ids"),
        ({"": "1"}, "#/external_ids"),
        ("4711", "#/external_ids"),
        (None, "#/external_ids"),
        ({f"s{n}": "1" for n in range(21)}, "#/external_ids"),
    ],
)
async def test_what_is_no_id_is_refused(
    client: httpx.AsyncClient, name: str, ids: Any, pointer: str
) -> None:
    refused = await client.put(path(name), json={"external_ids": ids})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert (await client.get(path(name))).status_code == 404
