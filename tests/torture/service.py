"""``groupsvc serve`` as it runs elsewhere: processes, seen over HTTP alone."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil

from groupsvc.auth.development import open_development_key
from groupsvc.domain.principal import EVERYTHING
from groupsvc.settings import Settings
from tests.live.processes import wait_until
from tests.torture.cluster import free_port

MAIN = "from groupsvc.cli import main; main()"


class Service:
    """``before`` is Python that runs first: what a control breaks.

    ``source`` is where another version of the program is.
    """

    def __init__(
        self,
        home: Path,
        url: str | None,
        *,
        workers: int = 2,
        before: str = "",
        source: Path | None = None,
        **env: Any,
    ):
        self.port, self._home, self._before = free_port(), home, before
        self._workers = workers
        self.log = home / f"service-{self.port}.log"
        given = {f"GROUPSVC_{name.upper()}": str(value) for name, value in env.items()}
        self._env = {
            **os.environ,
            **({} if url is None else {"GROUPSVC_DATABASE_URL": url}),
            "GROUPSVC_HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(source)] * bool(source) + sys.path),
            **given,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def start(self, *, wrapper: tuple[str, ...] = ()) -> "Service":
        program = f"{self._before}\n{MAIN}"
        serve = ("serve", "--port", str(self.port), "--workers", str(self._workers))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (*wrapper, sys.executable, "-c", program, *serve),
                env=self._env,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        return self

    def migrate(self) -> None:
        done = self.run("migrate")
        assert done.returncode == 0, done.stderr

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command on the same database."""
        command = (sys.executable, "-c", MAIN, *arguments)
        return subprocess.run(command, env=self._env, capture_output=True, check=False, text=True)

    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.address}/health/ready", timeout=10).status_code == 200
        except httpx.TransportError:
            return False

    async def ready(self) -> "Service":
        await asyncio.to_thread(wait_until, self.is_ready)
        return self

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, 120)

    def kill(self) -> None:
        if self._process is not None:
            for process in (*self.workers(), psutil.Process(self._process.pid)):
                process.kill()
            self._process.wait()

    def client(self, **more: Any) -> httpx.AsyncClient:
        key = open_development_key(Settings(home=self._home), self._home)
        headers = {"authorization": f"Bearer {key.issue('drill', EVERYTHING, lifetime=86_000)}"}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=30, **more)
