"""An institution moves to another server: copied while it is only read, then switched over.

Each step leaves a mark in the list or at a server, so that a move that was interrupted is taken up
by calling it again, and nothing is done twice.
"""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from groupsvc.db.engine import read_url
from groupsvc.domain.errors import ConflictError, InvalidError
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.programs import run_program
from groupsvc.tenants.registry import Registry, Tenant

Tell = Callable[[str], None]


class Move:
    def __init__(
        self, registry: Registry, databases: Databases, tenant: Tenant, tell: Tell
    ) -> None:
        self._registry, self._databases, self._tenant, self._tell = (
            registry,
            databases,
            tenant,
            tell,
        )

    async def run(self, target: URL) -> None:
        """Raises InvalidError and ConflictError; then all is as it was, but for what is told."""
        tenant, source = self._tenant, self._tenant.url()
        if _place(target) == _place(source):
            self._tell(f"{tenant.name} is there already")
            return
        wanted = target.set(drivername="postgresql").render_as_string(hide_password=False)
        if tenant.target_url not in (None, wanted):
            raise ConflictError(f"{tenant.name} is being moved elsewhere: end that, or --cancel it")
        if not tenant.is_copied:
            await self._begin(source, target, wanted)
            try:
                await self._copy(source, target)
            except BaseException:
                # What went wrong first is told. What was made of the copy is ours.
                for undo in (partial(self._databases.drop, target), self.cancel):
                    with suppress(Exception):
                        await asyncio.shield(undo())
                raise
            await self._registry.run(lambda list_: list_.move(tenant.name, wanted, is_copied=True))
        # Nobody may go on reading here when others write there.
        await self._databases.close(source)
        await self._registry.run(lambda list_: list_.switch(tenant.name))
        self._tell(f"{tenant.name} is at its new place; drop {source.database} at the old one")

    async def _begin(self, source: URL, target: URL, wanted: str) -> None:
        name = self._tenant.name
        if not (await self._databases.found(source)).fits:
            raise InvalidError(f"migrate it first: groupsvc tenant migrate {name}")
        # What is there, and was not made by a move to this place, is somebody else's.
        if self._tenant.target_url is None and await self._databases.exists(target):
            raise ConflictError(f"there is a database {target.database} already")
        await self._registry.run(lambda list_: list_.move(name, wanted))
        await self._databases.close_to_writers(source)
        self._tell(f"{name} is only read from now on")

    async def _copy(self, source: URL, target: URL) -> None:
        await self._databases.drop(target)
        await self._databases.create(target)
        newest = max([await self._databases.version(url) for url in (source, target)])
        with tempfile.TemporaryDirectory(prefix="groupsvc-move-") as directory:
            dump = str(Path(directory) / "dump")
            await run_program(
                "pg_dump",
                newest,
                self._databases.owned(source),
                *("--format=custom", "--no-owner", "--no-acl", f"--file={dump}"),
            )
            await run_program(
                "pg_restore",
                newest,
                self._databases.owned(target),
                *("--no-owner", "--no-acl", "--exit-on-error", dump),
            )
        await self._databases.migrate(target)  # grants what the role that serves needs
        before, after = await self._databases.rows(source), await self._databases.rows(target)
        if before != after:
            raise ConflictError("the copy has other rows than what was copied")
        self._tell(f"{sum(after.values())} rows are copied")

    async def cancel(self) -> None:
        """It stays where it is, and is written to again. Raises ConflictError after the switch."""
        if self._tenant.is_copied:
            raise ConflictError(f"{self._tenant.name} is copied already: end the move")
        await self._databases.open_to_writers(self._tenant.url())
        await self._registry.run(lambda list_: list_.move(self._tenant.name, None))
        self._tell(f"{self._tenant.name} is written to again where it was")


def _place(url: URL) -> tuple[object, ...]:
    return url.host, url.port, url.database, dict(url.query)


def beside(url: URL, tenant: str) -> URL:
    """The database of an institution on a server that some URL names."""
    return url.set(database=f"groupsvc_{tenant}".replace("-", "_"))


def server(text: str) -> URL:
    """Raises InvalidError."""
    try:
        return read_url(text, "that")
    except ValueError as error:
        raise InvalidError(str(error)) from None
