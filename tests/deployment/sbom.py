"""What images have installed, as CycloneDX, and its licences as a page.

``make sbom`` runs ``python -m tests.deployment.sbom``: it installs each lock into an environment of
its own and asks ``cyclonedx-py``.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import groupsvc

ROOT = Path(__file__).parents[2]
VARIANTS = {"": "requirements.txt", "-otel": "requirements-otel.txt"}
# Packages whose licence is not found in their metadata; it comes as a file.
BY_FILE = {"protobuf": "BSD-3-Clause"}
LICENCES = ROOT / "docs/licences.md"
HEAD = """# Licences

What `make sbom` found that an image adds to its base. *traces*: only where it was built with
`VARIANT=-otel`. What is built into the group editor has its notices in
`src/groupsvc/ui/licences.txt`.

| package | version | licence | |
| --- | --- | --- | --- |
"""


def path_of(variant: str) -> Path:
    return ROOT / f"deploy/sbom{variant}.cdx.json"


def stored(variant: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path_of(variant).read_text(encoding="utf-8"))
    return document


def licence(component: dict[str, Any]) -> str:
    """The SPDX expression, or whatever a package says instead."""
    texts = []
    for each in component.get("licenses", ()):
        told = each.get("license", each)
        texts.append(told.get("expression") or told.get("id") or told.get("name"))
    spdx = [text for text in texts if "::" not in text]
    return " AND ".join(spdx or [text.rpartition(" :: ")[2] for text in texts])


def page() -> str:
    plain = {each["name"] for each in stored("")["components"]}
    rows = [
        f"| {each['name']} | {each['version']} | {licence(each)} |"
        f" {'' if each['name'] in plain else 'traces '}|"
        for each in stored("-otel")["components"]
    ]
    return HEAD + "\n".join(sorted(rows, key=str.lower)) + "\n"


def described(python: Path) -> dict[str, Any]:
    """What is installed beside an interpreter; without addresses, which are not ours to state."""
    with tempfile.TemporaryDirectory() as folder:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        about = Path(folder) / "pyproject.toml"
        about.write_text(
            f'[project]\nname = "groupsvc"\nversion = "{groupsvc.__version__}"\n'
            f'license = "{project["license"]}"\ndescription = "{project["description"]}"\n'
        )
        program = Path(sys.executable).with_name("cyclonedx-py")
        options = ("--pyproject", about, "--output-reproducible", "--short-PURLs")
        made = subprocess.run(
            (program, "environment", *options, python), check=True, capture_output=True
        )
    document: dict[str, Any] = json.loads(made.stdout)
    del document["metadata"]["tools"]
    for component in (document["metadata"]["component"], *document["components"]):
        component.pop("externalReferences", None)
        if "licenses" not in component and component["name"] in BY_FILE:
            told = {"id": BY_FILE[component["name"]], "acknowledgement": "concluded"}
            component["licenses"] = [{"license": told}]
    return document


def install(lock: str, environment: Path) -> Path:
    python = environment / "bin/python"
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", environment), check=True)
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")
    subprocess.run((*pip, "--require-hashes", "-r", ROOT / lock), check=True)
    return python


def main() -> None:
    for variant, lock in VARIANTS.items():
        with tempfile.TemporaryDirectory() as folder:
            document = described(install(lock, Path(folder)))
        text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
        path_of(variant).write_text(text + "\n", encoding="utf-8")
    LICENCES.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
