"""Programs of PostgreSQL on a database of an institution."""

import asyncio
import os
import re
import shutil
from contextlib import suppress
from typing import Final

from sqlalchemy import URL

from groupsvc.db.connect import hosts_of
from groupsvc.domain.errors import ConflictError
from groupsvc.local.programs import EmbeddedError, installed

_PASSED: Final = ("HOME", "LD_LIBRARY_PATH", "PATH", "PGPASSFILE", "PGPASSWORD", "PGSSLROOTCERT")
_SSL: Final = {"ssl": "PGSSLMODE", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


async def run_program(name: str, version: int, url: URL, *options: str) -> None:
    """Run it on a database, in that major version or a newer one.

    Raises ConflictError with what it says.
    """
    process = await asyncio.create_subprocess_exec(
        await _find(name, version),
        f"--dbname={url.database}",
        *options,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(url),
    )
    try:
        _, said = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise ConflictError(f"{name} failed: {said.decode(errors='replace').strip()[-500:]}")


def _environment(url: URL) -> dict[str, str]:
    """Where others cannot read the password, unlike in arguments."""
    hosts = hosts_of(url)
    given = {
        "PGHOST": ",".join(host.name or "" for host in hosts),
        "PGPORT": ",".join(str(host.port or "") for host in hosts),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGTARGETSESSIONATTRS": "primary" if len(hosts) > 1 else "",
    }
    given |= {_SSL[key]: str(value) for key, value in url.query.items() if key in _SSL}
    passed = {each: os.environ[each] for each in _PASSED if each in os.environ}
    return passed | {key: value for key, value in given.items() if value.strip(",")}


async def _find(program: str, version: int) -> str:
    """That of the system, else the one of the embedded PostgreSQL. Raises ConflictError."""
    found = shutil.which(program)
    if found is not None and await _version(found) >= version:
        return found
    with suppress(EmbeddedError):
        own = str(installed() / program)
        if await _version(own) >= version:
            return own
    raise ConflictError(f"there is no {program} of PostgreSQL {version}: install it")


async def _version(program: str) -> int:
    process = await asyncio.create_subprocess_exec(
        program, "--version", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    found = re.search(rb"(\d+)", said)
    return int(found[1]) if found else 0
