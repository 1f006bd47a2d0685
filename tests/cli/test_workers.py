"""Processes that are forked, lost, replaced and stopped, without a server in them."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from uvicorn.config import STARTUP_FAILURE

from tests.live.processes import wait_until

# A worker tells that it has begun, waits until nobody holds it, and is ready until it is told to
# end. What it tells are names of files.
CREW = """
import os, signal, socket, sys
from pathlib import Path
from uvicorn.config import STARTUP_FAILURE
from groupsvc.cli.workers import Parent, Workers

home, count = Path(sys.argv[1]), int(sys.argv[2])
ENDS = {signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1}

def work(parent: Parent) -> int:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    (home / "begun" / str(os.getpid())).touch()
    while (home / "held").exists():
        if signal.sigtimedwait(ENDS, 0.005):
            return 0
    if (home / "broken").exists():
        return STARTUP_FAILURE
    parent.tell_ready()
    (home / "ready" / str(os.getpid())).touch()
    signal.sigwait(ENDS)
    return 0

with socket.socket() as listener:
    sys.exit(Workers(count, listener, work).run())
"""


class Crew:
    def __init__(self, home: Path) -> None:
        self._home = home
        for name in ("begun", "ready"):
            (home / name).mkdir()
        self._log = (home / "log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, count: int) -> "Crew":
        command = (sys.executable, "-c", CREW, str(self._home), str(count))
        self._process = subprocess.Popen(command, stderr=self._log)
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        return (self._home / "log").read_text()

    def hold(self) -> None:
        (self._home / "held").touch()

    def let_go(self) -> None:
        (self._home / "held").unlink()

    def break_next(self) -> None:
        (self._home / "broken").touch()

    def told(self, what: str) -> set[int]:
        return {int(each.name) for each in (self._home / what).iterdir()}

    def alive(self) -> set[int]:
        children = psutil.Process(self.process.pid).children()
        return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}

    def until_ready(self, count: int, *, begun: int) -> set[int]:
        """Those that there are once they are as many as there should be, all of them ready."""

        def settled() -> bool:
            with suppress(psutil.NoSuchProcess):
                alive = self.alive()
                return (
                    len(self.told("begun")) >= begun
                    and len(alive) == count
                    and alive <= self.told("ready")
                )
            return False

        wait_until(settled, 30)
        return self.alive()

    def until_begun(self, count: int) -> set[int]:
        wait_until(lambda: len(self.told("begun")) >= count, 30)
        return self.told("begun")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """The exit code, when they have been told to end."""
        self.send(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        if self._process is not None:
            with suppress(psutil.NoSuchProcess):
                for each in psutil.Process(self._process.pid).children():
                    each.kill()
            self._process.kill()
            self._process.wait()
        self._log.close()


def kill(*pids: int) -> None:
    for pid in pids:
        psutil.Process(pid).kill()


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(tmp_path)
    yield crew
    crew.kill()


def test_a_worker_that_is_lost_is_replaced_and_all_end_when_told(crew: Crew) -> None:
    first = crew.start(2).until_ready(2, begun=2)
    lost = min(first)
    kill(lost)
    now = crew.until_ready(2, begun=3)
    assert first - now == {lost}
    assert "takes its place" in crew.log
    assert (crew.stop(), len(crew.told("begun"))) == (0, 3)


def test_workers_go_when_their_successors_are_ready(crew: Crew) -> None:
    first = crew.start(2).until_ready(2, begun=2)
    crew.hold()
    crew.send(signal.SIGHUP)
    begun = crew.until_begun(3)
    assert first < crew.alive() <= begun
    crew.let_go()
    assert not crew.until_ready(2, begun=4) & first
    assert (crew.stop(), len(crew.told("begun"))) == (0, 4)


def test_told_twice_there_are_as_many_as_before(crew: Crew) -> None:
    crew.start(2).until_ready(2, begun=2)
    crew.hold()
    crew.send(signal.SIGHUP)
    crew.until_begun(3)
    crew.send(signal.SIGHUP)
    crew.let_go()
    crew.until_ready(2, begun=5)
    assert (crew.stop(), len(crew.told("begun"))) == (0, 5)


def test_a_worker_that_dies_while_its_successor_starts_is_succeeded_by_that_one(
    crew: Crew,
) -> None:
    (old,) = crew.start(1).until_ready(1, begun=1)
    crew.hold()
    crew.send(signal.SIGHUP)
    (successor,) = crew.until_begun(2) - {old}
    kill(old)
    wait_until(lambda: not psutil.pid_exists(old), 30)
    crew.let_go()
    assert crew.until_ready(1, begun=2) == {successor}
    assert (crew.stop(), len(crew.told("begun"))) == (0, 2)


@pytest.mark.parametrize("old_first", [True, False])
def test_when_both_die_another_takes_their_place(crew: Crew, old_first: bool) -> None:
    (old,) = crew.start(1).until_ready(1, begun=1)
    crew.hold()
    crew.send(signal.SIGHUP)
    (successor,) = crew.until_begun(2) - {old}
    crew.process.send_signal(signal.SIGSTOP)  # it finds both dead at once
    kill(*((old, successor) if old_first else (successor, old)))
    crew.process.send_signal(signal.SIGCONT)
    crew.let_go()
    assert not crew.until_ready(1, begun=3) & {old, successor}
    assert (crew.stop(), len(crew.told("begun"))) == (0, 3)


def test_a_worker_stays_when_its_successor_does_not_start(crew: Crew) -> None:
    first = crew.start(2).until_ready(2, begun=2)
    crew.break_next()
    crew.send(signal.SIGHUP)
    wait_until(lambda: "the old ones stay" in crew.log, 30)
    assert crew.until_ready(2, begun=3) == first
    assert (crew.stop(), len(crew.told("begun"))) == (0, 3)


def test_what_cannot_start_ends_and_says_so(crew: Crew) -> None:
    crew.break_next()
    assert crew.start(2).process.wait(30) == STARTUP_FAILURE
    assert "a worker could not start" in crew.log
