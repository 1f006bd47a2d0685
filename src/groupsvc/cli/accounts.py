"""The commands for machine accounts and development tokens."""

from typing import Annotated

import typer

from groupsvc.auth.development import open_development_key
from groupsvc.cli.runtime import EVERYTHING, OPERATOR, run_unit
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.grants import parse_grant
from groupsvc.faces.scodoc.vocabulary import VOCABULARY
from groupsvc.local.embedded import default_home
from groupsvc.settings import Settings

app = typer.Typer(
    help="Create, list, disable and grant local accounts.",
    no_args_is_help=True,
    add_completion=False,
)

PAGE = 200

Name = Annotated[str, typer.Argument(help="The name of the account.")]
Grants = Annotated[
    list[str],
    typer.Option(
        "--grant",
        default_factory=list,
        show_default=False,
        help="`permission`, `permission@department:ACRONYM` or `permission@course:KEY`; "
        "permissions are groups:read, groups:write, roster:write, admin. May be repeated.",
    ),
]


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


def token(
    grants: Grants,
    subject: Annotated[str, typer.Argument(help="The subject of the token.")] = "developer",
    username: Annotated[
        str | None, typer.Option(help="The subject's username in the roster, for /v1/me.")
    ] = None,
    lifetime: Annotated[int, typer.Option(help="Seconds until it expires.")] = 3600,
) -> None:
    """Print a development token; without --grant it has every permission everywhere."""
    settings = Settings()
    home = default_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    parsed = [parse_grant(text, VOCABULARY.permissions) for text in grants]
    key = open_development_key(settings, home)
    typer.echo(key.issue(subject, parsed or EVERYTHING, username=username, lifetime=lifetime))
