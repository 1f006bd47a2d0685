"""Write the OpenAPI documents, for clients and for comparing."""

import json
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from groupsvc.app import create_app
from groupsvc.faces import openedx, scodoc
from groupsvc.settings import Settings

NOWHERE = make_url("postgresql+asyncpg://")

Directory = Annotated[Path, typer.Argument(help="Where to write; made when it is not there.")]


def openapi(directory: Directory = Path("docs/openapi")) -> None:
    """Write one OpenAPI document for each face."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, document in describe().items():
        path = directory / f"{name}.json"
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        typer.echo(str(path))


def describe() -> dict[str, object]:
    """The documents by the name of their face."""
    app = create_app(Settings(), NOWHERE, Path())
    return {
        "v1": app.openapi(),
        "scodoc": scodoc.make_app().openapi(),
        "openedx": openedx.describe(),
    }
