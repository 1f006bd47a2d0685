"""Accounts of machines, and tokens to try things with."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from groupsvc.auth.development import open_development_key
from groupsvc.cli.runtime import OPERATOR, open_units, run
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.grants import parse_grant
from groupsvc.domain.principal import Grant, Permission
from groupsvc.faces.scodoc.vocabulary import VOCABULARY
from groupsvc.local.embedded import default_home
from groupsvc.settings import Settings

T = TypeVar("T")

app = typer.Typer(help="Create, list, disable and grant local accounts.", no_args_is_help=True)

MOST = 200

Name = Annotated[str, typer.Argument(help="The name of the account.")]
Grants = Annotated[
    list[str],
    typer.Option(
        "--grant",
        help="`permission`, `permission@department:ACRONYM` or `permission@course:KEY`; "
        "permissions are groups:read, groups:write, roster:write, admin. Repeat for more.",
    ),
]


@app.command()
def create(
    name: Name,
    grants: Grants = [],  # noqa: B006 - typer reads the default and never changes it
    secret: Annotated[
        str | None,
        typer.Option(
            envvar="GROUPSVC_ACCOUNT_SECRET",
            show_envvar=True,
            help="The secret; one is made and printed when none is given.",
        ),
    ] = None,
) -> None:
    """Create an account, or replace the grants of one that is there."""

    async def work(uow: UnitOfWork) -> str | None:
        declared = await AccountService(uow, OPERATOR).declare(name, grants=grants, secret=secret)
        return declared.secret

    made = run(_unit(work))
    typer.echo(f"account {name} is ready")
    if made is not None:
        typer.echo(f"secret: {made}   (shown this once)")


@app.command("list")
def list_() -> None:
    """List accounts with what they may do, one JSON object a line."""

    async def work(uow: UnitOfWork) -> list[str]:
        items: list[str] = []
        after = ""
        while True:
            page = await AccountService(uow, OPERATOR).page(after=after, limit=MOST)
            items += page.items
            if page.last_key is None:
                return items
            after = page.last_key[0]

    for item in run(_unit(work)):
        typer.echo(item)


@app.command()
def disable(name: Name) -> None:
    """Disable an account; its tokens are dead at once."""

    async def work(uow: UnitOfWork) -> None:
        await AccountService(uow, OPERATOR).disable(name)

    run(_unit(work))
    typer.echo(f"account {name} is disabled")


@app.command()
def grant(name: Name, grants: Grants = []) -> None:  # noqa: B006 - see above
    """Replace what an account may do."""

    async def work(uow: UnitOfWork) -> None:
        await AccountService(uow, OPERATOR).set_grants(name, grants)

    run(_unit(work))
    typer.echo(f"account {name} may now: {', '.join(grants) or 'nothing'}")


def token(
    subject: Annotated[str, typer.Argument(help="Who the token is for.")] = "developer",
    grants: Grants = [],  # noqa: B006 - see above
    username: Annotated[
        str | None, typer.Option(help="The subject's username in the roster, for /v1/me.")
    ] = None,
    lifetime: Annotated[int, typer.Option(help="Seconds until it expires.")] = 3600,
) -> None:
    """Print a development token; without a grant it may do everything everywhere."""
    settings = Settings()
    home = default_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    given = [parse_grant(text, VOCABULARY.permissions) for text in grants] or [
        Grant(each) for each in Permission
    ]
    key = open_development_key(settings, home)
    typer.echo(key.issue(subject, given, username=username, lifetime=lifetime))


async def _unit(work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    async with open_units() as opened:
        return await opened.run("cli", _acting(work))


def _acting(work: Callable[[UnitOfWork], Awaitable[T]]) -> Callable[[UnitOfWork], Awaitable[T]]:
    async def act(uow: UnitOfWork) -> T:
        uow.context.actor = OPERATOR.subject
        return await work(uow)

    return act
