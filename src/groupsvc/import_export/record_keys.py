"""What the keys of exports mean here: a record is found by its key whatever it is called now."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile, Statement

SQL: Final = SqlFile(__file__)

Table = Literal["courses", "users", "partitions", "groups"]
STATEMENTS: Final[Mapping[Table, Statement]] = {
    "courses": SQL.courses,
    "users": SQL.users,
    "partitions": SQL.partitions,
    "groups": SQL.groups,
}


class KeyedRecord(NamedTuple):
    """A partition in its course, or a group in its partition, as it is called here."""

    place: int
    name: str


class KeyRepository(Repository):
    async def records(self, table: Table, keys: Iterable[UUID]) -> dict[UUID, tuple[int, str]]:
        """Ids and names."""
        rows = await self._found(STATEMENTS[table], keys)
        return {row.record: (row.id, row.name) for row in rows}

    async def courses(self, keys: Iterable[UUID]) -> dict[UUID, str]:
        """Course keys, as they are called here, by those of exports."""
        return {row.record: row.name for row in await self._found(SQL.courses, keys)}

    async def users(self, keys: Iterable[UUID]) -> dict[UUID, str]:
        """Usernames."""
        return {row.record: row.name for row in await self._found(SQL.users, keys)}

    async def partitions(self, keys: Iterable[UUID]) -> dict[UUID, KeyedRecord]:
        rows = await self._found(SQL.partitions, keys)
        return {row.record: KeyedRecord(row.course_id, row.name) for row in rows}

    async def groups(self, keys: Iterable[UUID]) -> dict[UUID, KeyedRecord]:
        rows = await self._found(SQL.groups, keys)
        return {row.record: KeyedRecord(row.partition_id, row.name) for row in rows}

    async def _found(self, statement: Statement, keys: Iterable[UUID]) -> Sequence[Any]:
        wanted = sorted(set(keys))
        if not wanted:
            return ()
        return await self._rows(statement, keys=wanted, ids=[_id_in(key) for key in wanted])


def provisional(key: UUID) -> str:
    """What something new goes by as long as its name is another's: no name begins with a space."""
    return f" {key}"


def _id_in(key: UUID) -> int:
    """The id that the database makes a key of, see ``record_key``."""
    return int.from_bytes(key.bytes[:8], signed=True)
