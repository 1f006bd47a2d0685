"""The kinds of values that settings have."""

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

# How the paths of the service begin.
OWN_PATHS: Final = (
    "/ScoDoc",
    "/api/cohorts",
    "/courses",
    "/docs",
    "/health",
    "/oauth2",
    "/openapi.json",
    "/ui",
    "/v1",
)


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def apart(prefix: str) -> str:
    """Nobody could tell whether a prefix that looks like a path of ours was taken off."""
    for own in OWN_PATHS:
        if prefix and (f"{own}/".startswith(f"{prefix}/") or prefix.startswith(f"{own}/")):
            raise ValueError(f"paths of the service begin with {own}")
    return prefix


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_at_commas)]


def as_browsers_say(origins: tuple[str, ...]) -> tuple[str, ...]:
    """An origin has no slash at its end."""
    return tuple(origin.rstrip("/") for origin in origins)


Unset = BeforeValidator(lambda given: given or None)  # an empty text is none
Seconds = Annotated[float, Field(gt=0)]


def as_hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", name)
        if not found or not 0 < int(found[1] or "1") < 65_536:
            raise ValueError("a host is a name, or a name and a port")
    return names
