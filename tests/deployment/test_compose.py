"""The compose file: accepted by the program, hardened, and with secrets as files."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deployment.sbom import ROOT

FOLDER = ROOT / "deploy/compose"


def program() -> tuple[str, ...] | None:
    """The plugin of docker, or the program that was before it. Neither needs an engine for this."""
    for each in (("docker", "compose"), ("docker-compose",)):
        if (
            shutil.which(each[0])
            and not subprocess.run((*each, "version"), capture_output=True).returncode
        ):
            return each
    return None


COMPOSE = program()
needs_compose = pytest.mark.skipif(COMPOSE is None, reason="docker compose is not installed")


def config(folder: Path) -> subprocess.CompletedProcess[str]:
    assert COMPOSE
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = (*COMPOSE, "-f", "compose.yaml", "config")
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    shutil.copytree(FOLDER, tmp_path / "deploy/compose")
    return tmp_path


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["services"]
    return found


@needs_compose
def test_compose_takes_the_file(copy: Path) -> None:
    done = config(copy)
    assert done.returncode == 0, done.stderr
    names = set(yaml.safe_load(done.stdout)["services"])
    assert names == {"postgres", "migrate", "groupsvc-1", "groupsvc-2", "gateway"}


@needs_compose
def test_compose_refuses_a_misspelt_one(copy: Path) -> None:
    """A control: what compose takes, it has looked at."""
    file = copy / "compose.yaml"
    file.write_text(file.read_text().replace("read_only: true", "readonly: true"))
    assert config(copy).returncode != 0


def test_every_container_is_confined(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("cap_add", []) == ["NET_BIND_SERVICE"] * (name == "gateway"), name
        assert "privileged" not in service, name
    for name in ("migrate", "groupsvc-1", "groupsvc-2"):
        assert services[name]["user"] == "10001:10001"


def test_each_waits_for_what_it_needs(services: dict[str, Any]) -> None:
    waits = {
        (name, needed, each["condition"])
        for name, service in services.items()
        for needed, each in service.get("depends_on", {}).items()
    }
    assert waits == {
        ("migrate", "postgres", "service_healthy"),
        ("groupsvc-1", "migrate", "service_completed_successfully"),
        ("groupsvc-2", "migrate", "service_completed_successfully"),
        ("gateway", "groupsvc-1", "service_healthy"),
        ("gateway", "groupsvc-2", "service_healthy"),
    }
    # Those of the service have the check of the image.
    assert {name for name, each in services.items() if "test" in each.get("healthcheck", {})} == {
        "postgres",
        "gateway",
    }


def test_the_service_that_answers_is_not_the_owner(services: dict[str, Any]) -> None:
    secrets = {
        name: [each if isinstance(each, str) else each["source"] for each in service["secrets"]]
        for name, service in services.items()
        if "secrets" in service
    }
    assert secrets == {
        "postgres": ["postgres_password", "owner_url", "service_url"],
        "migrate": ["owner_url"],
        "groupsvc-1": ["service_url"],
        "groupsvc-2": ["service_url"],
    }
    told = [each for service in services.values() for each in service.get("environment", {})]
    assert [each for each in told if "URL" in each or "PASSWORD" in each] == [
        "POSTGRES_PASSWORD_FILE",
        *["GROUPSVC_JWKS_URL"] * 2,
    ]


def test_secrets_are_made_once_and_differ(copy: Path) -> None:
    script = copy / "deploy/compose/secrets.sh"
    shutil.rmtree(copy / "deploy/compose/secrets", ignore_errors=True)
    subprocess.run(("sh", script), check=True, capture_output=True)
    made = copy / "deploy/compose/secrets"
    texts = {each.name: each.read_text() for each in made.iterdir()}
    url = r"postgresql://{}:([0-9a-f]{{48}})@postgres/groupsvc"
    found = [
        re.fullmatch(pattern, texts[name])
        for name, pattern in (
            ("postgres_password", "([0-9a-f]{48})"),
            ("owner_url", url.format("groupsvc_owner")),
            ("service_url", url.format("groupsvc")),
        )
    ]
    assert len({each[1] for each in found if each}) == 3
    assert (made.stat().st_mode & 0o777, len(texts)) == (0o700, 3)
    assert subprocess.run(("sh", script), check=False, capture_output=True).returncode == 1
    assert {each.name: each.read_text() for each in made.iterdir()} == texts
