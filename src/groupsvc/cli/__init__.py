"""The ``groupsvc`` command."""

import sys

import typer

import groupsvc
from groupsvc.cli.lazy import LazyGroup, declare

UNUSABLE = 2  # exit code: the input or the environment cannot be used

app = typer.Typer(
    cls=LazyGroup,
    name="groupsvc",
    help="Who is in which group: courses, partitions, groups and memberships of a university.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
declare(app)


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
    except Exception as error:
        # Imported here: what it knows by class is most of the program.
        from groupsvc.cli.failures import explain

        message = explain(error)
        if message is None:
            raise
        _fail(message)


def _fail(message: str) -> None:
    from rich.console import Console

    Console(stderr=True).print(f"groupsvc: {message}", style="red", markup=False, highlight=False)
    sys.exit(UNUSABLE)
