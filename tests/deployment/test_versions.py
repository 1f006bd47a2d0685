"""One version, wherever it is told. ``tests/deployment/test_confined.py`` has that of health."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import groupsvc
from tests.deployment.sbom import ROOT, VARIANTS, stored

VERSION = groupsvc.__version__
MAIN = "from groupsvc.cli import main; main()"
# What each file says, and how often.
TOLD = {
    "Dockerfile": (r"^ARG VERSION=(.+)$", 2),
    "docs/operations.md": (r"\bgroupsvc:(\d+\.[\d.]*\d)", 3),
    "compose.yaml": (r"image: groupsvc:(.+)$", 1),
    "deploy/kubernetes/migrate.yaml": (
        r"(?:image: groupsvc:|app.kubernetes.io/version: |name: groupsvc-migrate-)(\d.*)$",
        3,
    ),
    "deploy/kubernetes/replicas.yaml": (
        r"(?:image: groupsvc:|app.kubernetes.io/version: )(.+)$",
        2,
    ),
}


@pytest.mark.parametrize("file", TOLD)
def test_a_file_tells_the_version(file: str) -> None:
    pattern, times = TOLD[file]
    found = re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert [each.replace("-", ".") for each in found] == [VERSION] * times


def test_the_label_of_the_image_is_the_version() -> None:
    label = 'LABEL org.opencontainers.image.title="groupsvc" \\\n'
    version = '    org.opencontainers.image.version="${VERSION}" \\\n'
    assert label + version in (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", sorted((ROOT / "docs/openapi").glob("*.json")))
def test_a_document_tells_the_version(document: Path) -> None:
    assert json.loads(document.read_text(encoding="utf-8"))["info"]["version"] == VERSION


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_bill_of_materials_tells_the_version(variant: str) -> None:
    component = stored(variant)["metadata"]["component"]
    assert (component["name"], component["version"]) == ("groupsvc", VERSION)


def test_the_command_tells_the_version() -> None:
    told = subprocess.run(
        (sys.executable, "-P", "-c", MAIN, "--version"), capture_output=True, text=True, check=True
    )
    assert told.stdout == f"{VERSION}\n"
