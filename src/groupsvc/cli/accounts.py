"""The commands for machine accounts."""

from typing import Annotated

import typer

from groupsvc.cli.runtime import OPERATOR, run_unit
from groupsvc.cli.token import Grants
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.unit_of_work import UnitOfWork

app = typer.Typer(
    help="Create, list, disable and grant local accounts.",
    no_args_is_help=True,
    add_completion=False,
)

PAGE = 200

Name = Annotated[str, typer.Argument(help="The name of the account.")]


@app.command()
def create(
    name: Name,
    grants: Grants,
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="GROUPSVC_ACCOUNT_SECRET",
            show_envvar=True,
            help="The secret; without it one is generated and printed.",
        ),
    ] = None,
) -> None:
    """Create an account, or replace the grants of an existing one."""
    declared = run_unit(
        lambda uow: AccountService(uow, OPERATOR).declare(name, grants=grants, secret=secret)
    )
    typer.echo(f"account {name} is ready")
    if declared.secret is not None:
        typer.echo(f"secret: {declared.secret}   (shown this once)")


@app.command("list")
def list_() -> None:
    """List accounts with their grants, one JSON object a line."""

    async def work(uow: UnitOfWork) -> list[str]:
        items: list[str] = []
        after = ""
        while True:
            page = await AccountService(uow, OPERATOR).page(after=after, limit=PAGE)
            items += page.items
            if page.last_key is None:
                return items
            after = page.last_key[0]

    for item in run_unit(work):
        typer.echo(item)


@app.command()
def disable(name: Name) -> None:
    """Disable an account; its tokens end at once."""
    run_unit(lambda uow: AccountService(uow, OPERATOR).disable(name))
    typer.echo(f"account {name} is disabled")


@app.command()
def grant(name: Name, grants: Grants) -> None:
    """Replace the grants of an account."""
    run_unit(lambda uow: AccountService(uow, OPERATOR).set_grants(name, grants))
    typer.echo(f"account {name} may now: {', '.join(grants) or 'nothing'}")
