"""The commands with which a person is told what is known of them, and forgotten."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from groupsvc.cli.runtime import OPERATOR, run_unit
from groupsvc.core.persons.service import PersonService

app = typer.Typer(
    help="Tell a person what is stored about them, or forget them everywhere.",
    no_args_is_help=True,
    add_completion=False,
)

Named = Annotated[
    str,
    typer.Argument(
        help="A username, an e-mail address, a number, or the id of a user who is deleted."
    ),
]
Subjects = Annotated[
    list[str],
    typer.Option(
        "--subject",
        default_factory=list,
        show_default=False,
        help="The `sub` that tokens of the person have, where it is not the username. "
        "May be repeated.",
    ),
]


@app.command()
def export(named: Named, subjects: Subjects) -> None:
    """Print all that is stored about a person, as JSON."""
    told = run_unit(lambda uow: PersonService(uow, OPERATOR).export(named, subjects=subjects))
    typer.echo(json.dumps(told.data, ensure_ascii=False, indent=2))


@app.command()
def erase(
    named: Named,
    subjects: Subjects,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Forget a person everywhere; prints how much there was. The change log still verifies.

    Locked courses keep a member without a name. Lines that name the person as who acted are
    forgotten when this runs as the owner of the tables.
    """
    if not yes:
        typer.confirm(f"Forget {named}? This cannot be undone", abort=True)
    erased = run_unit(lambda uow: PersonService(uow, OPERATOR).erase(named, subjects=subjects))
    typer.echo(json.dumps(asdict(erased)))
