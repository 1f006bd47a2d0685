"""Processes that use an embedded server, and what is left of it when they have ended."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

Join = Callable[..., subprocess.Popen[str]]
USER = """
import signal
import sys
from pathlib import Path
# What is started in the background may have been told to ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from groupsvc.local.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


def wait_until(condition: Callable[[], bool], seconds: float = 200) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def running(home: Path) -> list[psutil.Process]:
    """The living processes that work in this home, found without its own records."""
    return [
        process
        for process in psutil.process_iter(["cwd", "status"])
        if f"{process.info['cwd'] or ''}/".startswith(f"{home}/")
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def has_child(name: str) -> bool:
    """Whether this process has started such a program, which may end while it is looked at."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if child.name() == name:
                return True
    return False


def postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "pg18/postmaster.pid").read_text().split()[0]))


def ask(url: str, sql: str) -> Any:
    """The first value, in a thread: a loop of our own in this one would replace pytest's."""

    async def answer() -> Any:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.execute(text(sql))
            value = result.scalar() if result.returns_rows else None
        await engine.dispose()
        return value

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, answer()).result()


def url_of(user: subprocess.Popen[str]) -> str:
    assert user.stdout
    return user.stdout.readline().strip()


def leave(user: subprocess.Popen[str]) -> None:
    user.communicate("\n", timeout=200)
    assert user.returncode == 0


def wait_until_free(home: Path) -> None:
    """Nothing of a killed server may stay for more than an instant."""
    try:
        wait_until(lambda: not running(home), 30)
    finally:
        for process in running(home):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@contextmanager
def temporary_home() -> Generator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gs-", dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
        wait_until_free(path)
    finally:
        shutil.rmtree(path)
