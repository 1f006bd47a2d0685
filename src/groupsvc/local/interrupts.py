"""Ctrl-C and SIGTERM, put off while a process could be lost by them."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any, Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class Interrupts:
    """Remembers what comes while it is ``deferred``, however often.

    Python raises KeyboardInterrupt between any two steps, such as the start of a process and the
    note of its id. Here it is raised by ``pause`` and ``killable``, where nothing is in between,
    else at the end. Signals reach the main thread alone: others defer nothing.
    """

    def __init__(self) -> None:
        self._came = 0
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def deferred(self) -> Generator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        try:
            for number, handler in handlers.items():
                if handler not in (signal.SIG_IGN, None):
                    signal.signal(number, self._note)
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            came, self._came = self._came, 0
            if came:
                signal.raise_signal(came)

    def pause(self, seconds: float) -> None:
        self.check()
        time.sleep(seconds)

    def check(self) -> None:
        if self._came:
            raise KeyboardInterrupt

    @contextmanager
    def killable(self, process: subprocess.Popen[bytes]) -> Generator[None]:
        """The process and all it has started need not end in order: kill them when asked to."""
        self._process = process
        try:
            if self._came:
                self._kill(process)
            yield
        finally:
            self._process = None
        self.check()

    def _note(self, number: int, _: Any) -> None:
        self._came = number
        if self._process is not None:
            self._kill(self._process)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
