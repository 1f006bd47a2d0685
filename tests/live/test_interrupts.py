"""Ctrl-C and SIGTERM while the embedded server starts: no process may be left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.processes import USER, Join, running, wait_until

# What is started in the background may have been told to ignore Ctrl-C.
HEED = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
SERVE = """
import os, sys
from groupsvc.cli import main
os.environ["GROUPSVC_HOME"] = sys.argv[1]
sys.argv[1:] = ["serve", "--port", "0"]
main()
"""


def is_there(name: str) -> Callable[[Path], bool]:
    return lambda home: (home / name).exists()


STAGES: dict[str, Callable[[Path], bool]] = {
    "its turn": is_there("start.lock"),
    "initdb": is_there("pg18.new/PG_VERSION"),
    "a whole cluster": is_there("pg18/PG_VERSION"),
    "a server that starts": is_there("pg18/postmaster.pid"),
    "a server that listens": is_there("socket/.s.PGSQL.5432"),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("stage", STAGES)
def test_interrupted_once_it_has_come_to_a_stage_it_leaves_nothing(
    new_home: Path, join: Join, stage: str, number: signal.Signals
) -> None:
    """However much further it is by the time that the signals arrive, which may be several."""
    user = join(new_home, program=HEED + USER, start_new_session=True)
    wait_until(lambda: STAGES[stage](new_home))
    for _ in range(3):
        os.killpg(user.pid, number)
    user.communicate()
    assert (user.returncode, running(new_home)) == (-number, [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("stage", ["initdb", "a server that starts"])
def test_a_command_that_is_interrupted_while_it_starts_leaves_nothing(
    new_home: Path, join: Join, stage: str, number: signal.Signals
) -> None:
    command = join(new_home, program=HEED + SERVE, start_new_session=True)
    wait_until(lambda: STAGES[stage](new_home))
    os.killpg(command.pid, number)
    command.communicate()
    assert (command.returncode, running(new_home)) == (130, [])


def test_ctrl_c_at_any_moment_of_a_start_leaves_nothing(used: Path) -> None:
    command = [sys.executable, "-m", "tests.live.interrupt_a_start", str(used)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.strip().isdecimal(), done.stdout
    assert int(done.stdout) > 40
