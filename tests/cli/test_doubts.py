"""What is said at the start about settings that are allowed and hardly meant."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from groupsvc.settings import Settings
from tests.live.browser import free_port

ADDRESSES = "GROUPSVC_CLIENT_ADDRESS_HEADER"
SERVE = (sys.executable, "-P", "-c", "from groupsvc.cli import main; main()", "serve", "--port")


def said_at_start(home: Path, *arguments: str, **variables: str) -> list[str]:
    """The warnings of a server until it has started."""
    env = {
        **os.environ,
        "GROUPSVC_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "GROUPSVC_HOME": str(home),
        **variables,
    }
    lines: list[dict[str, Any]] = []
    command = (*SERVE, str(free_port()), *arguments)
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("{"):
                lines.append(json.loads(line))
            if "Started server process" in line:
                break
        process.kill()
    return [each["message"] for each in lines if each["level"] == "WARNING"]


def test_a_gateway_that_tells_no_addresses_is_pointed_at(tmp_path: Path) -> None:
    (warning,) = said_at_start(tmp_path, "--root-path", "/groups")
    assert ADDRESSES in warning


def test_one_that_tells_them_is_not(tmp_path: Path) -> None:
    told = {"GROUPSVC_ROOT_PATH": "/groups", ADDRESSES: "X-Forwarded-For"}
    assert said_at_start(tmp_path, **told) == []


def test_a_setting_may_be_a_file_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "groupsvc_database_url").write_text("postgresql://db/groupsvc\n")
    settings = Settings(_secrets_dir=tmp_path)
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://db/groupsvc"


def test_an_empty_variable_counts_before_a_file_that_names_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a command can be run on one of several institutions where secrets are files."""
    (tmp_path / "groupsvc_control_url").write_text("postgresql://db/list")
    assert Settings(_secrets_dir=tmp_path).control_url is not None
    monkeypatch.setenv("GROUPSVC_CONTROL_URL", "")
    assert Settings(_secrets_dir=tmp_path).control_url is None
