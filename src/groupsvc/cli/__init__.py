"""The ``groupsvc`` command."""

import sys

import typer
from pydantic import ValidationError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

import groupsvc
from groupsvc.auth.development import DevelopmentKeyError
from groupsvc.cli import accounts, database, openapi, openedx, scodoc, server, transfer
from groupsvc.cli.demo import demo
from groupsvc.cli.doctor import doctor
from groupsvc.domain.errors import GroupsvcError
from groupsvc.local.programs import EmbeddedError
from groupsvc.settings import faults

UNUSABLE = 2  # exit code: the input or the environment cannot be used

app = typer.Typer(
    name="groupsvc",
    help="Who is in which group: courses, partitions, groups and memberships of a university.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(server.serve)
app.command()(database.migrate)
app.command()(demo)
app.command("import")(transfer.import_)
app.command("export")(transfer.export)
app.command("import-scodoc")(scodoc.import_scodoc)
app.command("import-openedx")(openedx.import_openedx)
app.command()(accounts.token)
app.add_typer(accounts.app, name="account")
app.command()(openapi.openapi)
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(groupsvc.__version__)
        raise typer.Exit


@app.callback()
def about(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Settings are read from GROUPSVC_* variables; without a database an embedded one is used."""


def main() -> None:
    """Run the command; print failures that an operator can act on as one sentence."""
    try:
        app()
    except GroupsvcError as error:
        _fail(error.message)
    except ValidationError as error:
        _fail("; ".join(faults(error)))
    except (DevelopmentKeyError, EmbeddedError, ValueError) as error:
        _fail(str(error))
    except (SQLAlchemyError, OSError) as error:
        _fail(f"the database cannot be used ({type(error).__name__}): try `groupsvc doctor`")


def _fail(message: str) -> None:
    Console(stderr=True).print(f"groupsvc: {message}", style="red", markup=False, highlight=False)
    sys.exit(UNUSABLE)
