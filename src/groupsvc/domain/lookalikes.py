"""When two names look the same, and when two numbers may be one that a spreadsheet has damaged."""

import re
import unicodedata
from itertools import product
from typing import Final, Literal, NamedTuple

# How a text was found to mean somebody or something.
How = Literal["exact", "lookalike", "damaged", "former_name"]

_APOSTROPHES: Final = (
    "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bb\u02bc\u02bd`\u00b4\u1ffd\u055a\ua78c\uff07"
)
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u02d7\ufe58\ufe63\uff0d"
_STRAIGHT: Final = {ord(char): "'" for char in _APOSTROPHES} | {ord(char): "-" for char in _DASHES}
# What Unicode calls ignorable by default, and control characters that are no white space.
_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_FRACTION: Final = re.compile("([0-9]+)[.,]0*")
# Digits in groups: of any number with blanks between, or of three, perhaps with decimals.
_BLANKS: Final = " \u00a0\u2009\u202f"
_SPACED: Final = re.compile(f"[0-9]+(?:[{_BLANKS}][0-9]+)+")
_THOUSANDS: Final = re.compile(
    "([0-9]{1,3}(['\u2019.,\u00a0\u2009\u202f])[0-9]{3}(?:\\2[0-9]{3})*)(?:(?!\\2)[.,]0*)?"
)
_NO_DIGITS: Final = re.compile("[^0-9]+")
_EXPONENT: Final = re.compile(r"([0-9])(?:[.,]([0-9]+)[eE]\+?|[eE]\+)([0-9]{1,2})")
LONGEST_NUMBER: Final = 64
LEAST_DIGITS: Final = 2
MOST_NEAR: Final = 5  # names that a refusal tells


def lookalike(name: str) -> str:
    """The same for names that look the same.

    Case, runs of spaces, invisible characters, compatible forms, and the shapes of apostrophes and
    dashes make no difference; letters of other scripts do.
    """
    if name.isascii() and name.isprintable():
        return " ".join(name.lower().replace("`", "'").split())
    visible = _INVISIBLE.sub("", name).translate(_STRAIGHT)
    folded = unicodedata.normalize("NFKD", visible).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).translate(_STRAIGHT).split())


class Similar(NamedTuple):
    """Numbers that one may stand for: without zeros in front, all of one length, in one range."""

    low: str
    high: str


def similar(number: str) -> tuple[Similar, ...]:
    """What a number may have been before a spreadsheet took it for a quantity; none for no number.

    Zeros in front are lost, ``.0`` is added, digits are put into groups, and of a long one only the
    first digits are left, two at least: one digit says too little. ``42.000`` may be of any of
    these: 42, and 42000.
    """
    text = unquoted(number)
    if (found := _EXPONENT.fullmatch(text)) is not None:
        rounded = _rounded(found[1] + (found[2] or ""), int(found[3]))
        return (rounded,) if rounded is not None else ()
    whole, grouped = _FRACTION.fullmatch(text), _THOUSANDS.fullmatch(text)
    readings = [whole[1]] if whole is not None else []
    if grouped is not None or _SPACED.fullmatch(text):
        readings.append(_NO_DIGITS.sub("", grouped[1] if grouped is not None else text))
    bare = dict.fromkeys(each.lstrip("0") for each in readings or [text])
    return tuple(
        Similar(each, each)
        for each in bare
        if each and len(each) <= LONGEST_NUMBER and any(map(str.isdigit, each))
    )


def is_number(text: str) -> bool:
    """Whether there are digits alone, once damage is mended."""
    readings = similar(text)
    return bool(readings) and all(each.low.isdigit() for each in readings)


def unquoted(number: str) -> str:
    """Without the quotes, ``="..."`` or apostrophe that keep a spreadsheet from reading it."""
    text = number.strip().removeprefix("=").strip("\"'\u2018\u2019\u201c\u201d")
    return text.strip()


def shows_damage(number: str, *, may_be_list: bool = False) -> bool:
    """Whether it shows by itself that a spreadsheet took it for a quantity, or was kept from it.

    Where there ``may_be_list`` of numbers, digits in groups show nothing.
    """
    forms = (_FRACTION, _EXPONENT) if may_be_list else (_FRACTION, _EXPONENT, _THOUSANDS)
    return unquoted(number) != number or any(form.fullmatch(number) for form in forms)


def differ_by_damage(one: str, other: str) -> bool:
    """Whether two different numbers may be the same one."""
    if one == other:
        return False
    return any(
        len(this.low) == len(that.low) and this.low <= that.high and that.low <= this.high
        for this, that in product(similar(one), similar(other))
    )


def _rounded(digits: str, exponent: int) -> Similar | None:
    """All whole numbers of which these are the first digits, rounded."""
    lost = exponent + 1 - len(digits)
    if len(digits) < LEAST_DIGITS or lost < 0 or exponent >= LONGEST_NUMBER or digits[0] == "0":
        return None
    value, half = int(digits) * 10**lost, 10**lost // 2
    least, most = 10**exponent, 10 ** (exponent + 1) - 1
    return Similar(str(max(value - half, least)), str(min(value + half, most)))
