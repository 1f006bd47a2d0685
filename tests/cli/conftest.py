"""The ``groupsvc`` command, run in this process on an empty database."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import URL
from typer.testing import CliRunner

from groupsvc.cli import UNUSABLE, app
from groupsvc.cli.failures import explain
from tests.conftest import MakeDatabase

Run = Callable[..., Awaitable[tuple[int, str]]]


def command(url: URL) -> Run:
    """The command on a database; returns its exit code and what it prints."""
    env = {"GROUPSVC_DATABASE_URL": url.render_as_string(hide_password=False)}

    async def run(*arguments: object) -> tuple[int, str]:
        invoked = await asyncio.to_thread(
            CliRunner().invoke, app, [str(each) for each in arguments], env=env
        )
        # As `main` does.
        failure = invoked.exception
        if isinstance(failure, Exception) and (told := explain(failure)) is not None:
            return UNUSABLE, told
        return invoked.exit_code, invoked.stdout or invoked.stderr

    return run


@pytest.fixture
async def groupsvc(make_database: MakeDatabase) -> Run:
    """The command on an empty database."""
    return command(await make_database())
