"""A command as containers run it, without an engine: read-only, another user, no capabilities."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

needs_confinement = pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("bwrap") and shutil.which("setpriv")),
    reason="needs root, bwrap (bubblewrap) and setpriv",
)
USER = "10001"
# What setpriv needs to give everything up.
NEEDED = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")


def confined(
    root: Path,
    *command: str,
    environment: Mapping[str, str],
    temporary: tuple[str, ...] = ("/tmp",),
    files: Mapping[Path, str] | None = None,
    own_network: bool,
) -> tuple[str, ...]:
    """``files`` are mounted last, each at its place. The command is process 1."""
    mounts = ("--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev")
    return (
        "bwrap",
        *mounts,
        *(word for each in temporary for word in ("--perms", "1777", "--tmpfs", each)),
        *(word for each, at in (files or {}).items() for word in _mounted(each, at)),
        *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--as-pid-1"),
        *(("--unshare-net",) if own_network else ()),
        "--clearenv",
        *(word for pair in environment.items() for word in ("--setenv", *pair)),
        *(word for each in NEEDED for word in ("--cap-add", each)),
        *("setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all", "--"),
        *command,
    )


def _mounted(source: Path, at: str) -> tuple[str, ...]:
    return ("--perms", "0755", "--dir", str(Path(at).parent), "--bind", str(source), at)


def end(process: subprocess.Popen[bytes]) -> None:
    """With all that runs in it, which does not follow bwrap once setpriv has changed the user."""
    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(process.pid).children():
            each.kill()
    process.kill()
    process.wait()


def state_of(pid: int) -> dict[str, str]:
    """Users, capabilities and the like of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def assert_has_nothing(pid: int) -> None:
    state = state_of(pid)
    assert set(state["Uid"].split() + state["Gid"].split()) == {USER}
    assert {int(state[name], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh")} == {0}
    assert state["NoNewPrivs"] == "1"
    options = [
        line.split()[5].split(",")
        for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        if line.split()[4] == "/"
    ]
    assert options
    assert all("ro" in each for each in options)
