"""The commands for many institutions behind one fleet."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer

from groupsvc.cli.progress import Meter, console
from groupsvc.cli.runtime import TIMEOUTS
from groupsvc.db import revision
from groupsvc.domain.errors import InvalidError
from groupsvc.local.home import default_home
from groupsvc.settings import PREFIX, Settings
from groupsvc.tenants.databases import Databases
from groupsvc.tenants.moving import Move, beside, server
from groupsvc.tenants.own_settings import NEVER_SHARED, OF_TENANTS
from groupsvc.tenants.registry import Registry, Tenant, check, control_url, open_registry

app = typer.Typer(
    help="Many institutions, each with a database of its own, behind one fleet.",
    no_args_is_help=True,
    add_completion=False,
)

FAILED = 1  # exit code: some of several
AT_ONCE = 8
T = TypeVar("T")

Name = Annotated[str, typer.Argument(help="The institution: a-z, 0-9, _ and -.")]
Owner = Annotated[
    str | None,
    typer.Option(
        metavar="ROLE",
        help="Connect as the role that owns the databases, with its password from PGPASSWORD or a "
        "password file; the role in the URL only serves.",
    ),
]


def _run(work: Callable[[Registry, Settings], Awaitable[T]]) -> T:
    """Raises ValueError without a control database."""
    settings = Settings().model_copy(update=TIMEOUTS)

    async def with_registry() -> T:
        async with open_registry(settings) as registry:
            await registry.prepare()
            return await work(registry, settings)

    return asyncio.run(with_registry())


@app.command()
def create(
    name: Name,
    hosts: Annotated[
        list[str], typer.Option("--host", help="A name at which it is reached. May be repeated.")
    ],
    database: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="Its database, as the fleet connects to it; else one beside the control database.",
        ),
    ] = None,
    own: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="SETTING=VALUE", help="Such as jwt_issuer=https://... May be repeated."
        ),
    ] = None,
    owner: Owner = None,
) -> None:
    """Make its database, migrate it and list it. Called again, only hosts and settings change."""
    given = json.dumps(dict(map(_setting, own or ())))

    async def work(registry: Registry, settings: Settings) -> str:
        url = server(database) if database else beside(control_url(settings), name)
        text = url.set(drivername="postgresql").render_as_string(hide_password=False)
        tenant = Tenant(name, tuple(host.lower().rstrip(".") for host in hosts), text, given)
        check(tenant, settings)
        known = {each.name: each for each in await registry.every()}.get(name)
        if known is not None and database and known.url() != url:
            raise InvalidError(f"{name} has another database: see `groupsvc tenant move`")
        if known is not None:
            await registry.run(lambda tenants: tenants.save(tenant))
            return f"{name} is listed"
        databases = Databases(settings, owner)
        await databases.create(url)
        await databases.migrate(url)
        await databases.claim(url, name)
        await registry.run(lambda tenants: tenants.save(tenant))
        return f"{name} is listed, its database is {url.database}"

    typer.echo(_run(work))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name not in OF_TENANTS:
        raise InvalidError(
            f"no setting of an institution: {name} (of {', '.join(sorted(OF_TENANTS))})"
        )
    return name, value


@app.command()
def migrate(
    names: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    owner: Owner = None,
) -> None:
    """Migrate all. One that fails is told, and does not stop the others."""

    async def work(registry: Registry, settings: Settings) -> int:
        tenants = await _chosen(registry, names or ())
        databases, failed = Databases(settings, owner), 0
        with Meter(len(tenants), "institutions") as meter:
            for tenant in tenants:
                try:
                    await databases.migrate(tenant.url())
                except Exception as error:
                    failed += 1
                    console.print(f"{tenant.name}: {_short(error)}", style="red", markup=False)
                meter.advance(1)
        typer.echo(f"{len(tenants) - failed} of {len(tenants)} are at revision {revision.head()}")
        return failed

    if _run(work):
        raise typer.Exit(FAILED)


@app.command(name="list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    looks: Annotated[
        bool, typer.Option("--check", help="Ask each database for its revision, too.")
    ] = False,
    owner: Owner = None,
) -> None:
    """Print them, without secrets."""

    async def work(registry: Registry, settings: Settings) -> list[dict[str, Any]]:
        turn, databases = asyncio.Semaphore(AT_ONCE), Databases(settings, owner)

        async def shown(tenant: Tenant) -> dict[str, Any]:
            said: dict[str, Any] = {
                "name": tenant.name,
                "hosts": list(tenant.hosts),
                "issuer": tenant.issuer,
                "database": tenant.url().render_as_string(hide_password=True),
                "state": "moving" if tenant.target_url else "served",
            }
            if looks:
                async with turn:
                    try:
                        said["revision"] = (await databases.found(tenant.url())).revision
                    except Exception as error:
                        said["revision"] = f"unknown: {_short(error)}"
            return said

        return list(await asyncio.gather(*map(shown, await registry.every())))

    for said in _run(work):
        line = "  ".join(map(str, (said | {"hosts": ",".join(said["hosts"])}).values()))
        typer.echo(json.dumps(said) if as_json else line)


@app.command()
def move(
    name: Name,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Its new database, which must not be there yet."),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Leave it where it is after all.")
    ] = False,
    owner: Owner = None,
) -> None:
    """Copy it to another server and switch over; meanwhile it is only read. Can be repeated."""

    async def work(registry: Registry, settings: Settings) -> None:
        tenant = await registry.get(name)
        moving = Move(registry, Databases(settings, owner), tenant, typer.echo)
        if cancel:
            await moving.cancel()
        elif to is None:
            raise InvalidError("say where: --to URL")
        else:
            await moving.run(server(to))

    _run(work)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def run(context: typer.Context, name: Name) -> None:
    """Run another command of groupsvc on one of them: `tenant run NAME account list`."""

    async def work(registry: Registry, settings: Settings) -> dict[str, str]:
        tenant = await registry.get(name)
        own = {key.upper(): str(value) for key, value in tenant.own_settings.items()}
        home = str(tenant.home(default_home(settings)))
        return own | {"DATABASE_URL": tenant.database_url, "HOME": home}

    own = _run(work)
    before = dict(os.environ)
    for setting in NEVER_SHARED:
        os.environ.pop(f"{PREFIX}{setting.upper()}", None)
    # An empty variable counts before a file of secrets that names the list.
    own["CONTROL_URL"] = ""
    os.environ.update({f"{PREFIX}{key}": value for key, value in own.items()})
    from groupsvc.cli import app as whole

    try:
        whole(context.args)
    finally:
        os.environ.clear()
        os.environ.update(before)


async def _chosen(registry: Registry, names: Sequence[str]) -> list[Tenant]:
    every = list(await registry.every())
    if unknown := sorted(set(names) - {each.name for each in every}):
        raise InvalidError(f"there is no institution {', '.join(unknown)}")
    return [each for each in every if not names or each.name in names]


def _short(error: Exception) -> str:
    """What an operator can act on: the text of others may hold what it should not."""
    from groupsvc.cli.failures import explain
    from groupsvc.db.failures import remedy

    return remedy(error) or explain(error) or type(error).__name__
