"""From the cells of a row to values. Every refusal names the column and repeats nothing.

An absent column and an empty cell differ for texts: absent leaves what is there, empty clears it.
"""

import unicodedata
from collections.abc import Mapping
from typing import Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise

Cells = Mapping[str, str]

FLAGS: Final = {
    # Spreadsheets write them in capitals and in the language of their owner.
    **dict.fromkeys(("true", "1", "vrai"), True),
    **dict.fromkeys(("false", "0", "faux"), False),
}
MOST: Final = 2**63 - 1


def invalid(column: str, what: str) -> InvalidError:
    return InvalidError(f"{column} {what}", code="invalid_value")


def name(cells: Cells, column: str, *, longest: int) -> str:
    """A name as it is stored."""
    found = optional_name(cells, column, longest=longest)
    if found is None:
        raise InvalidError(f"{column} is empty", code="missing_value")
    return found


def optional_name(cells: Cells, column: str, *, longest: int) -> str | None:
    given = cells.get(column, "")
    if not given or given.isspace():
        return None
    if given.isascii() and given.isprintable() and len(given) <= longest and given == given.strip():
        return given
    try:
        return normalise(given, field=column, longest=longest)
    except InvalidError as error:
        raise InvalidError(f"{column}: {error.message}", code=error.code) from None


def verbatim(cells: Cells, column: str, *, longest: int) -> str | None:
    """A text as it stands; None when it is absent."""
    given = cells.get(column)
    if given is not None and len(given) > longest:
        raise invalid(column, f"has more than {longest} characters")
    return given


def line(cells: Cells, column: str, *, longest: int) -> str | None:
    """A text on one line, trimmed and NFC; None when it is absent."""
    given = cells.get(column)
    if not given:
        return given
    tidy = unicodedata.normalize("NFC", given.strip())
    if len(tidy) > longest:
        raise invalid(column, f"has more than {longest} characters")
    if not tidy.isprintable() and any(map(_is_control, tidy)):
        raise invalid(column, "has control characters")
    return tidy


def email(cells: Cells, column: str, *, longest: int) -> str | None:
    """An e-mail address, empty for none; None when it is absent."""
    tidy = line(cells, column, longest=longest)
    if not tidy:
        return tidy
    local, _, domain = tidy.partition("@")
    if not local or not domain or "@" in domain or any(map(str.isspace, tidy)):
        raise invalid(column, "is no e-mail address")
    return tidy


def flag(cells: Cells, column: str) -> bool | None:
    """None when it is absent or empty."""
    given = cells.get(column, "").strip()
    if not given:
        return None
    found = FLAGS.get(given.lower())
    if found is None:
        raise invalid(column, "is neither true nor false")
    return found


def choice(cells: Cells, column: str, allowed: tuple[str, ...]) -> str | None:
    """None when it is absent or empty."""
    given = cells.get(column, "").strip()
    if not given:
        return None
    if given not in allowed:
        raise invalid(column, f"is none of {', '.join(allowed)}")
    return given


def number(cells: Cells, column: str, *, least: int, most: int = MOST) -> int | None:
    """None when it is absent or empty."""
    given = cells.get(column, "").strip()
    if not given:
        return None
    digits = given.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MOST))):
        raise invalid(column, "is no whole number")
    value = int(given)
    if not least <= value <= most:
        raise invalid(column, f"is not between {least} and {most}")
    return value


def _is_control(char: str) -> bool:
    return char < " " or char == "\x7f"
