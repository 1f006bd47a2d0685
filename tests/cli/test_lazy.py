"""A command imports what it needs, and the list of commands nothing at all."""

import subprocess
import sys
from pathlib import Path

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


def test_a_token_needs_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPSVC_HOME", str(tmp_path))
    assert imported("token") & HEAVY == {"jwt", "pydantic"}


def test_a_server_does_without_what_only_people_at_terminals_see() -> None:
    listed = "import sys, groupsvc.cli.server; print(*sys.modules)"
    command = [sys.executable, "-c", listed]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    unseen = {"rich", "pygments", "openpyxl", "httpx", "groupsvc.cli.demo"}
    assert set(done.stdout.split()) & unseen == set()


def test_importing_a_command_is_seen_here() -> None:
    assert {"sqlalchemy", "pydantic"} <= imported("migrate", "--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_has_the_beginning_of_the_help_of_a_command(name: str) -> None:
    help_text = load(name).help
    assert COMMANDS[name].summary == " ".join(help_text.partition("\n\n")[0].split())
