"""A row of an answer."""

from operator import itemgetter
from typing import Any, Final

import asyncpg

# Columns that are none of its own: whether there is a row, and for which of several calls.
FOUND: Final = "found"
CALL: Final = "call"


class Row(asyncpg.Record):
    """A row whose columns are attributes."""

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        # From now on the class has it, which is several times as fast.
        setattr(Row, name, property(itemgetter(name)))
        return value

    def _asdict(self) -> dict[str, Any]:
        return {name: value for name, value in self.items() if name not in (FOUND, CALL)}
