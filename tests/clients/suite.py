"""Clients are generated from the documents, compiled and used.

`make clients` runs this; its name keeps it out of `make test`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.clients.conformance import FACES, HERE, PYTHON, conform, tell, with_tools
from tests.clients.conformance import served as served

DOCUMENTS = HERE.parents[1] / "docs" / "openapi"
NODE = HERE / "node_modules" / ".bin"
UNKNOWN = ("text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")

with_node = pytest.mark.skipif(
    not (NODE.is_dir() and shutil.which("node")),
    reason="node is not installed, or not its packages",
)


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
    """The media types that it does not know stand beside one that it knows."""
    where = ("--output-path", generated / "python" / face, "--meta", "none")
    document = ("--path", DOCUMENTS / f"{face}.json")
    printed = run(PYTHON / "openapi-python-client", "generate", *document, *where)
    warnings = {line for line in printed.splitlines() if line.startswith(("Un", "Could"))}
    assert warnings <= {f"Unsupported content type {each}" for each in UNKNOWN}
    assert printed.count("WARNING") == printed.count("Unsupported content type")


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
    await conform(served, face, seconds=10, examples=2, phases="examples,coverage,fuzzing")
