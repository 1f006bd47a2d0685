"""Many names by one pattern: ``TD #``, ``TP @``."""

import re
from collections.abc import Callable
from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise

MOST_NAMES: Final = 500
HIGHEST: Final = 1_000_000

_PART: Final = re.compile(r"\\(?P<literal>[\\#@])|(?P<number>#+)|(?P<letter>@)")


def expand(pattern: str, first: int, count: int) -> list[str]:
    """The names that a pattern stands for, in the form in which they are stored.

    ``#`` is a number, of as many digits at least as there are ``#``; ``@`` is letters, A to Z, then
    AA; ``first`` is the number, or the place of the letters. A backslash makes either a character
    like any other. Raises InvalidError for a pattern that has not exactly one of the two.
    """
    before, write, after = _parse(pattern)
    if write is letters and first < 1:
        raise InvalidError("letters are counted from 1", pointer="#/from")
    numbers = range(first, first + count)
    return [normalise(before + write(each) + after, field="pattern") for each in numbers]


def letters(number: int) -> str:
    """A for 1 to Z for 26, then AA, as spreadsheets name columns."""
    text = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _parse(pattern: str) -> tuple[str, Callable[[int], str], str]:
    texts, writers, end = [""], list[Callable[[int], str]](), 0
    for part in _PART.finditer(pattern):
        texts[-1] += pattern[end : part.start()] + (part["literal"] or "")
        end = part.end()
        if part["literal"] is None:
            writers.append(_zero_padded(len(part[0])) if part["number"] else letters)
            texts.append("")
    texts[-1] += pattern[end:]
    if len(writers) != 1:
        raise InvalidError(
            "the pattern must have one place for a number (#) or for letters (@)",
            code="invalid_pattern",
            pointer="#/pattern",
        )
    return texts[0], writers[0], texts[1]


def _zero_padded(width: int) -> Callable[[int], str]:
    return lambda number: str(number).zfill(width)
