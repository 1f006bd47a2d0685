"""The files that a plain read passes are those that docs/architecture.md names."""

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

import groupsvc
from groupsvc.db.pool import ConnectionPool
from tests.api.logins import SECRET, fresh_name, issue, put
from tests.conftest import World

PACKAGE = Path(groupsvc.__file__).parent
DOCUMENT = PACKAGE.parents[1] / "docs" / "architecture.md"
MOST_TO_THE_STATEMENT = 14


def named() -> list[tuple[str, str]]:
    section = DOCUMENT.read_text().partition("file by file")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|.*\| ([^|]+) \|$", section, re.MULTILINE)


async def passed(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, **request: Any
) -> list[tuple[str, str]]:
    """The files whose functions are called, before the statement is answered or only after."""
    files: dict[str, str] = {}
    sent = False
    fetch = ConnectionPool.fetch

    async def noted(*arguments: Any) -> Any:
        nonlocal sent
        rows = await fetch(*arguments)
        sent = True
        return rows

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(PACKAGE):
            files.setdefault(str(file.relative_to(PACKAGE)), "back" if sent else "to the statement")

    monkeypatch.setattr(ConnectionPool, "fetch", noted)
    sys.setprofile(note)
    try:
        answer = await client.get(path, **request)
    finally:
        sys.setprofile(None)
    assert answer.status_code == 200
    return list(files.items())


async def test_a_plain_read_passes_the_files_that_are_named(
    client: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = fresh_name()
    await put(client, name, grants=["groups:read"], secret=SECRET)
    headers = {"authorization": f"Bearer {await issue(anonymous, name)}"}
    path = f"/v1/partitions/{await world.add_partition()}"
    for _ in range(2):
        assert (await anonymous.get(path, headers=headers)).status_code == 200
    files = await passed(anonymous, monkeypatch, path, headers=headers)
    assert sorted(files) == sorted(named())
    assert [way for _, way in files].count("to the statement") <= MOST_TO_THE_STATEMENT
