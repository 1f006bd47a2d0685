"""A command imports what it needs, and the list of commands nothing at all."""

import subprocess
import sys

import pytest

from groupsvc.cli.lazy import COMMANDS, load

PROGRAM = """
import sys
from groupsvc.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(*(name for name in sys.modules if "." not in name))
"""
HEAVY = {"alembic", "asyncpg", "fastapi", "httpx", "jwt", "pydantic", "sqlalchemy", "uvicorn"}


def imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_needs_no_command_imports_none(option: str) -> None:
    assert imported(option) & HEAVY == set()


def test_importing_a_command_is_seen_here() -> None:
    assert {"sqlalchemy", "pydantic"} <= imported("migrate", "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_has_the_beginning_of_the_help_of_a_command(name: str) -> None:
    help_text = load(name).help
    assert COMMANDS[name].summary == " ".join(help_text.partition("\n\n")[0].split())
