"""Homes of embedded servers, and processes that use them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groupsvc.local.embedded import EmbeddedPostgres
from tests.live.processes import USER, Join, ask, temporary_home, wait_until_free


@pytest.fixture
def new_home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """One for all who need data: a new cluster takes seconds on a busy machine."""
    with temporary_home() as path:
        with EmbeddedPostgres(path) as url:
            ask(url, "CREATE TABLE t AS SELECT 42 AS n")
        yield path


@pytest.fixture
def used(filled: Path) -> Iterator[Path]:
    wait_until_free(filled)
    yield filled
    wait_until_free(filled)


@pytest.fixture
def join() -> Iterator[Join]:
    """Start other processes that use the server; to be named after the home."""
    users: list[subprocess.Popen[str]] = []

    def start(
        home: Path, python: str = sys.executable, program: str = USER, **options: Any
    ) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        command = [python, "-c", program, str(home)]
        users.append(subprocess.Popen(command, **pipes, text=True, **options))
        return users[-1]

    yield start
    for user in users:
        with user:
            user.kill()
