"""What an import is told besides its rows."""

from dataclasses import dataclass
from typing import Literal

from groupsvc.import_export.dangers import NOTHING, Accepted

EmptyCells = Literal["keep", "clear"]
Order = Literal["file", "natural"]
Mode = Literal["row_by_row", "all_or_nothing"]


@dataclass(frozen=True, slots=True)
class Options:
    """``create`` makes partitions and groups that are missing, at the end of their lists.

    ``only`` takes others out of the groups that assignments name, ``withdraw_missing`` withdraws
    those who are active in a course of a roster and not in it. In ``mode`` all_or_nothing nothing
    is written when anything is refused; a ``dry_run`` does everything and then undoes it. Groups
    that are made are in the ``order`` of the file, or in the natural order of their names.
    """

    create: bool = False
    accept: Accepted = NOTHING
    empty: EmptyCells = "keep"
    only: bool = False
    withdraw_missing: bool = False
    mode: Mode = "row_by_row"
    dry_run: bool = False
    order: Order = "file"

    @property
    def clears(self) -> bool:
        return self.empty == "clear"
