"""Runs the import from a running Open edX."""

import asyncio

import typer
from click.testing import Result
from typer.testing import CliRunner

from groupsvc.cli.openedx import import_openedx

command = typer.Typer()
command.command()(import_openedx)


async def run(address: str, token: str, *arguments: str) -> Result:
    """In a thread, for the command brings its own event loop."""
    line = [address, *arguments]
    environment = {"GROUPSVC_OPENEDX_TOKEN": token}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, command, line)
