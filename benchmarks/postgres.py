"""A PostgreSQL of our own: a temporary directory, a Unix socket, and nobody else in it."""

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from asyncpg.connection import Connection, connect

from benchmarks.processes import wait_for_end
from groupsvc.local.embedded import CLUSTER
from groupsvc.local.programs import Programs, account_for

# Autovacuum would start in the middle of somebody's round: rounds that write end with a VACUUM.
SERVER = (
    "-c listen_addresses= -c port=5432 -c fsync=on -c synchronous_commit=on -c jit=off "
    "-c shared_buffers=512MB -c max_wal_size=4GB -c max_connections=100 -c autovacuum=off"
)
GONE = 0.05  # seconds until what has ended counts among the children that have


class Postgres:
    """As a context manager it runs; ``pid`` is the postmaster, whose tree is all of it."""

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="groupsvc-bench-"))
        self.socket = self.home / "socket"
        self.pid = 0
        self._data = self.home / "data"
        self._programs = Programs(self.home, account_for(self._data))

    def __enter__(self) -> Self:
        self._programs.prepare_home()
        for directory in (self._data, self.socket):
            self._programs.own(directory)
        self._must("initdb", *CLUSTER, "-U", "postgres", "-D", str(self._data))
        options = f"{SERVER} -c unix_socket_directories={self.socket}"
        log = ("-l", str(self._programs.log))
        self._must("pg_ctl", "start", "-s", "-w", "-D", str(self._data), *log, "-o", options)
        self.pid = int((self._data / "postmaster.pid").read_text().split()[0])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGINT)  # a "fast" shutdown
            wait_for_end(self.pid)
        shutil.rmtree(self.home, ignore_errors=True)

    def url(self, database: str, socket: Path | None = None) -> str:
        """Where a database is; with another socket, that of a relay in between."""
        host = quote(str(socket or self.socket), safe="")
        return f"postgresql://postgres@/{database}?host={host}&port=5432"

    async def connect(self, database: str) -> Connection:
        return await connect(self.url(database), command_timeout=900)

    async def execute(self, database: str, *statements: str) -> None:
        connection = await self.connect(database)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
            await asyncio.sleep(GONE)

    def _must(self, *command: str) -> None:
        if self._programs.run(*command):
            raise self._programs.failure(f"{command[0]} failed")
