"""Keys under which a file has several names, as where somebody has dragged one down.

Each row would rename what the row before has named, and one record would be left of many.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from cachetools import LRUCache

from groupsvc.import_export.columns import Kind
from groupsvc.import_export.tables import Row

# Of larger files, those that rows not far apart have.
MOST_KEYS: Final = 20_000
NAMED_TWICE: Final = "key_named_twice"


class KeysInFile:
    """Looks at the rows of a file in their order."""

    def __init__(self, kind: Kind) -> None:
        self._keyed = kind.keyed
        self._names = LRUCache[tuple[str, ...], str](MOST_KEYS)

    def judge(self, rows: Iterable[Row]) -> None:
        """Mark rows that name what has their key otherwise than a row before."""
        for row in rows if self._keyed else ():
            if row.fault is not None:
                continue
            for column, (*place, name) in self._keyed.items():
                key, given = _text(row, column).lower(), _text(row, name)
                if not key or not given:
                    continue
                about = (column, key, *(_text(row, each) for each in place))
                if self._names.setdefault(about, given) != given:
                    row.fault = f"{column} is that of another {name} in a row before"
                    row.fault_code = NAMED_TWICE


def _text(row: Row, column: str) -> str:
    return unicodedata.normalize("NFC", row.cells.get(column, "").strip())
