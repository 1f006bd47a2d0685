"""Which tree of the service runs: ours, or that of another commit. Neither is imported here."""

import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).parents[1]
COMMAND = "from groupsvc.cli import main; main()"
LOADER = Path(__file__).with_name("loading.py")
LOCK = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Build:
    """A tree with the interpreter that has what it needs installed."""

    tree: Path
    python: Path

    @property
    def command(self) -> tuple[str, ...]:
        """The ``groupsvc`` command of this tree. -P keeps the working directory off the path."""
        return (str(self.python), "-P", "-c", COMMAND)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PYTHONPATH": os.pathsep.join(map(str, (self.tree / "src", self.tree)))}

    def groupsvc(self, *arguments: str, **environment: str) -> str:
        return self._run(*self.command, *arguments, **environment)

    def load(self, url: str, *size: int) -> None:
        """Fill a migrated database, with the ``benchmarks.data`` of this tree."""
        self._run(str(self.python), "-P", str(LOADER), url, *map(str, size))

    def _run(self, *command: str, **environment: str) -> str:
        return subprocess.run(
            command,
            env={**os.environ, **self.environment, **environment},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


OURS = Build(ROOT, Path(sys.executable))


def check_out(commit: str, directory: Path) -> Build:
    """The tree of a commit in *directory*, with an environment of its own if its lock differs."""
    archive = _git("archive", "--format=tar", commit)
    tree = directory / "tree"
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(tree, filter="data")
    if (tree / LOCK).read_bytes() == (ROOT / LOCK).read_bytes():
        return Build(tree, OURS.python)
    return Build(tree, _install(tree / LOCK, directory / "venv"))


def short_name(commit: str) -> str:
    """The abbreviated hash of a commit. Raises LookupError."""
    try:
        return _git("rev-parse", "--verify", "--short", f"{commit}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError as error:
        raise LookupError(f"git knows no commit {commit}") from error


def _install(lock: Path, venv: Path) -> Path:
    python = venv / "bin" / "python"
    subprocess.run((OURS.python, "-m", "venv", venv), check=True)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run((*pip, "--require-hashes", "-r", lock), check=True)
    return python


def _git(*arguments: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise LookupError("git is not installed")
    return subprocess.run((git, *arguments), cwd=ROOT, check=True, capture_output=True).stdout
