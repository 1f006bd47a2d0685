"""Clients are generated from the documents, compiled and used.

`make clients` runs this; its name keeps it out of `make test`.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from tests.cli.conftest import command
from tests.conftest import EVERYTHING, Auth, MakeDatabase
from tests.live.serving import listening

from groupsvc.app import create_app
from groupsvc.settings import Settings

HERE = Path(__file__).parent
DOCUMENTS = HERE.parents[1] / "docs" / "openapi"
PYTHON, NODE = HERE / ".venv" / "bin", HERE / "node_modules" / ".bin"
FACES = {"v1": "openapi.json", "scodoc": "ScoDoc/openapi.json"}
FACES["openedx"] = "api/cohorts/openapi.json"
CONFORMS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)

with_node = pytest.mark.skipif(
    not (NODE.is_dir() and shutil.which("node")),
    reason="node is not installed, or not its packages",
)
with_tools = pytest.mark.skipif(not PYTHON.is_dir(), reason="the generators are not installed")


def run(*arguments: object) -> str:
    """What a program prints when it succeeds."""
    done = subprocess.run(
        [str(each) for each in arguments],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{PYTHON}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def generated() -> Path:
    generated = HERE / "generated"
    shutil.rmtree(generated, ignore_errors=True)
    generated.mkdir()
    return generated


@pytest.fixture(scope="module")
def compiled(generated: Path) -> Path:
    """The stories in TypeScript, with their clients of all documents, in strict mode."""
    for generator in ("openapi-typescript", "openapi-ts", "orval"):
        run(NODE / generator)
    run(NODE / "tsc")
    return HERE / "built"


@pytest_asyncio.fixture(scope="module")
async def served(
    make_database: MakeDatabase, settings: Settings, home: Path, auth: Auth
) -> AsyncIterator[dict[str, str]]:
    """Where the demo institution is served, for the environment of a program."""
    url = await make_database()
    assert (await command(url)("demo"))[0] == 0
    token = auth(*EVERYTHING, subject="a program")["authorization"].removeprefix("Bearer ")
    async with listening(create_app(settings, url, home)) as address:
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


@with_node
@pytest.mark.parametrize("generator", ["openapi-typescript", "hey-api", "orval"])
async def test_a_client_in_typescript_tells_the_story(
    compiled: Path, served: dict[str, str], generator: str
) -> None:
    printed = await tell(served, "node", compiled / f"{generator}.js")
    assert printed == f"{generator}: told\n"


@with_tools
@pytest.mark.parametrize("face", FACES)
def test_a_client_in_python_is_whole(generated: Path, face: str) -> None:
    """The media type that it does not know stands beside one that it knows."""
    where = ("--output-path", generated / "python" / face, "--meta", "none")
    document = ("--path", DOCUMENTS / f"{face}.json")
    printed = run(PYTHON / "openapi-python-client", "generate", *document, *where)
    warnings = {line for line in printed.splitlines() if line.startswith(("Un", "Could"))}
    assert warnings <= {"Unsupported content type text/csv"}
    assert printed.count("WARNING") == printed.count("Unsupported content type text/csv")


@with_tools
async def test_a_client_in_python_tells_the_story(generated: Path, served: dict[str, str]) -> None:
    where = ("--output-path", generated / "groupsvc_client", "--meta", "none")
    run(PYTHON / "openapi-python-client", "generate", "--path", DOCUMENTS / "v1.json", *where)
    story = (PYTHON / "python", HERE / "python_story.py")
    printed = await tell(served, *story, PYTHONPATH=str(generated))
    assert printed == "openapi-python-client: told\n"


@with_tools
@pytest.mark.parametrize("face", FACES)
async def test_answers_are_those_of_the_document_whatever_is_asked(
    served: dict[str, str], face: str
) -> None:
    options = {
        "--header": f"Authorization: Bearer {served['GROUPSVC_TOKEN']}",
        "--checks": CONFORMS,
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": 2,
        "--max-time": 10,
        # It would end the token with which it asks.
        "--exclude-operation-id": "revoke_token",
        "--warnings": "off",
    }
    given = [each for option in options.items() for each in option]
    address = f"{served['GROUPSVC_ADDRESS']}/{FACES[face]}"
    printed = await tell(served, PYTHON / "schemathesis", "--no-color", "run", address, *given)
    assert "No issues found" in printed
