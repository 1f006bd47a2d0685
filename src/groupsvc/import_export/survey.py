"""What the rows of a whole table are about by their keys, found out before the first is done.

A batch tells it of itself; of a table of several batches somebody must look ahead. A name may be
taken from somebody whose own row comes much later.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final
from uuid import UUID

from groupsvc.core.service import Service
from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.cells import record_key
from groupsvc.import_export.columns import Kind
from groupsvc.import_export.kinds import COURSES, ROSTER, STRUCTURE, USERNAME
from groupsvc.import_export.reading import next_batch
from groupsvc.import_export.record_keys import KeyRepository, Table
from groupsvc.import_export.tables import Row

# What the keys of each column are of.
KEYED: Final[Mapping[Kind, Mapping[str, Table]]] = {
    COURSES: {"key": "courses"},
    ROSTER: {"key": "users"},
    STRUCTURE: {"partition_key": "partitions", "key": "groups"},
}


@dataclass(slots=True)
class KeyedInFile:
    """Ids of what rows are about by their keys, packed: a file may have a million rows.

    ``given_up`` are usernames of users who get other ones. Empty where one batch has it all.
    """

    ids: "dict[Table, array[int]]" = field(default_factory=dict[Table, "array[int]"])
    given_up: set[str] = field(default_factory=set[str])

    def __bool__(self) -> bool:
        return bool(self.ids)

    def has(self, table: Table, record_id: int) -> bool:
        ids = self.ids.get(table, array("q"))
        at = bisect_left(ids, record_id)
        return at < len(ids) and ids[at] == record_id

    def add(self, table: Table, ids: Iterable[int]) -> None:
        self.ids.setdefault(table, array("q")).extend(ids)

    def sort(self) -> None:
        self.ids = {table: array("q", sorted(ids)) for table, ids in self.ids.items()}


def with_keys(kind: Kind, rows: Iterable[Row], *, uniform: bool) -> Iterator[Row]:
    """Rows that may have a key. All rows of a ``uniform`` table have the same columns."""
    columns = KEYED.get(kind, {})

    def may_have(row: Row) -> bool:
        return not columns.keys().isdisjoint(row.cells)

    if not columns:
        return iter(())
    if uniform:
        return takewhile(lambda row: row.fault is not None or may_have(row), rows)
    return filter(may_have, rows)


class SurveyService(Service):
    async def look_ahead(
        self, kind: Kind, rows: Iterator[Row], first: Sequence[Row]
    ) -> KeyedInFile:
        """``first`` are those before the ``rows``."""
        found = KeyedInFile()
        batch = first
        while batch:
            for column, table in KEYED[kind].items():
                keyed = _keyed(batch, column)
                records = await self._uow.repository(KeyRepository).records(table, keyed)
                found.add(table, (record_id for record_id, _ in records.values()))
                if kind is ROSTER:
                    names = ((keyed[key], name) for key, (_, name) in records.items())
                    found.given_up |= {name for given, name in names if not given <= {name}}
            batch = await next_batch(rows)
        found.sort()
        return found


def _keyed(rows: Iterable[Row], column: str) -> dict[UUID, set[str]]:
    """Keys, with the usernames in the same rows, if there are any."""
    found: dict[UUID, set[str]] = {}
    for row in rows:
        try:
            key = record_key(column, row.cells.get(column, ""))
            text = row.cells.get(USERNAME.name)
            name = USERNAME.read(USERNAME.name, text) if text else None
        except GroupsvcError:
            continue  # The row is refused when it is read.
        if key is not None:
            found.setdefault(key, set()).update({name} if name is not None else ())
    return found
