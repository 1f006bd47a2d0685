"""Where a row comes from, when its line alone does not tell."""

from typing import Self


class Line(int):
    """The number of a line, told apart from others that are the same: several rows may come from
    one line, and lines from several files of an archive."""

    nth: int
    file: str | None

    def __new__(cls, number: int, nth: int = 0, file: str | None = None) -> Self:
        line = super().__new__(cls, number)
        line.nth, line.file = nth, file
        return line

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Line) and self._key() == other._key()

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[int, int, str | None]:
        return int(self), self.nth, self.file
