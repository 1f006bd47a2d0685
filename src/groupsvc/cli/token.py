"""The command for development tokens, which scripts call often: it imports little."""

from collections.abc import Iterable
from typing import Annotated

import typer

from groupsvc.auth.development import open_development_key
from groupsvc.domain.grants import parse_grant
from groupsvc.domain.principal import EVERYTHING, Grant
from groupsvc.local.home import default_home
from groupsvc.settings import Settings

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
    parsed = _parsed(grants) if grants else EVERYTHING
    key = open_development_key(settings, home)
    typer.echo(key.issue(subject, parsed, username=username, lifetime=lifetime))


def _parsed(grants: Iterable[str]) -> list[Grant]:
    from groupsvc.faces.scodoc.vocabulary import VOCABULARY  # with the whole face

    return [parse_grant(text, VOCABULARY.permissions) for text in grants]
