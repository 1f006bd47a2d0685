"""What an import does when all rows are in: it would stand in the way of the rows before."""

from collections.abc import Set
from dataclasses import dataclass, field

from groupsvc.import_export.list_orders import List, Orders, Wanted
from groupsvc.import_export.lists import Lists
from groupsvc.import_export.survey import KeyedInFile


@dataclass(frozen=True, slots=True)
class Pending:
    """``locks`` are courses to be locked, ``closing`` partitions (with their course) whose groups
    are not to be edited any more, ``orders`` what becomes of the order of lists. ``lists`` tell who
    is not in the file. Rows ``follow`` when others may have to be done before them once more.
    ``keyed`` is what rows of all batches are about by their keys.
    """

    locks: Set[int] = frozenset()
    closing: Set[tuple[int, int]] = frozenset()
    orders: Orders = field(default_factory=dict[List, Wanted])
    lists: Lists = field(default_factory=Lists)
    follow: bool = False
    keyed: KeyedInFile = field(default_factory=KeyedInFile)
