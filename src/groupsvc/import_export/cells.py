"""From the text of a cell to its value. Every refusal names the column and repeats nothing.

A reader takes the name of its column and a text that is not empty; it returns None for one that
counts as empty all the same.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from pydantic import StringConstraints, TypeAdapter, ValidationError

from groupsvc.domain.email_addresses import is_address
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise

Reader = Callable[[str, str], Any]

# Spreadsheets write flags in capitals and in the language of their owner.
_TRUE: Final = ("true", "1", "vrai", "wahr", "vero", "verdadero", "verdadeiro", "waar", "sant")
_TRUE_NEARBY: Final = ("sand", "sann", "tosi", "prawda", "pravda", "igaz", "adevărat", "doğru")
_FALSE: Final = ("false", "0", "faux", "falsch", "falso", "onwaar", "falskt", "falsk", "usann")
_FALSE_NEARBY: Final = ("epätosi", "fałsz", "nepravda", "hamis", "fals", "yanliş", "ложь")
FLAGS: Final = {
    **dict.fromkeys((*_TRUE, *_TRUE_NEARBY, "истина"), True),
    **dict.fromkeys((*_FALSE, *_FALSE_NEARBY), False),
}
MOST: Final = 2**63 - 1
# What other programs write behind a whole number in a column that has empty cells.
_NO_DECIMALS: Final = re.compile(r"(?<=[0-9])[.,]0+$")
_PERHAPS_THOUSANDS: Final = re.compile(r"-?[0-9]{1,3}[.,]000")
T = TypeVar("T")
_TEXTS: Final = TypeAdapter(list[str])
_IDS: Final = TypeAdapter(dict[str, Annotated[str, StringConstraints(pattern=r"\S")]])


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


def address(column: str, text: str) -> str | None:
    """An e-mail address that waits, as it stands."""
    given = text.strip()
    if given and not is_address(given):
        raise invalid(column, "is no e-mail address")
    return given or None


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


def choice_in_any_case(*allowed: str) -> Reader:
    read = choice(*allowed)
    return lambda column, text: read(column, text.lower())


def number(least: int, most: int = MOST) -> Reader:
    def read(column: str, text: str) -> int | None:
        if _PERHAPS_THOUSANDS.fullmatch(text.strip()):
            raise invalid(column, "may be a number with decimals or one of thousands")
        given = _NO_DECIMALS.sub("", text.strip())
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


def day(column: str, text: str) -> date | None:
    given = text.strip()
    if not given:
        return None
    try:
        return date.fromisoformat(given) if len(given) == len("2026-09-01") else _no_day(column)
    except ValueError:
        return _no_day(column)


def record_key(column: str, text: str) -> UUID | None:
    """The key of something, as an export gives it."""
    given = text.strip()
    if not given:
        return None
    try:
        return UUID(given)
    except ValueError:
        raise invalid(column, "is no key of an export") from None


def names(longest: int) -> Reader:
    """Several names, as a JSON list of texts."""
    read_name = name(longest)

    def read(column: str, text: str) -> list[str]:
        given = _json(_TEXTS, column, text, "list")
        found = (read_name(column, each) for each in given if each)
        return list(dict.fromkeys(each for each in found if each))

    return read


def external_ids(column: str, text: str) -> dict[str, str]:
    """Ids by the system that knows somebody by them, as a JSON object of texts."""
    given = _json(_IDS, column, text, "object")
    return {system: verbatim(255)(column, number.strip()) for system, number in given.items()}


def _json(adapter: TypeAdapter[T], column: str, text: str, what: str) -> T:
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError:
        raise invalid(column, f"is no JSON {what} of texts") from None


def _no_day(column: str) -> date:
    raise invalid(column, "is no date such as 2026-09-01")


def _is_control(char: str) -> bool:
    return char < " " or char == "\x7f"
