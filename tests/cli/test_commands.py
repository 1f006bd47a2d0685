"""The smaller commands, as an operator runs them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import jwt
import pytest

from groupsvc.cli import UNUSABLE, main, server
from groupsvc.db import migrate
from tests.cli.conftest import Run, command
from tests.conftest import MakeDatabase
from tests.test_schema import dsn

FINDINGS = [
    *("settings", "server", "database", "encoding", "primary", "durability", "connections"),
    *("privileges", "migrations", "clock"),
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


@pytest.mark.parametrize(("commits", "mark"), [("off", "wrong"), ("on", "ok")])
async def test_the_doctor_tells_whether_commits_are_durable(
    make_database: MakeDatabase, commits: str, mark: str
) -> None:
    url = await make_database()
    server = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(False))
    await server.execute(f'ALTER DATABASE "{url.database}" SET synchronous_commit = {commits}')
    await server.close()
    assert (await examine(command(url)))["durability"] == mark


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


def serve_with(patch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """In this process, and no further than to its database."""
    patch.setattr(sys, "argv", ["groupsvc", "serve"])
    patch.setattr(server, "open_database", lambda _: pytest.fail("it serves"))
    for name, value in {"COLUMNS": "300", **variables}.items():
        patch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == UNUSABLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"GROUPSVC_ROOT_PATH": "/v1"},
        {"GROUPSVC_JWKS": "a secret that went astray", "GROUPSVC_JWT_ISSUER": "lms"},
        {"GROUPSVC_JWKS_URL": "lms.example", "GROUPSVC_JWT_ISSUER": "lms"},
        {"GROUPSVC_JWKS_FILE": "/nowhere/keys.json", "GROUPSVC_JWT_ISSUER": "lms"},
        {"GROUPSVC_METRICS_ADDRESS": "a secret that went astray"},
    ],
)
def test_a_wrong_setting_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: dict[str, str]
) -> None:
    serve_with(monkeypatch, wrong)
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert next(iter(wrong)) in told.err
    assert "secret" not in told.err


@pytest.mark.parametrize(
    "wrong",
    [
        {"GROUPSVC_DATABASE_URL": "a secret that went astray"},
        {"GROUPSVC_DATABASE_URL": "postgresql://me:secret@host:port/groupsvc"},
        {"GROUPSVC_DATABASE_URL": "sqlite:///secret"},
        {"GROUPSVC_READ_HOSTS": "db2:99999"},
    ],
)
def test_nothing_is_served_with_a_wrong_setting(wrong: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from groupsvc.cli import main; main()", "serve"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "300", **wrong},
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert next(iter(wrong)) in done.stderr
    assert "secret" not in done.stderr


async def test_a_database_of_another_version_is_left_alone(make_database: MakeDatabase) -> None:
    url = await make_database()
    run = command(url)
    assert (await run("account", "list"))[0] == 0  # an empty one is migrated
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    await connection.execute("UPDATE alembic_version SET version_num = '0001'")
    await connection.close()
    code, text = await run("account", "list")
    needed = migrate.head()
    assert code == UNUSABLE
    assert text == f"the database is at 0001, needs {needed}: run `groupsvc migrate`"


async def test_a_database_of_a_newer_program_is_not_for_this_one(
    make_database: MakeDatabase,
) -> None:
    url = await make_database()
    run = command(url)
    assert (await run("migrate"))[0] == 0
    connection = await asyncpg.connect(dsn(url))
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    refused = (
        f"the database is at 9999, needs {migrate.head()}: "
        "this program is older: use the one that has migrated it, or a newer one"
    )
    for arguments in (("account", "list"), ("migrate",)):
        assert await run(*arguments) == (UNUSABLE, refused)
    code, text = await run("doctor")
    assert (code, "this program is older" in " ".join(text.split())) == (1, True)


async def test_what_the_database_refuses_is_told_in_words(make_database: MakeDatabase) -> None:
    url = await make_database()
    run = command(url.set(database="none_such"))
    told = "there is no such database: create it, and run `groupsvc migrate`"
    assert await run("migrate") == (UNUSABLE, f"the database cannot be used: {told}")
    code, text = await run("doctor")
    assert (code, "there is no such database" in " ".join(text.split())) == (1, True)
