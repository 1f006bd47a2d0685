"""The order in which people list names: numbers in them count by their value."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from groupsvc.domain.names import without_case_and_accents

ByName = Literal["name"]

_NUMBER: Final = re.compile(r"(\d+)")

NaturalKey = tuple[tuple[str | int, ...], str]


def natural_key(name: str) -> NaturalKey:
    """What to sort a name by.

    First its text without case and accents, in which every number counts by its value and stands
    before whatever else could; then, so that different names are never equal, the name itself.
    """
    # Texts and numbers alternate, so that a text is only ever compared with a text.
    parts = _NUMBER.split(without_case_and_accents(name))
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name


def in_natural_order(names: Mapping[int, str | None]) -> list[int]:
    """The ids of what bears the names."""
    return sorted(names, key=lambda each: natural_key(names[each] or ""))
