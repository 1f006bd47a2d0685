"""Cells that are written with an apostrophe before them, so that they come back as they are.

These are texts that a spreadsheet would take for a formula, and texts that reading would mend.
"""

import re
from typing import Final

# What spreadsheets run when a cell starts with it; the wide forms count as their narrow ones.
TRIGGERS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_GUARDED: Final = TRIGGERS | {"\ufeff"}
_QUOTES: Final = "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u00ab\u00bb"
_QUOTED_NUMBER: Final = re.compile(rf"[{_QUOTES}]+\s*([0-9]+)\s*[{_QUOTES}]*")
_FORMULA_OF_TEXT: Final = re.compile(r'="((?:[^"]|"")*)"')
_LINE_BREAKS: Final = re.compile(r"[\r\n]+")
_FIRST: Final = frozenset(f"={_QUOTES}")
# One look at all cells of a row tells whether any of them needs a closer one.
SUSPECT: Final = re.compile(rf"[={_QUOTES}\r\n]")


def defuse(text: str) -> str:
    return f"'{text}" if _needs_guard(text) else text


def restore(text: str) -> str:
    """Take back what ``defuse`` did."""
    return text[1:] if text[:1] == "'" and _needs_guard(text[1:]) else text


def without_quotes(text: str) -> str:
    """A number without quotes or apostrophes around it, and the text that a formula stands for."""
    if text[:1] not in _FIRST:
        return text
    number = _QUOTED_NUMBER.fullmatch(text)
    if number:
        return number[1]
    formula = _FORMULA_OF_TEXT.fullmatch(text)
    return formula[1].replace('""', '"') if formula else text


def without_line_breaks(text: str) -> str:
    if "\n" not in text and "\r" not in text:
        return text
    # Blanks are looked for at the ends of lines alone: in every place, many of them take for ever.
    return " ".join(line for each in _LINE_BREAKS.split(text) if (line := each.strip()))


def _needs_guard(text: str) -> bool:
    return (
        text.lstrip("'")[:1] in _GUARDED
        or "\n" in text
        or "\r" in text
        or without_quotes(text) != text
    )
