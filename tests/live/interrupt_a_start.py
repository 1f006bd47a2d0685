"""Start the server in a home once for every moment of a start, with Ctrl-C at that moment.

A moment is the call or the return of a function in the way, each once. Prints where a process was
left, and how many moments there were.
"""

import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from groupsvc.local import embedded, interrupts, programs
from tests.live.processes import running

FILES = {module.__file__ for module in (embedded, interrupts, programs, subprocess)}
EVENTS = sys.argv[2:] or ["call", "return"]  # "line" as well to be thorough: that takes minutes
Moment = tuple[str, str, str, int]


def interrupt_at(number: int, met: list[Moment]) -> Callable[..., Any]:
    """A trace function that adds to the moments, and interrupts at the one of that number."""

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in FILES:
            return None
        line = frame.f_lineno if event == "line" else 0
        moment = (Path(code.co_filename).name, code.co_name, event, line)
        # No signal is handled between the return of this one and the block that it opens.
        enters = moment[1:3] == ("__enter__", "return")
        if event in EVENTS and moment not in met and not enters:
            met.append(moment)
            if len(met) == number:
                sys.settrace(None)
                signal.raise_signal(signal.SIGINT)
        return trace

    return trace


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home, number, met = Path(sys.argv[1]), 0, list[Moment]()
    while len(met) == number:
        number, met = number + 1, []
        with ExitStack() as stack:
            sys.settrace(interrupt_at(number, met))
            try:
                stack.enter_context(embedded.EmbeddedPostgres(home))
            except KeyboardInterrupt:
                pass
            else:
                if len(met) == number:
                    sys.stdout.write(f"{met[-1]} passed without an interrupt\n")
            finally:
                sys.settrace(None)
        if left := running(home):
            sys.stdout.write(f"{met[-1]} left {left}\n")
    sys.stdout.write(f"{len(met)}\n")


main()
