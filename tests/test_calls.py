"""The calls of hot requests, counted in a process in which no other test has left anything."""

import subprocess
import sys
from pathlib import Path

COUNTED = Path(__file__).with_name("calls.py")


def test_hot_requests_call_no_more_functions() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--numprocesses", "0", str(COUNTED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5_000:]
