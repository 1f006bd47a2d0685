"""Look at everything that can be wrong before users do."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import typer
from pydantic import ValidationError
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from groupsvc.cli.runtime import Database, console, open_database, run
from groupsvc.db import migrate
from groupsvc.db.engine import make_engine
from groupsvc.local.programs import EmbeddedError
from groupsvc.settings import Settings

PREFIX = "GROUPSVC_"
SUPPORTED = range(15, 19)
MOST_SKEW = 5.0  # seconds
UNHEALTHY = 1  # exit code

FACTS = text("""
    SELECT current_setting('server_version_num')::integer / 10000 AS version,
           current_setting('server_version') AS version_text,
           current_setting('max_connections')::integer AS connections,
           current_setting('synchronous_commit') AS synchronous_commit,
           current_setting('server_encoding') AS encoding,
           extract(epoch FROM clock_timestamp())::float AS now,
           pg_is_in_recovery() AS is_standby
""")


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    fine: bool
    says: str
    cure: str = ""


def doctor() -> None:
    """Check settings, database, migrations, clock and embedded server, and say what to do."""
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
        for problem in error.errors(include_input=False, include_url=False):
            name = PREFIX + "_".join(str(part) for part in problem["loc"]).upper()
            yield Finding("settings", False, f"{name}: {problem['msg']}", "see the README's table")
        return
    yield _unknown_variables()
    try:
        with open_database(settings) as database:
            server = "embedded" if database.embedded else "configured"
            yield Finding("server", True, f"{server}, data of this program in {database.home}")
            yield from run(_ask(database, settings))
    except (EmbeddedError, ValueError) as error:
        yield Finding("server", False, str(error), "set GROUPSVC_DATABASE_URL or GROUPSVC_HOME")


def _unknown_variables() -> Finding:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    return Finding(
        "settings",
        not unknown,
        f"nothing reads {', '.join(unknown)}" if unknown else "read",
        "correct the names: see the README's table",
    )


async def _ask(database: Database, settings: Settings) -> list[Finding]:
    engine = make_engine(database.url, settings)
    try:
        async with engine.connect() as connection:
            facts = (await connection.execute(FACTS)).one()
        revision = await migrate.current(engine)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        cure = "is it running, and are address, name and password right?"
        return [Finding("database", False, f"no connection ({type(error).__name__})", cure)]
    finally:
        await engine.dispose()
    return [
        Finding(
            "database",
            facts.version in SUPPORTED,
            f"PostgreSQL {facts.version_text}",
            "PostgreSQL 15 to 18 are supported",
        ),
        Finding("encoding", facts.encoding == "UTF8", facts.encoding, "recreate it with UTF8"),
        Finding(
            "primary",
            not facts.is_standby,
            "standby" if facts.is_standby else "writable",
            "name the primary in GROUPSVC_DATABASE_URL",
        ),
        Finding(
            "durability",
            facts.synchronous_commit != "off",
            f"synchronous_commit is {facts.synchronous_commit}",
            "turn it on: acknowledged changes would be lost in a crash",
        ),
        Finding(
            "connections",
            settings.pool_size <= facts.connections * 0.8,
            f"{settings.pool_size} a worker, the server has {facts.connections}",
            "lower GROUPSVC_POOL_SIZE: all workers together should stay below 80 %",
        ),
        _migrations(revision),
        _clock(facts.now),
    ]


def _migrations(revision: str | None) -> Finding:
    head = migrate.head()
    says = f"at {revision or 'none'}" + ("" if revision == head else f", needs {head}")
    return Finding("migrations", revision == head, says, "run `groupsvc migrate`")


def _clock(now: float) -> Finding:
    skew = abs(now - time.time())
    says = f"{skew:.1f} s between this machine and the database"
    return Finding("clock", skew <= MOST_SKEW, says, "synchronise the clocks (NTP): tokens expire")
