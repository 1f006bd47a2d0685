"""The command that checks the installation."""

import asyncio
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from pydantic import ValidationError
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from groupsvc.auth.verifier import identity_provider
from groupsvc.cli.doubts import doubts
from groupsvc.cli.progress import console
from groupsvc.cli.runtime import Database, open_database, open_engine
from groupsvc.core.upkeep.repository import SQL as UPKEEP
from groupsvc.db import revision
from groupsvc.db.failures import remedy
from groupsvc.local.programs import EmbeddedError
from groupsvc.settings import PREFIX, Settings, faults

DATABASE_URL = f"{PREFIX}DATABASE_URL"
SUPPORTED = range(15, 19)
MAX_SKEW = 5.0  # seconds
UNHEALTHY = 1  # exit code

FACTS = text("""
    SELECT current_setting('server_version_num')::integer / 10000 AS version,
           'PostgreSQL ' || current_setting('server_version') AS server,
           current_setting('server_encoding') AS encoding,
           CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'writable' END AS role,
           current_setting('synchronous_commit') AS commits,
           current_setting('max_connections')::integer AS connections,
           extract(epoch FROM clock_timestamp())::float AS now
""")


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    fine: bool
    says: str
    cure: str = ""


def doctor() -> None:
    """Check settings, database, migrations, clock and embedded server; print what to do."""
    findings = list(_examine())
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = "[green]ok[/]" if finding.fine else "[red]wrong[/]"
        table.add_row(mark, finding.what, finding.says, "" if finding.fine else finding.cure)
    console.print(table)
    if not all(finding.fine for finding in findings):
        raise typer.Exit(UNHEALTHY)


def _examine() -> Iterator[Finding]:
    try:
        settings = Settings()
    except ValidationError as error:
        for fault in faults(error):
            yield Finding("settings", False, fault, "see the README's table")
        return
    try:
        identity_provider(settings)
    except ValueError as error:
        yield Finding("settings", False, str(error), "see the README's table")
        return
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    says = f"nothing reads {', '.join(unknown)}" if unknown else "read"
    yield Finding("settings", not unknown, says, "correct the names: see the README's table")
    for doubt in doubts(settings):
        yield Finding("settings", False, doubt, "see the README's table")
    try:
        with open_database(settings) as database:
            server = "embedded" if database.embedded else "configured"
            yield Finding("server", True, f"{server}, data of this program in {database.home}")
            yield from asyncio.run(_examine_database(database, settings))
    except (EmbeddedError, ValueError) as error:
        yield Finding("server", False, str(error), f"set {DATABASE_URL} or GROUPSVC_HOME")


async def _examine_database(database: Database, settings: Settings) -> list[Finding]:
    try:
        async with open_engine(database, settings) as engine:
            async with engine.connect() as connection:
                facts = (await connection.execute(FACTS)).one()
                rewrites = await connection.scalar(text(UPKEEP.may_rewrite.source))
            skew = abs(facts.now - time.time())
            found, head = await revision.current(engine), revision.head()
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        if (told := remedy(error)) is not None:
            return [Finding("database", False, "cannot be used", told)]
        cure = "is it running, and are address, name and password right?"
        return [Finding("database", False, f"no connection ({type(error).__name__})", cure)]
    return [
        Finding("database", facts.version in SUPPORTED, facts.server, "use PostgreSQL 15 to 18"),
        Finding("encoding", facts.encoding == "UTF8", facts.encoding, "recreate it with UTF8"),
        Finding(
            "primary", facts.role == "writable", facts.role, f"name the primary in {DATABASE_URL}"
        ),
        Finding(
            "durability",
            facts.commits != "off",
            f"synchronous_commit is {facts.commits}",
            "turn it on: acknowledged changes would be lost in a crash",
        ),
        Finding(
            "connections",
            settings.pool_size <= facts.connections * 0.8,
            f"{settings.pool_size} a worker, the server has {facts.connections}",
            "lower GROUPSVC_POOL_SIZE: all workers together should stay below 80 %",
        ),
        Finding(
            "privileges",
            settings.env != "production" or not rewrites,
            "this role could rewrite it" if rewrites else "this role cannot rewrite it",
            "serve as a role of its own: see `groupsvc migrate --grant-to`",
        ),
        Finding(
            "migrations",
            found == head,
            f"at {found or 'none'}" + ("" if found == head else f", needs {head}"),
            revision.cure(found),
        ),
        Finding(
            "clock",
            skew <= MAX_SKEW,
            f"{skew:.1f} s between this machine and the database",
            "synchronise the clocks (NTP): tokens expire",
        ),
    ]
