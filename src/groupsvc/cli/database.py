"""Upgrade the database schema to the revision that this program needs."""

import typer

from groupsvc.cli.runtime import TIMEOUTS, migrate_database, open_database
from groupsvc.settings import Settings


def migrate() -> None:
    """Create or update the tables. Safe to run from several machines at once."""
    settings = Settings().model_copy(update=TIMEOUTS)
    with open_database(settings) as database:
        before, after = migrate_database(database, settings)
    if before == after:
        typer.echo(f"the database is at revision {after} already")
    else:
        typer.echo(f"migrated from {before or 'nothing'} to revision {after}")
