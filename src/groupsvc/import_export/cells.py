"""From the text of a cell to its value. Every refusal names the column and repeats nothing.

A reader takes the name of its column and a text that is not empty; it returns None for one that
counts as empty all the same.
"""

import unicodedata
from collections.abc import Callable
from typing import Any, Final

from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise

Reader = Callable[[str, str], Any]

FLAGS: Final = {
    # Spreadsheets write them in capitals and in the language of their owner.
    **dict.fromkeys(("true", "1", "vrai"), True),
    **dict.fromkeys(("false", "0", "faux"), False),
}
MOST: Final = 2**63 - 1


def invalid(column: str, what: str) -> InvalidError:
    return InvalidError(f"{column} {what}", code="invalid_value")


def missing(column: str) -> InvalidError:
    return InvalidError(f"{column} is empty", code="missing_value")


def name(longest: int) -> Reader:
    """A name as it is stored."""

    def read(column: str, text: str) -> str | None:
        if text.isspace():
            return None
        if text.isascii() and text.isprintable() and len(text) <= longest and text == text.strip():
            return text
        try:
            return normalise(text, field=column, longest=longest)
        except InvalidError as error:
            raise InvalidError(f"{column}: {error.message}", code=error.code) from None

    return read


def verbatim(longest: int) -> Reader:
    """A text as it stands."""

    def read(column: str, text: str) -> str:
        if len(text) > longest:
            raise invalid(column, f"has more than {longest} characters")
        return text

    return read


def line(longest: int) -> Reader:
    """A text on one line, trimmed and NFC."""

    def read(column: str, text: str) -> str | None:
        tidy = unicodedata.normalize("NFC", text.strip())
        if len(tidy) > longest:
            raise invalid(column, f"has more than {longest} characters")
        if not tidy.isprintable() and any(map(_is_control, tidy)):
            raise invalid(column, "has control characters")
        return tidy or None

    return read


def email(longest: int) -> Reader:
    read_line = line(longest)

    def read(column: str, text: str) -> str | None:
        tidy: str | None = read_line(column, text)
        if tidy is None:
            return None
        local, _, domain = tidy.partition("@")
        if not local or not domain or "@" in domain or any(map(str.isspace, tidy)):
            raise invalid(column, "is no e-mail address")
        return tidy

    return read


def flag(column: str, text: str) -> bool | None:
    given = text.strip()
    if not given:
        return None
    found = FLAGS.get(given.lower())
    if found is None:
        raise invalid(column, "is neither true nor false")
    return found


def choice(*allowed: str) -> Reader:
    def read(column: str, text: str) -> str | None:
        given = text.strip()
        if given and given not in allowed:
            raise invalid(column, f"is none of {', '.join(allowed)}")
        return given or None

    return read


def number(least: int, most: int = MOST) -> Reader:
    def read(column: str, text: str) -> int | None:
        given = text.strip()
        if not given:
            return None
        digits = given.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(MOST))):
            raise invalid(column, "is no whole number")
        value = int(given)
        if not least <= value <= most:
            raise invalid(column, f"is not between {least} and {most}")
        return value

    return read


def _is_control(char: str) -> bool:
    return char < " " or char == "\x7f"
