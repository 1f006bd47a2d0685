"""Several processes that answer on one socket: forked from a process that has imported everything.

So a worker is there at once, however busy the machine is. The parent waits for signals and does
nothing else: SIGTERM ends all after they have drained, Ctrl-C sooner, SIGHUP replaces one after the
other, each when its successor answers.
"""

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, NoReturn

from uvicorn.config import STARTUP_FAILURE

Work = Callable[["Parent"], int]  # returns an exit code

SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGCHLD,
    signal.SIGUSR1,
)
STOPS: Final = (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL)
SECONDS_BETWEEN_FAILURES: Final = 1.0
_log = logging.getLogger(__name__)


class Parent:
    """What a worker sees of the process that has forked it.

    It is told to end by SIGTERM, after draining, to end at once by SIGUSR1, and by SIGHUP to leave
    the socket to others.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line, self._pid = line, os.getppid()

    def fileno(self) -> int:
        """Readable when the parent is gone."""
        return self._line.fileno()

    def tell_ready(self) -> None:
        self._line.send(b"1")
        os.kill(self._pid, signal.SIGUSR1)


class Worker:
    """``replaces`` is who retires once this one answers."""

    def __init__(self, pid: int, line: socket.socket, replaces: "Worker | None") -> None:
        self.pid, self._line, self.replaces = pid, line, replaces
        self.retired = self._ready = False

    @property
    def ready(self) -> bool:
        if not self._ready:
            try:
                self._ready = bool(self._line.recv(1, socket.MSG_DONTWAIT))
            except OSError:
                return False
        return self._ready

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def close(self) -> None:
        self._line.close()

    def exit_code(self) -> int | None:
        """None while it lives."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if pid else None


class Workers:
    """``listener`` is the socket that all of them inherit, and this process lets go in the end."""

    def __init__(self, count: int, listener: socket.socket, work: Work) -> None:
        self._count, self._listener, self._work = count, listener, work
        self._workers: list[Worker] = []
        self._to_replace: list[Worker] = []
        self._stops = self._code = 0

    def run(self) -> int:
        """Until all have ended; returns the exit code."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, _heed)
        try:
            for _ in range(self._count):
                self._fork()
            while self._workers:
                self._handle(signal.sigwait(SIGNALS))
                self._replace()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self._code

    def _handle(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stop(number)
        elif number == signal.SIGHUP and not self._stops:
            self._to_replace = [each for each in self._workers if not each.retired]
        elif number == signal.SIGCHLD:
            self._reap()

    def _stop(self, number: int) -> None:
        """Drain on the first SIGTERM, do without on Ctrl-C or the second, kill on the third."""
        self._stops = self._stops + 1 if self._stops or number == signal.SIGTERM else 2
        self._to_replace = []
        self._listener.close()
        for worker in self._workers:
            worker.send(STOPS[min(self._stops, len(STOPS)) - 1])

    def _reap(self) -> None:
        for worker in tuple(self._workers):
            code = worker.exit_code()
            if code is None:
                continue
            self._workers.remove(worker)
            worker.close()
            if worker in self._to_replace:
                self._to_replace.remove(worker)
            replaced = any(each.replaces is worker for each in self._workers)
            if not self._stops and not worker.retired and not replaced:
                self._lost(worker, code)

    def _lost(self, worker: Worker, code: int) -> None:
        if worker.replaces is not None:
            _log.error("a new worker did not start (%d): the old ones stay", code)
            self._to_replace = []
            if worker.replaces not in self._workers:
                self._fork()
        elif code == STARTUP_FAILURE:
            _log.error("a worker could not start")
            self._code = STARTUP_FAILURE
            self._stop(signal.SIGTERM)
        else:
            _log.error("worker %d has ended (%d), another takes its place", worker.pid, code)
            if not worker.ready:
                time.sleep(SECONDS_BETWEEN_FAILURES)
            self._fork()

    def _replace(self) -> None:
        """One at a time, so that there are always as many as there should be."""
        for worker in self._workers:
            if worker.replaces is None:
                continue
            if not worker.ready:
                return
            old, worker.replaces = worker.replaces, None
            if old in self._workers:
                old.retired = True
                old.send(signal.SIGHUP)
        # Whoever asks again meanwhile names those, too, that have just been replaced.
        self._to_replace = [each for each in self._to_replace if not each.retired]
        if self._to_replace:
            self._fork(self._to_replace.pop(0))

    def _fork(self, replaces: Worker | None = None) -> None:
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            for other in self._workers:
                other.close()
            self._begin(theirs)
        theirs.close()
        self._workers.append(Worker(pid, ours, replaces))

    def _begin(self, line: socket.socket) -> NoReturn:
        code = STARTUP_FAILURE
        try:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            code = self._work(Parent(line))
        except BaseException:
            _log.exception("a worker failed")
        finally:
            logging.shutdown()
            os._exit(code)


def _heed(_number: int, _frame: FrameType | None) -> None:
    """What is ignored by default might never be waited for."""
