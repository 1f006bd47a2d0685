"""The smaller commands, as an operator runs them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from groupsvc.db import migrate
from tests.cli.conftest import Run

FINDINGS = [
    *("settings", "server", "database", "encoding", "primary", "durability", "connections"),
    *("migrations", "clock"),
]


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUPSVC_HOME", str(tmp_path / "home"))


async def test_accounts_are_created_granted_listed_and_disabled(groupsvc: Run) -> None:
    code, text = await groupsvc("account", "create", "sis", "--grant", "groups:read")
    assert code == 0
    assert re.fullmatch(r"account sis is ready\nsecret: [\w-]{43}   \(shown this once\)\n", text), (
        text
    )
    again = await groupsvc("account", "create", "sis", "--grant", "groups:write")
    assert again == (0, "account sis is ready\n")
    given = ("--grant", "roster:write", "--grant", "admin")
    assert await groupsvc("account", "grant", "sis", *given) == (
        0,
        "account sis may now: roster:write, admin\n",
    )
    assert await groupsvc("account", "disable", "sis") == (0, "account sis is disabled\n")
    code, text = await groupsvc("account", "list")
    account = json.loads(text)
    assert (code, account["name"], account["is_active"]) == (0, "sis", False)
    assert sorted(account["grants"]) == ["admin", "roster:write"]
    assert await groupsvc("account", "grant", "sis") == (0, "account sis may now: nothing\n")
    assert await groupsvc("account", "disable", "none") == (2, "no such account")


async def test_a_token_carries_the_grants_that_are_named_or_all(groupsvc: Run) -> None:
    code, token = await groupsvc("token", "ada", "--grant", "groups:read@course:C", "--lifetime", 9)
    claims = jwt.decode(token.strip(), options={"verify_signature": False})
    assert (code, claims["sub"], claims["exp"] - claims["iat"]) == (0, "ada", 9)
    assert claims["groupsvc_grants"] == ["groups:read@course:C"]
    _, token = await groupsvc("token")
    claims = jwt.decode(token.strip(), options={"verify_signature": False})
    assert claims["sub"] == "developer"
    assert sorted(claims["groupsvc_grants"]) == [
        "admin",
        "groups:read",
        "groups:write",
        "roster:write",
    ]


async def test_the_demo_is_loaded_once(groupsvc: Run) -> None:
    assert await groupsvc("demo") == (0, "loaded\n")
    assert await groupsvc("demo") == (0, "there are courses already: nothing was loaded\n")


async def test_the_doctor_tells_a_database_that_is_not_migrated(groupsvc: Run) -> None:
    before = {**await examine(groupsvc), "migrations": "wrong"}
    assert await examine(groupsvc) == before
    head = migrate.head()
    assert await groupsvc("migrate") == (0, f"migrated from nothing to revision {head}\n")
    assert await examine(groupsvc) == {**before, "migrations": "ok"}
    already = f"the database is at revision {head} already\n"
    assert await groupsvc("migrate") == (0, already)


async def examine(groupsvc: Run) -> dict[str, str]:
    """The mark of each finding. A test server may keep less than a real one must."""
    code, text = await groupsvc("doctor")
    marks = {what: mark for mark, what in re.findall(r"^ *(ok|wrong) +(\w+)", text, re.MULTILINE)}
    assert code == (1 if "wrong" in marks.values() else 0)
    assert list(marks) == FINDINGS, text
    wrong = {what for what, mark in marks.items() if mark == "wrong"}
    assert wrong <= {"durability", "connections", "migrations"}, text
    return marks


def test_a_key_file_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    file = tmp_path / "home" / "development-key.pem"
    file.write_text("none")
    file.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-c", "from groupsvc.cli import main; main()", "token"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "300"},
    )
    assert (done.returncode, done.stderr) == (
        2,
        f"groupsvc: {file} is not an Ed25519 private key: remove it for a new one\n",
    )


def test_a_setting_that_is_wrong_is_named_as_it_was_set() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from groupsvc.cli import main; main()", "token"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "COLUMNS": "300",
            "GROUPSVC_POOL_SIZE": "0",
            "GROUPSVC_ENV": "a secret that went astray",
        },
    )
    assert (done.returncode, done.stderr) == (
        2,
        "groupsvc: GROUPSVC_ENV: Input should be 'development' or 'production'; "
        "GROUPSVC_POOL_SIZE: Input should be greater than or equal to 1\n",
    )
