import uuid

import httpx
import pytest

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.pool import ConnectionPool
from tests.api.people import put, user
from tests.conftest import MakeWorld, World


@pytest.fixture
def name() -> str:
    return f"w{uuid.uuid4().hex[:10]}"


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


async def ids(uow: UnitOfWork, names: list[str], department: str) -> dict[str, int]:
    found = await uow.users.identify([(each, department) for each in names])
    return {identifier: person.id for (identifier, _), person in found.items()}


async def test_users_are_known_by_username_then_address_then_number(
    client: httpx.AsyncClient, pool: ConnectionPool, make_world: MakeWorld, name: str
) -> None:
    here, there = await make_world(0), await make_world(0)
    own = {"department": here.department}
    ada = await put(client, f"{name}-a", email=f"{name}@example.org", student_number=name, **own)
    other = {"department": there.department, "student_number": name}
    bob = await put(client, f"{name}-b", **other)
    eve = await put(client, f"{name}@example.org", student_number=f"{name}-a", **own)
    names = [f"{name}-a", f"{name}@example.org", f"{name.upper()}@EXAMPLE.org", name, "", "nobody"]
    async with UnitOfWork(pool) as uow:
        assert await ids(uow, names, here.department) == {
            f"{name}-a": ada["id"],
            f"{name}@example.org": eve["id"],
            f"{name.upper()}@EXAMPLE.org": ada["id"],
            name: ada["id"],
        }
        assert (await ids(uow, [name], there.department)) == {name: bob["id"]}
        assert (await ids(uow, [name], "ELSEWHERE")) == {}
        await client.delete(f"/v1/users/{ada['id']}")
        assert (await ids(uow, [name], "ELSEWHERE")) == {name: bob["id"]}
