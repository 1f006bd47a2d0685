"""PostgreSQL servers of a drill: they can be killed, frozen, followed by a standby and promoted."""

import shutil
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from groupsvc.local.programs import Programs, account_for
from tests.live.processes import running, wait_until

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
SETTINGS = "-c fsync=on -c max_connections=100 -c unix_socket_directories='' -c wal_level=replica"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class OtherPrograms(Programs):
    """PostgreSQL as it is installed elsewhere."""

    def __init__(self, home: Path, account: tuple[int, int] | None, folder: Path) -> None:
        super().__init__(home, account)
        self._folder = folder

    def _directory(self) -> Path:
        return self._folder


class Cluster:
    """One server with its data in a folder of its own, on a port of the loopback."""

    def __init__(self, home: Path, name: str, programs: Path | None = None) -> None:
        self.name, self.port = name, free_port()
        self.data = home / name
        account = account_for(self.data)
        self._programs = (
            OtherPrograms(home, account, programs) if programs else Programs(home, account)
        )

    @property
    def folder(self) -> Path:
        """Of its programs."""
        return self._programs._directory()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return url_of(self)

    def create(self, *more: str) -> "Cluster":
        self.own(self.data)
        self._do("initdb", "-U", "postgres", "-E", "UTF8", "--locale=C", "-A", "trust", "-N", *more)
        return self

    def follow(self, primary: "Cluster") -> "Cluster":
        """Become the standby of another server."""
        return self.copy(primary, "-R")

    def copy(self, primary: "Cluster", *more: str) -> "Cluster":
        self.own(self.data)
        source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={self.name}"
        self._do("pg_basebackup", "-d", source, "-X", "stream", "-c", "fast", "-N", *more)
        return self

    def own(self, folder: Path) -> Path:
        """Give a folder to the user of the server."""
        self._programs.own(folder)
        return folder

    def run(self, program: str, *arguments: str) -> None:
        code = self._programs.run(program, *arguments)
        assert code == 0, self._programs.failure(program)

    def start(self, more: str = "") -> "Cluster":
        options = f"{SETTINGS} -c port={self.port} {more}"
        self._do("pg_ctl", "start", "-s", "-w", "-t", "120", "-o", options, "-l", self._log)
        return self

    def promote(self) -> None:
        self._do("pg_ctl", "promote", "-s", "-w")

    def stop(self) -> None:
        self._do("pg_ctl", "stop", "-s", "-w", "-m", "fast")

    def kill(self) -> None:
        """All its processes at once, as when the machine goes down."""
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        wait_until(lambda: not self._processes())
        # Its process may be a zombie that nobody reaps, which PostgreSQL takes for a living one.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        for process in self._processes():
            process.resume()

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    async def ask(self, sql: str, database: str = "postgres") -> list[Any]:
        connection = await asyncpg.connect(url_of(self, database=database), timeout=30)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    @property
    def _log(self) -> str:
        return str(self.data / "server.log")

    def _processes(self) -> list[psutil.Process]:
        return running(self.data)

    def _do(self, program: str, *arguments: str) -> None:
        self.run(program, "-D", str(self.data), *arguments)


def url_of(*clusters: Cluster, database: str = "postgres") -> str:
    """As libpq has it: several hosts before the path."""
    hosts = ",".join(cluster.address for cluster in clusters)
    return f"postgresql://postgres@{hosts}/{database}"
