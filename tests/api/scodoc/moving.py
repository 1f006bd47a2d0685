"""Two departments of an old ScoDoc, and the command that moves them over."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
import typer
from click.testing import Result
from typer.testing import CliRunner

from groupsvc.cli.scodoc import import_scodoc
from tests.api.scodoc.old_server import OldServer
from tests.conftest import SQL
from tests.live.serving import listening

Move = Callable[..., Awaitable[Result]]

command = typer.Typer()
command.command()(import_scodoc)

RT = {"id": 2, "acronym": "RT", "dept_name": "Réseaux"}
INFO = {"id": 5, "acronym": "INFO", "dept_name": None}


@pytest.fixture
def old() -> OldServer:
    """A formsemestre of two departments each."""
    server = OldServer()
    rt = server.semester(12, RT, "BUT RT 1")
    for etudid in range(101, 105):
        rt.student(etudid, f"22{etudid}", **({"state": "D"} if etudid == 104 else {}))
    rt.default = (30, 40)
    rt.partition(31, "TD", {41: "A", 42: "B"}, bul_show_rank=True)
    rt.partition(32, "Parcours", {43: "Cyber"})
    rt.put(41, 101, 102)
    rt.put(42, 103)
    rt.put(43, 101)
    info = server.semester(20, INFO, "BUT INFO 1")
    info.student(201, "33201", nom_usuel="Usuel", email="zoe@x.example")
    info.student(202, None)
    info.partition(35, "TP", {45: "1", 46: "2"})
    info.put(45, 201, 202)
    info.put(46)
    return server


@pytest_asyncio.fixture
async def old_address(old: OldServer) -> AsyncIterator[str]:
    async with listening(old.application()) as address:
        yield address


@pytest.fixture
def move(old_address: str, elsewhere: SQL, monkeypatch: pytest.MonkeyPatch) -> Move:
    monkeypatch.setenv("GROUPSVC_SCODOC_PASSWORD", "p")

    async def run(*arguments: str) -> Result:
        line = [old_address, "--user", "reader", *arguments]
        return await asyncio.to_thread(CliRunner().invoke, command, line)

    return run
