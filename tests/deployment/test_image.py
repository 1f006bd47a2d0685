"""The Dockerfile. ``make torture`` builds and runs it (``tests/torture/image.py``)."""

import subprocess
import sys
from pathlib import Path

from tests.deployment.sbom import ROOT

HADOLINT = Path(sys.executable).with_name("hadolint")


def complaints(dockerfile: Path) -> str:
    done = subprocess.run((HADOLINT, dockerfile), capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_linter_has_nothing_to_say() -> None:
    assert complaints(ROOT / "Dockerfile") == ""


def test_the_linter_sees_what_is_wrong(tmp_path: Path) -> None:
    """A control: without what the Dockerfile asks to be ignored."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(text.replace("# hadolint ignore=DL3008\n", ""))
    assert "DL3008" in complaints(tmp_path / "Dockerfile")
