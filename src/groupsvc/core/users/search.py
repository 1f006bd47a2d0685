"""Finding users by what somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass

# Every word begins a word of the name.
NAMED = "translate(' ' || u.sort_key, '-''', '  ') LIKE ALL (:names)"

# Or the whole text begins a username, an address or a number.
MATCHING = f"""(
    :search IS NULL
    OR {NAMED}
    OR starts_with(lower(u.username), lower(:search COLLATE "C"))
    OR starts_with(lower(u.email), lower(:search COLLATE "C"))
    OR starts_with(lower(u.student_number), lower(:search COLLATE "C"))
    OR starts_with(lower(u.national_number), lower(:search COLLATE "C"))
)"""


def _beginning(column: str) -> str:
    """Users whose column begins with one of the texts: a range, since an index serves ranges."""
    return f"""
        SELECT u.id FROM unnest(:identifiers) AS typed (text)
        JOIN users u ON {column} >= typed.text AND {column} < typed.text || chr(1114111)"""


# The same over all users: names take one pass, in which a word anywhere is the cheaper test and
# comes first; the others take an index each.
FOUND = f"""
    found AS MATERIALIZED (
        SELECT u.id FROM users u
        WHERE u.sort_key LIKE ALL (ARRAY(SELECT '%' || substr(name, 3) FROM unnest(:names) name))
          AND {NAMED}
        UNION {_beginning("u.username")}
        UNION {_beginning('lower(u.email COLLATE "C")')}
        UNION {_beginning("u.student_number")}
        UNION {_beginning("u.national_number")}
    )
"""


@dataclass(frozen=True, slots=True)
class Search:
    """A text that somebody typed, and its words as they would be in a sort key."""

    text: str | None = None
    words: Sequence[str] = ()

    @property
    def names(self) -> list[str] | None:
        """Patterns of the words; None, which nothing is like, when there are none."""
        return [_begins(word) for word in self.words] or None

    @property
    def identifiers(self) -> list[str]:
        """The text as it was typed and as it may have been stored."""
        text = self.text or ""
        return sorted({text, text.lower(), text.upper()})


def _begins(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"% {escaped}%"
