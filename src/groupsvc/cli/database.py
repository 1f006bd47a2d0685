"""Upgrade the database schema to the revision that this program needs."""

from typing import Annotated

import typer

from groupsvc.cli.runtime import TIMEOUTS, migrate_database, open_database
from groupsvc.settings import Settings


def migrate(
    grant_to: Annotated[
        str | None,
        typer.Option(
            metavar="ROLE",
            help="The database role as which `groupsvc serve` connects: it may then do its work, "
            "and neither change nor delete the change log.",
        ),
    ] = None,
) -> None:
    """Create or update the tables. Safe to run from several machines at once."""
    settings = Settings().model_copy(update=TIMEOUTS)
    with open_database(settings) as database:
        before, after = migrate_database(database, settings, service=grant_to)
    if before == after:
        typer.echo(f"the database is at revision {after} already")
    else:
        typer.echo(f"migrated from {before or 'nothing'} to revision {after}")
    if grant_to is not None:
        typer.echo(f"the role {grant_to} may serve")
