"""The change log of a course, folded into what its tables must hold.

Every line says what was before: a line that is missing shows at the next one about the same thing,
or in the tables at the end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Row = dict[str, Any]
NOUNS = ("course", "cohort_settings", "partition", "group")


class Line(NamedTuple):
    seq: int
    changeset: str
    request: str | None
    kind: str
    partition: int | None
    group: int | None
    user: int | None
    before: Row | None
    after: Row | None


class ReplayError(Exception):
    """A line does not follow from those before it."""


@dataclass
class Held:
    """What a course consists of; rows by noun and id, groups of users by partition and user."""

    rows: dict[tuple[str, int], Row] = field(default_factory=dict)
    enrolled: dict[int, Row] = field(default_factory=dict)
    members: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def is_locked(self) -> bool:
        return any(row["is_locked"] for (noun, _), row in self.rows.items() if noun == "course")

    def groups(self, partition: int) -> list[Row]:
        """In their order."""
        found = [
            row
            for (noun, _), row in self.rows.items()
            if noun == "group" and row["partition_id"] == partition
        ]
        return sorted(found, key=lambda row: (row["position"], row["name"] or ""))

    def partition_of(self, group: int) -> int | None:
        row = self.rows.get(("group", group))
        return row["partition_id"] if row else None

    def size(self, group: int) -> int:
        return Counter(self.members.values())[group]

    def apply(self, line: Line) -> None:
        noun, _, _ = line.kind.partition(".")
        if noun == "membership":
            self._move(line)
        elif noun == "enrollment":
            assert line.user is not None
            self._put(self.enrolled, line.user, line)
        elif noun in NOUNS:
            row = line.after or line.before
            assert row is not None
            self._put(self.rows, (noun, row["id"]), line)
        elif noun != "former_name":  # which changes nothing that is compared
            raise ReplayError(f"line {line.seq} is of an unknown kind, {line.kind}")

    def _move(self, line: Line) -> None:
        assert line.partition is not None
        assert line.user is not None
        place, was = (line.partition, line.user), line.before and line.before["group_id"]
        if self.members.get(place) != was:
            raise ReplayError(f"line {line.seq} moves {place} from {was}: {self.members}")
        if line.after is None:
            self.members.pop(place, None)
        else:
            self.members[place] = line.after["group_id"]

    def _put(self, into: dict[Any, Row], key: Any, line: Line) -> None:
        if not _is_same(into.get(key), line):
            raise ReplayError(
                f"line {line.seq} changes {line.before}, and there is {into.get(key)}"
            )
        if line.after is None:
            del into[key]
        else:
            into[key] = line.after


def _is_same(known: Row | None, line: Line) -> bool:
    """The last line of a group or a partition has columns that no other one has."""
    if known is None or line.before is None or line.after is not None:
        return known == line.before
    return known.items() <= line.before.items()


def replay(lines: Iterable[Line]) -> Held:
    held = Held()
    for line in lines:
        held.apply(line)
    return held


def broken_rules(lines: Iterable[Line]) -> Iterator[str]:
    """Rules that some moment of the log breaks: at the last line of each changeset."""
    held, every = Held(), list(lines)
    last = {line.changeset: line.seq for line in every}
    touched: dict[str, set[int]] = {}
    for line in every:
        if held.is_locked and line.kind.split(".")[0] in ("partition", "group", "membership"):
            yield f"line {line.seq} changes a locked course: {line.kind}"
        held.apply(line)
        touched.setdefault(line.changeset, set()).add(line.group or 0)
        if last[line.changeset] == line.seq:
            yield from _overfull(held, touched.pop(line.changeset), line)


def _overfull(held: Held, groups: set[int], line: Line) -> Iterator[str]:
    for group in groups:
        row = held.rows.get(("group", group))
        capacity = row and row["capacity"]
        if capacity is not None and held.size(group) > capacity:
            yield f"after line {line.seq} group {group} has {held.size(group)} of {capacity}"
