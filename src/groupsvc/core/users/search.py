"""Finding users by what somebody types."""

from collections.abc import Sequence
from dataclasses import dataclass


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
