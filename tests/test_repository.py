"""What holds for the whole repository. ``python -m tests.test_repository`` prints the settings."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic.fields import FieldInfo
from sqlalchemy import make_url
from starlette.routing import BaseRoute, Mount

from groupsvc.app import create_app
from groupsvc.cli.openapi import describe
from groupsvc.http.routing import Public, Requires
from groupsvc.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
DOCUMENTS = describe()

# What anybody may call: to log in, to ask for health, and to read what the service is.
PUBLIC = {
    "POST /v1/token",
    "POST /v1/token/revoke",
    "POST /ScoDoc/api/tokens",
    "POST /oauth2/access_token",
    "POST /oauth2/access_token/",
    "GET /health/live",
    "GET /health/ready",
    "GET /",
    "GET /docs",
    "GET /docs/",
    "GET /docs/assets/{file}",
    "GET /docs/openedx",
    "GET /docs/openedx/",
    "GET /docs/openedx/assets/{file}",
    "GET /docs/scodoc",
    "GET /docs/scodoc/",
    "GET /docs/scodoc/assets/{file}",
    "GET /openapi.json",
    "GET /ui",
    "GET /ui/",
    "GET /ui/assets/{file}",
    "GET /ui/settings.json",
    "GET /ScoDoc/openapi.json",
    "GET /api/cohorts/openapi.json",
}

# What any caller may call who is known: about themselves, or what the service decides case by case.
KNOWN = {
    "GET /v1/me",
    "GET /v1/me/groups",
    "GET /v1/users",
    "GET /v1/users/by-name/{username:path}",
    "GET /v1/users/{user_id:int}",
    "POST /v1/retirements",
    "DELETE /ScoDoc/api/tokens",
}

# Open edX looks at the course before it asks what the caller may do there: so do its services.
ASKED_LATER = re.compile(r"[A-Z]+ (/api/cohorts/v[12]|/courses/)")


def application() -> FastAPI:
    return create_app(Settings(), make_url("postgresql+asyncpg://"), Path())


def walk(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, BaseRoute]]:
    """Every route by method and path, those of mounted applications included."""
    for route in routes:
        path = prefix + getattr(route, "path", "")
        if isinstance(route, Mount) and route.routes:
            yield from walk(route.routes, path)
        elif isinstance(route, Mount):
            yield path, route
        else:
            for method in sorted(set(getattr(route, "methods", None) or ()) - {"HEAD"}):
                yield f"{method} {path}", route


def access_of(dependant: Dependant) -> list[Requires | Public]:
    """What a route declares about its callers, wherever among its dependencies."""
    own = [dependant.call] if isinstance(dependant.call, (Requires, Public)) else []
    return own + [found for inner in dependant.dependencies for found in access_of(inner)]


def test_every_route_declares_a_permission() -> None:
    public, known = set(), set()
    for name, route in walk(application().routes):
        declared = access_of(route.dependant) if isinstance(route, APIRoute) else []
        assert len(declared) <= 1, f"{name} declares more than one permission"
        if not declared or isinstance(declared[0], Public):
            public.add(name)
        elif declared[0].permission is None:
            known.add(name)
    assert public == PUBLIC
    assert {name for name in known if not ASKED_LATER.match(name)} == KNOWN


def test_routes_of_mounted_applications_are_walked_too() -> None:
    names = {name for name, _ in walk(application().routes)}
    assert "GET /v1/partitions/{partition_id:int}" in names
    assert "GET /ScoDoc/api/partition/{partition_id:int}" in names


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_in_the_repository_is_up_to_date(name: str) -> None:
    path = ROOT / "docs" / "openapi" / f"{name}.json"
    assert path.is_file(), "run: make openapi"
    assert json.loads(path.read_text()) == DOCUMENTS[name], "run: make openapi"


def test_there_is_no_document_of_what_is_gone() -> None:
    found = {path.stem for path in (ROOT / "docs" / "openapi").glob("*.json")}
    assert found == set(DOCUMENTS), "run: make openapi"


def operations(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.parametrize("name", DOCUMENTS)
def test_operation_ids_are_good_method_names(name: str) -> None:
    ids = [operation["operationId"] for _, operation in operations(DOCUMENTS[name])]
    assert [each for each in ids if ids.count(each) > 1] == []
    assert [each for each in ids if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", each)] == []
    made_up = [each for each in ids if re.search(r"_(get|put|post|patch|delete)$", each)]
    assert made_up == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operation_is_explained_with_its_errors(name: str) -> None:
    for place, operation in operations(DOCUMENTS[name]):
        for text in (operation.get("summary"), operation.get("description")):
            assert text, place
            assert text.strip() == text, place
        responses = operation["responses"]
        assert any(status.startswith("2") for status in responses), place
        refusals = [status for status in responses if status[0] in "45d"]
        assert refusals or place == "GET /health/live", place
        for status, response in responses.items():
            assert response["description"] not in ("", "Successful Response") or status[0] == "2"


def test_a_merge_needs_no_member_and_has_no_defaults() -> None:
    """A generated client would send a default, and so overwrite what it was not asked to."""
    document = DOCUMENTS["v1"]
    merges = 0
    for path, operation in operations(document):
        if "requestBody" not in operation or not operation["operationId"].startswith("edit_"):
            continue
        for media in operation["requestBody"]["content"].values():
            name = media["schema"]["$ref"].rpartition("/")[2]
            schema = document["components"]["schemas"][name]
            assert "required" not in schema, path
            assert not [each for each in schema["properties"].values() if "default" in each], path
            merges += 1
    assert merges == 4


def test_nothing_is_documented_by_the_framework_alone() -> None:
    """Its own schema of a validation error is not what any face answers."""
    for name, document in DOCUMENTS.items():
        assert "HTTPValidationError" not in json.dumps(document), name


def row(name: str, field: FieldInfo) -> str:
    default = field.default
    if isinstance(default, tuple):
        default = ",".join(default)
    if isinstance(default, bool):
        default = str(default).lower()
    shown = "-" if default in (None, "") else f"`{default}`"
    return f"| `GROUPSVC_{name.upper()}` | {shown} | {field.description} |"


def settings_table() -> list[str]:
    """The rows of the table in the README."""
    return [row(name, field) for name, field in Settings.model_fields.items()]


def test_every_setting_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text().splitlines()
    rows = [line for line in readme if line.startswith("| `GROUPSVC_")]
    assert rows == settings_table(), "run: python -m tests.test_repository"


def test_layers_and_faces_keep_to_themselves() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_a_module_is_called_after_what_is_in_it() -> None:
    meaningless = {"utils", "util", "helpers", "common", "base", "manager", "managers", "misc"}
    names = {part for path in SOURCES for part in (*path.parent.parts, path.stem)}
    assert names & meaningless == set()


@pytest.mark.parametrize(
    "name",
    [
        "requirements.txt",
        "requirements-otel.txt",
        "requirements-build.txt",
        "requirements-dev.txt",
        "tests/clients/requirements.txt",
    ],
)
def test_a_lock_names_packages_and_no_places(name: str) -> None:
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    packages = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert lock.count("--hash=sha256:") >= len(packages)


@pytest.mark.parametrize("folder", ["tests/clients", "ui"])
def test_a_lock_of_npm_has_no_places_either(folder: str) -> None:
    text = (ROOT / folder / "package-lock.json").read_text()
    assert "://" not in text
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())


if __name__ == "__main__":
    sys.stdout.write("\n".join(settings_table()) + "\n")
