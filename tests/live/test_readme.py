"""The first steps of the README, as they stand."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from groupsvc.app import create_app
from groupsvc.settings import Settings
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, Auth, MakeDatabase
from tests.live.serving import listening

README = Path(__file__).parents[2] / "README.md"
# Each answer on a line of its own; the first refusal ends the script.
CURL = 'set -e; curl() { command curl --fail-with-body -w "\\n" "$@"; }\n'

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="curl or bash is not installed"
)


def first_steps(address: str, token: str) -> str:
    text = README.read_text(encoding="utf-8").partition("## First steps")[2]
    block = re.search(r"```\n(T=.*?)```", text, re.DOTALL)
    assert block is not None
    steps = block[1].replace("http://127.0.0.1:8000", address)
    return CURL + steps.replace("$(.venv/bin/groupsvc token)", token)


async def test_the_first_steps_of_the_readme_succeed_and_their_ids_are_right(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> None:
    url = await make_database()
    assert (await command(url)("demo"))[0] == 0
    token = auth(*EVERYTHING, subject="reader")["authorization"].removeprefix("Bearer ")
    async with listening(create_app(settings, url, home)) as address:
        script = first_steps(address, token)
        bash = await asyncio.create_subprocess_exec(
            "bash", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await bash.communicate()
    assert bash.returncode == 0, output.decode()
    courses, board, partition, group, move, changes = map(json.loads, output.decode().splitlines())
    assert [each["id"] for each in courses["items"]] == [1, 2, 3, 4]
    assert board["course"]["id"] == 1
    assert f"P={partition['id']} " in script
    assert f"G={group['id']} " in script
    assert (move["group_id"], move["changed"]) == (group["id"], True)
    assert [each["actor"] for each in changes["items"]] == ["reader"] * 3
