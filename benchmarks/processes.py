"""Processes that we started: starting, stopping, and what they cost. Reads Linux's /proc."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil

PATIENCE = 60.0
TICK = 1.0 / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """What a tree has used: threads to the nanosecond, and children that have ended."""
    total = 0.0
    for process in tree(pid):
        home = Path("/proc") / str(process)
        try:
            for task in (home / "task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e9
            fields = (home / "stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) * TICK
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def memory(pid: int, *, peak: bool = False) -> int:
    """Resident bytes of a tree now, or the most each process ever had since ``forget_peak``."""
    field = "VmHWM:" if peak else "VmRSS:"
    total = 0
    for process in tree(pid):
        for line in (Path("/proc") / str(process) / "status").read_text().splitlines():
            if line.startswith(field):
                total += int(line.split()[1]) * 1024
    return total


def forget_peak(pid: int) -> None:
    for process in tree(pid):
        (Path("/proc") / str(process) / "clear_refs").write_text("5")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program(name: str) -> str:
    """A program of the virtual environment that we run in."""
    return str(Path(sys.executable).with_name(name))


class Server:
    """A command that listens on a port of the loopback interface."""

    def __init__(
        self, command: Sequence[str], port: int, environment: Mapping[str, str], log: Path
    ) -> None:
        self.port = port
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def wait(self) -> None:
        """Until it answers, whatever it is. Raises RuntimeError with the end of its log."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/", timeout=PATIENCE)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"no server came up:\n{self.log()}")

    def log(self) -> str:
        """The end of what it has written."""
        return self._log.read_text()[-3000:]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def wait_for_end(pid: int) -> None:
    try:
        psutil.Process(pid).wait(PATIENCE)
    except psutil.NoSuchProcess:
        return
