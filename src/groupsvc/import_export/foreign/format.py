"""What is declared of a kind of file of another system."""

from collections.abc import Collection
from dataclasses import dataclass

from groupsvc.import_export.columns import plain
from groupsvc.import_export.parts import Part


@dataclass(frozen=True, eq=False)
class Format:
    """``name`` is what asks for it, ``title`` what people call it.

    A header that has one column of each of ``tells`` is of this format. ``headless`` are the
    columns of a file without a header.
    """

    name: str
    title: str
    tells: tuple[tuple[str, ...], ...]
    parts: tuple[Part, ...]
    headless: tuple[str, ...] = ()

    def is_told_by(self, keys: Collection[str]) -> bool:
        return bool(self.tells) and all(
            any(plain(name) in keys for name in names) for names in self.tells
        )
