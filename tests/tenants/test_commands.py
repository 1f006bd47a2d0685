"""``groupsvc tenant``: institutions are made, listed, migrated and moved."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import URL
from typer.testing import CliRunner

from groupsvc.cli import UNUSABLE, app
from groupsvc.db import migrate, revision
from groupsvc.db.engine import make_engine
from groupsvc.domain.errors import GroupsvcError, InvalidError
from groupsvc.settings import Settings
from groupsvc.tenants import moving
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.registry import Tenant
from tests.conftest import MakeDatabase, statements
from tests.tenants.conftest import KEYS, MakeControl, registry_of, save, text_of

SOME_FAILED = 1


@dataclass
class Office:
    """The command with a list of its own, and a server on which it makes databases."""

    settings: Settings
    server: URL
    run: Callable[..., Awaitable[tuple[int, str]]]
    made: list[URL]

    def place(self) -> URL:
        """Where no database is yet."""
        url = self.server.set(database=f"groupsvc_test_{uuid.uuid4().hex[:12]}")
        self.made.append(url)
        return url

    async def create(self, name: str) -> URL:
        url = self.place()
        code, said = await self.run(
            *("create", name, "--host", f"{name}.example", "--database", text_of(url))
        )
        assert code == 0, said
        return url

    async def listed(self) -> dict[str, Tenant]:
        async with registry_of(self.settings) as registry:
            return {each.name: each for each in await registry.every()}


@pytest_asyncio.fixture
async def office(make_control: MakeControl, server_url: URL) -> AsyncIterator[Office]:
    settings = await make_control()
    assert settings.control_url is not None
    env = {"GROUPSVC_CONTROL_URL": settings.control_url.get_secret_value()}

    async def run(*arguments: object) -> tuple[int, str]:
        given = ["tenant", *map(str, arguments)]
        invoked = await asyncio.to_thread(CliRunner().invoke, app, given, env=env)
        if isinstance(invoked.exception, (GroupsvcError, ValueError)):
            return UNUSABLE, str(invoked.exception)
        return invoked.exit_code, invoked.stdout + invoked.stderr

    office = Office(settings, server_url, run, [])
    yield office
    for url in office.made:
        await Databases(settings).drop(url)


async def test_one_is_made_with_its_database_once(office: Office) -> None:
    url = await office.create("north")
    again = await office.run(
        *("create", "north", "--host", "north.example", "--host", "n.example"),
        *("--set", "jwt_issuer=https://id.north.example"),
    )
    assert again == (0, "north is listed\n")
    tenant = (await office.listed())["north"]
    assert (tenant.hosts, tenant.issuer) == (
        ("n.example", "north.example"),
        "https://id.north.example",
    )
    assert tenant.url() == url
    code, said = await office.run("list", "--json", "--check")
    assert (code, json.loads(said)) == (
        0,
        {
            "name": "north",
            "hosts": ["n.example", "north.example"],
            "issuer": "https://id.north.example",
            "database": url.render_as_string(hide_password=True),
            "state": "served",
            "revision": revision.head(),
        },
    )


async def test_what_cannot_be_served_is_refused_and_nothing_is_made(office: Office) -> None:
    url = text_of(office.place())
    for name, options, why in (
        ("North", (), "the name of an institution has 1 to 40"),
        ("north", ("--host", "a b"), "no host name"),
        ("north", ("--set", "pool_size=0"), "GROUPSVC_POOL_SIZE"),
        ("north", ("--set", "database_url=x"), "no setting of an institution"),
    ):
        code, said = await office.run(
            *("create", name, "--host", "x.example", "--database", url, *options)
        )
        assert (code, why in said) == (UNUSABLE, True), said
    assert await office.listed() == {}
    assert not await Databases(office.settings).exists(office.made[0])


async def test_a_host_an_issuer_and_a_database_are_of_one(office: Office) -> None:
    url = await office.create("north")
    other = text_of(office.place())
    for options, why in (
        (("--host", "north.example", "--database", other), "another institution has this host"),
        (("--host", "s.example", "--database", text_of(url)), "that of another institution"),
    ):
        code, said = await office.run("create", "south", *options)
        assert (code, why in said) == (UNUSABLE, True), said
    issuer = ("--set", "jwt_issuer=https://id.example")
    assert (await office.run("create", "north", "--host", "north.example", *issuer))[0] == 0
    code, said = await office.run(
        *("create", "south", "--host", "s.example", "--database", other, *issuer)
    )
    assert (code, said) == (UNUSABLE, "another institution has this issuer")


async def test_one_that_cannot_be_migrated_does_not_stop_the_others(
    office: Office, make_database: MakeDatabase
) -> None:
    behind = await make_database()
    engine = make_engine(behind, office.settings)
    await migrate.upgrade(engine, "0022")
    await engine.dispose()
    absent = office.server.set(database="groupsvc_no_such_database")
    await save(
        office.settings,
        Tenant("absent", ("absent.example",), text_of(absent)),
        Tenant("behind", ("behind.example",), text_of(behind)),
    )
    code, said = await office.run("migrate")
    assert code == SOME_FAILED
    assert "absent: there is no such database" in said
    assert f"1 of 2 are at revision {revision.head()}" in said
    assert (await Databases(office.settings).found(behind)).fits
    assert (await office.run("migrate", "behind"))[0] == 0


async def fill(office: Office, url: URL) -> None:
    engine = make_engine(url, office.settings)
    await statements(engine)("INSERT INTO departments (acronym) VALUES ('X')")
    await engine.dispose()


async def departments(office: Office, url: URL) -> list[str]:
    engine = make_engine(url, office.settings)
    rows = await statements(engine)("SELECT acronym FROM departments")
    await engine.dispose()
    return [acronym for (acronym,) in rows]


async def test_it_moves_with_all_it_has_and_leaves_a_closed_door(office: Office) -> None:
    old = await office.create("north")
    await fill(office, old)
    new = office.place()
    code, said = await office.run("move", "north", "--to", text_of(new))
    assert code == 0, said
    tenant = (await office.listed())["north"]
    assert (tenant.url(), tenant.target_url, tenant.is_copied) == (new, None, False)
    assert await departments(office, new) == ["X"]
    # Whoever has not heard of it is not answered with what was.
    code, said = await office.run("move", "north", "--to", text_of(new))
    assert (code, said) == (0, "north is there already\n")
    await fill_again(office, new)
    failure = await asyncio.gather(departments(office, old), return_exceptions=True)
    assert "not currently accepting connections" in str(failure[0])


async def fill_again(office: Office, url: URL) -> None:
    engine = make_engine(url, office.settings)
    await statements(engine)("INSERT INTO departments (acronym) VALUES ('Y')")
    await engine.dispose()
    assert sorted(await departments(office, url)) == ["X", "Y"]


async def test_a_move_that_was_cut_off_is_taken_up_again(office: Office) -> None:
    old = await office.create("north")
    await fill(office, old)
    new = office.place()
    databases = Databases(office.settings)
    # As it is when whoever moves it is killed while copying.
    async with registry_of(office.settings) as registry:
        await registry.run(lambda list_: list_.move("north", text_of(new)))
    await databases.close_to_writers(old)
    await databases.create(new)
    code, said = await office.run("move", "north", "--to", text_of(new))
    assert code == 0, said
    assert (await office.listed())["north"].url() == new
    assert await departments(office, new) == ["X"]


async def test_a_move_that_fails_leaves_it_as_it_was(
    office: Office, make_database: MakeDatabase
) -> None:
    old = await office.create("north")
    taken = await make_database()
    code, said = await office.run("move", "north", "--to", text_of(taken))
    assert (code, said) == (UNUSABLE, f"there is a database {taken.database} already")
    nowhere = "postgresql://postgres@127.0.0.1:1/north"
    code, _ = await office.run("move", "north", "--to", nowhere)
    assert code != 0
    assert (await office.listed())["north"].target_url is None
    await fill(office, old)


async def test_what_was_copied_of_a_move_that_fails_is_dropped(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = await office.create("north"), office.place()
    await fill(office, old)
    run = moving.run_program

    async def fail(program: str, *arguments: Any) -> None:
        if program == "pg_restore":
            raise InvalidError("the disk is full")
        await run(program, *arguments)

    monkeypatch.setattr(moving, "run_program", fail)
    code, said = await office.run("move", "north", "--to", text_of(new))
    assert code != 0
    assert "the disk is full" in said
    assert not await Databases(office.settings).exists(new)
    monkeypatch.undo()
    code, said = await office.run("move", "north", "--to", text_of(new))
    assert code == 0, said
    assert await departments(office, new) == ["X"]


async def test_a_move_can_be_called_off(office: Office) -> None:
    old = await office.create("north")
    async with registry_of(office.settings) as registry:
        await registry.run(lambda list_: list_.move("north", "postgresql://elsewhere/north"))
    await Databases(office.settings).close_to_writers(old)
    code, said = await office.run("move", "north", "--cancel")
    assert (code, said) == (0, "north is written to again where it was\n")
    await fill(office, old)


async def test_other_commands_are_run_on_one(office: Office) -> None:
    url = await office.create("north")
    engine = make_engine(url, office.settings)
    code, said = await office.run("run", "north", "account", "create", "bridge")
    assert code == 0, said
    rows = await statements(engine)("SELECT name FROM accounts")
    await engine.dispose()
    assert rows == [("bridge",)]


async def test_a_fleet_is_served_and_worked_on_as_such_alone(office: Office) -> None:
    assert office.settings.control_url is not None
    env = {"GROUPSVC_CONTROL_URL": office.settings.control_url.get_secret_value()}

    async def refused(*arguments: str, **more: str) -> str:
        given = env | {f"GROUPSVC_{name.upper()}": value for name, value in more.items()}
        invoked = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=given)
        return str(invoked.exception)

    shared = {"jwt_issuer": "https://id.example", "jwks": KEYS}
    assert "unset GROUPSVC_JWT_ISSUER, GROUPSVC_JWKS," in await refused("serve", **shared)
    both = await refused("serve", database_url=text_of(office.server))
    assert "unset GROUPSVC_DATABASE_URL," in both
    assert "`groupsvc tenant migrate`" in await refused("serve", "--migrate")
    assert "`groupsvc tenant run NAME`" in await refused("account", "list")
