"""What is served is what the source makes, byte for byte."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

import groupsvc

ROOT = Path(__file__).parents[2]
SOURCE, SERVED = ROOT / "ui", Path(groupsvc.__file__).parent / "ui"

pytestmark = pytest.mark.skipif(
    not (shutil.which("npm") and (SOURCE / "node_modules").is_dir()),
    reason="node is not installed, or not what the editor is built with",
)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_files_in_the_package_are_built_from_the_source(tmp_path: Path) -> None:
    """Checked by the compiler on the way, with the types of the document in the repository."""
    built = subprocess.run(
        ["npm", "run", "--silent", "build"],
        cwd=SOURCE,
        env={**os.environ, "GROUPSVC_UI_OUT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    made, served = contents(tmp_path), contents(SERVED)
    assert sorted(made) == sorted(served), "run: make ui"
    assert [name for name in made if made[name] != served[name]] == [], "run: make ui"
