"""Commands by name. The module of one is imported when it is called, or asked for its own help."""

import gc
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperGroup


class Command(NamedTuple):
    """``summary`` is the beginning of the help of the command, for the list of all."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command("server", "serve", "Serve the API until Ctrl-C or SIGTERM."),
    "migrate": Command(
        "database",
        "migrate",
        "Create or update the tables. Safe to run from several machines at once.",
    ),
    "demo": Command(
        "demo",
        "demo",
        "Load a made-up institution into an empty database: 4 courses, 300 students.",
    ),
    "import": Command(
        "transfer",
        "import_",
        "Import tables, as an export has them or with a part of the columns, and files of other "
        "systems, identified by their header.",
    ),
    "export": Command(
        "table_export",
        "export",
        "Write all tables as .csv files, or .xlsx, from one snapshot.",
    ),
    "import-scodoc": Command(
        "scodoc",
        "import_scodoc",
        "Import formsemestres from a running ScoDoc, with the ids of all that is in them.",
    ),
    "import-openedx": Command(
        "openedx",
        "import_openedx",
        "Import courses from a running Open edX: cohort settings, cohorts, links, members and "
        "team.",
    ),
    "token": Command(
        "token",
        "token",
        "Print a development token; without --grant it has every permission everywhere.",
    ),
    "account": Command("accounts", "app", "Create, list, disable and grant local accounts."),
    "audit": Command(
        "audit",
        "app",
        "Seal the change log, check that nobody has touched it, archive its old lines.",
    ),
    "person": Command(
        "person", "app", "Tell a person what is stored about them, or forget them everywhere."
    ),
    "tenant": Command(
        "tenants", "app", "Many institutions, each with a database of its own, behind one fleet."
    ),
    "openapi": Command("openapi", "openapi", "Write one OpenAPI document for each face."),
    "doctor": Command(
        "doctor",
        "doctor",
        "Check settings, database, migrations, clock and embedded server; print what to do.",
    ),
}


class LazyGroup(TyperGroup):
    """What is in it has a name and a summary until it is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest


def declare(app: typer.Typer) -> None:
    for name, command in COMMANDS.items():
        app.command(name, help=command.summary)(_not_loaded)


def load(name: str) -> Any:
    """The command itself, or the group of commands."""
    command = COMMANDS[name]
    gc.disable()  # what is imported stays: looking for garbage in it takes a tenth of the time
    try:
        found = getattr(import_module(f"groupsvc.cli.{command.module}"), command.attribute)
    finally:
        gc.enable()
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def _not_loaded() -> None:
    raise NotImplementedError
