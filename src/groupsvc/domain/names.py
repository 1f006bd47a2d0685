"""One normalisation of names, for every face."""

import unicodedata

from groupsvc.domain.errors import InvalidError

LONGEST = 255
LONGEST_SORT_KEY = 200  # enough to sort by, and short enough for an index and a cursor


def normalise(name: object, *, field: str = "name", longest: int = LONGEST) -> str:
    """The form in which a name is stored and compared: trimmed and NFC.

    Raises InvalidError for what is no text, empty, too long or not storable as text.
    """
    if not isinstance(name, str):
        raise InvalidError("the name is not a text", code="invalid_name", pointer=f"#/{field}")
    tidy = unicodedata.normalize("NFC", name.strip())
    if not tidy or len(tidy) > longest or not _is_storable(tidy):
        raise InvalidError(
            f"the name must have 1 to {longest} characters that can be stored",
            code="invalid_name",
            pointer=f"#/{field}",
        )
    return tidy


def _is_storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)


def sort_key(family_name: str, given_name: str, username: str) -> str:
    """Family name, then given name, without case and accents; the username when both are empty."""
    shown = f"{family_name} {given_name}".strip() or username
    return without_case_and_accents(shown)[:LONGEST_SORT_KEY]


def without_case_and_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))
