"""The demo institution, served to programs, and asked by schemathesis."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, Auth, MakeDatabase
from tests.live.serving import listening

from groupsvc.app import create_app
from groupsvc.http.receive_deadline import DeadlineProtocol
from groupsvc.settings import Settings

HERE = Path(__file__).parent
PYTHON = HERE / ".venv" / "bin"
FACES = {
    "v1": "openapi.json",
    "scodoc": "ScoDoc/openapi.json",
    "openedx": "api/cohorts/openapi.json",
}
# The dialects take much that their documents do not describe, as what they stand for does, and
# refuse in an order of their own: of them, what is answered is held against the documents alone.
# Some pages of Open edX are not found by whoever is not known, or send them to the login.
LEFT_OUT = {
    "v1": (),
    "scodoc": ("negative_data_rejection", "positive_data_acceptance"),
    "openedx": (
        *("negative_data_rejection", "positive_data_acceptance"),
        *("missing_required_header", "ignored_auth"),
    ),
}

with_tools = pytest.mark.skipif(not PYTHON.is_dir(), reason="the generators are not installed")


@pytest_asyncio.fixture(scope="module")
async def served(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[dict[str, str]]:
    """Where the demo institution is served, for the environment of a program."""
    url = await make_database()
    assert (await command(url)("demo"))[0] == 0
    token = auth(*EVERYTHING, subject="a program")["authorization"].removeprefix("Bearer ")
    async with listening(create_app(settings, url, home), http=DeadlineProtocol) as address:
        yield {"GROUPSVC_ADDRESS": address, "GROUPSVC_TOKEN": token}


async def tell(served: dict[str, str], *arguments: object, **more: str) -> str:
    """What a program prints that succeeds while this process answers it."""
    process = await asyncio.create_subprocess_exec(
        *(str(each) for each in arguments),
        cwd=HERE,
        env={**os.environ, **served, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-5_000:]
    return output.decode()


async def conform(
    served: dict[str, str], face: str, *, seconds: int, examples: int, phases: str
) -> str:
    """Ask every operation of a document for so long, and hold the answers against it."""
    options = {
        "--header": f"Authorization: Bearer {served['GROUPSVC_TOKEN']}",
        "--checks": "all",
        "--phases": phases,
        "--max-examples": examples,
        "--max-time": seconds,
        # It would end the token with which it asks; and a stream goes on.
        "--exclude-operation-id-regex": "^(revoke_token|stream_course_events)$",
        "--warnings": "off",
    }
    if LEFT_OUT[face]:
        options["--exclude-checks"] = ",".join(LEFT_OUT[face])
    given = [each for option in options.items() for each in option]
    address = f"{served['GROUPSVC_ADDRESS']}/{FACES[face]}"
    settings = ("--config-file", "schemathesis.toml", "--no-color")
    program = (PYTHON / "schemathesis", *settings, "run", address)
    printed = await tell(served, *program, *given, SCHEMATHESIS_HOOKS="workbooks.py")
    assert "No issues found" in printed
    return printed
