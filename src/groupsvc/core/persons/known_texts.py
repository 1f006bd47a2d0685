"""The texts that name a person, wherever they stand."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

ERASED: Final = "[erased]"
SHORTEST_APART: Final = 5  # letters; what is shorter is part of other words

# Not persons, whatever their usernames are.
PROGRAMS: Final = frozenset({"anonymous", "cli"})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTexts:
    """``identifiers`` in lower case; ``subjects`` are who acts in the log as this person."""

    identifiers: frozenset[str]
    names: Sequence[str]
    external: Sequence[str]
    accounts: Sequence[str]
    subjects: frozenset[str]

    @property
    def of_somebody(self) -> bool:
        return bool(self.identifiers or self.external)

    def searched(self) -> list[bytes]:
        """For documents: texts that stand for this person alone, in the form that JSON has."""
        whole = [*self.names, *self.external]
        parts = [" ".join(pair) for pair in zip(self.names, self.names[1:], strict=False)]
        parts += [" ".join(reversed(part.split(" ", 1))) for part in parts]
        for each in self.identifiers:
            (parts if len(each) >= SHORTEST_APART else whole).append(each)
        quoted = [json.dumps(text, ensure_ascii=False) for text in whole]
        bare = [json.dumps(text, ensure_ascii=False)[1:-1] for text in parts]
        return [text.encode() for text in dict.fromkeys([*quoted, *bare])]

    def apart(self) -> list[str]:
        """Identifiers that are long enough to stand for this person in the middle of a text."""
        return [each for each in self.identifiers if len(each) >= SHORTEST_APART]

    def is_named_in(self, content: bytes) -> bool:
        text = content.decode("utf-8", "replace").lower()
        return any(each in text for each in self.identifiers)


def known_texts(
    identifiers: Iterable[str | None],
    names: Iterable[str | None],
    *,
    external: Iterable[str | None] = (),
    accounts: Sequence[str] = (),
    subjects: Iterable[str] = (),
) -> KnownTexts:
    given = [each for each in identifiers if each]
    acting = {*subjects, *given, *(f"account:{name}" for name in accounts)}
    return KnownTexts(
        identifiers=frozenset(each.lower() for each in given),
        names=[each for each in names if each],
        external=[each for each in external if each],
        accounts=accounts,
        subjects=frozenset(acting - PROGRAMS),
    )


def redacted(value: Any, texts: frozenset[str], mark: str = ERASED) -> Any:
    """The same with a mark for each of the texts, in whatever case and depth."""
    if isinstance(value, str):
        return mark if value.strip().lower() in texts else value
    if isinstance(value, list):
        return [redacted(each, texts, mark) for each in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {name: redacted(each, texts, mark) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value
