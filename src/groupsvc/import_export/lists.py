"""What a whole file says of the places that it names, batch by batch.

Of people there are ids alone, and packed: a file may have a million rows.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export import dangers
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.kinds import ACTION, ASSIGNMENTS, REMOVE, ROSTER, WITHDRAWN
from groupsvc.import_export.options import Options
from groupsvc.import_export.tables import Row

# A course and a partition of it; 0 is no partition but who is enrolled.
Place = tuple[int, int]
FILE: Final[Place] = (0, 0)  # what is erased is judged for the whole file
# How many of how many, in words.
OF_FILE: Final = "people of the file would lose what is known of them"
OF_COURSE: Final = "people who are active in the course would be withdrawn"
OF_PARTITION: Final = "people in groups of the partition would be taken out"
OF_GROUPS: Final = "people in groups that the file names would be taken out"


def _ids() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Lists:
    """Whom rows name, and whom they take out.

    ``named`` are users whom rows name in a place, or may mean; those of a course are so in all of
    its partitions. ``before`` is how many there were. ``listed`` are the places of which rows are
    done, in partitions with their groups and how many each had. ``lost`` are those whom rows take
    out or withdraw and, under FILE, those of whom they erase something. ``braked`` are places where
    these are too many. Nothing is counted unless that is ``wanted``.
    """

    wanted: bool = False
    braked: Mapping[Place, GroupsvcError] = field(default_factory=dict[Place, GroupsvcError])
    named: "dict[Place, array[int]]" = field(default_factory=dict[Place, "array[int]"])
    before: dict[Place, int] = field(default_factory=dict[Place, int])
    listed: dict[Place, dict[int, int]] = field(default_factory=dict[Place, dict[int, int]])
    lost: dict[Place, set[int]] = field(default_factory=dict[Place, set[int]])
    unreadable: bool = False

    def name(self, place: Place, user_ids: Iterable[int]) -> None:
        self.named.setdefault(place, _ids()).extend(user_ids)

    def lose(self, place: Place, user_id: int) -> None:
        self.lost.setdefault(place, set()).add(user_id)

    def too_large(self) -> dict[Place, GroupsvcError]:
        found: dict[Place, GroupsvcError] = {}
        for place, lost in self.lost.items():
            before = self.before.get(place, 0)
            if place == FILE:
                before = len(set(self.named.get(FILE, ())))
            if dangers.is_large(len(lost), before):
                found[place] = dangers.large(len(lost), before, _words(place))
        return found


def wants_lists(kind: Kind, options: Options) -> bool:
    """Whether an import is about those as well who are not in the file."""
    return (kind is ROSTER and options.withdraw_missing) or (kind is ASSIGNMENTS and options.only)


def losing(kind: Kind, options: Options, rows: Iterable[Row], *, uniform: bool) -> Iterator[Row]:
    """Rows that may take somebody out, withdraw or erase. All rows of a ``uniform`` table have the
    same columns."""
    if kind not in (ROSTER, ASSIGNMENTS) or "large" in options.accept:
        return iter(())
    needed = {ACTION.name, *(("state",) if kind is ROSTER else ())}
    if options.clears and kind is ROSTER:
        return iter(rows)

    def may_lose(row: Row) -> bool:
        cells = row.cells
        return (
            cells.get(ACTION.name, "").strip().lower() == REMOVE
            or (kind is ROSTER and cells.get("state", "").strip() == WITHDRAWN)
            or (options.clears and kind is ASSIGNMENTS and not cells.get("group", "").strip())
        )

    if uniform and not options.clears:
        rows = takewhile(
            lambda row: row.fault is not None or not needed.isdisjoint(row.cells), rows
        )
    return filter(may_lose, rows)


def _words(place: Place) -> str:
    if place == FILE:
        return OF_FILE
    if place[1]:
        return OF_PARTITION
    return OF_COURSE
