"""Seals over the change log, and where its old lines are."""

from dataclasses import asdict, dataclass
from typing import Final

from groupsvc.core.audit.seals import BEFORE_ALL, Line, Seal
from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)


@dataclass(frozen=True, slots=True)
class Mark:
    """Lines up to ``seq`` are complete once all transactions below ``xid`` are over."""

    seq: int
    xid: int


@dataclass(frozen=True, slots=True)
class Archive:
    last_seq: int
    lines: int
    file: str
    sha256: bytes


class AuditRepository(Repository):
    async def mark(self) -> Mark | None:
        """The end of the log as it is now; None while it is empty."""
        row = await self._row(SQL.mark)
        return Mark(row.seq, row.xid) if row is not None and row.seq is not None else None

    async def is_over(self, mark: Mark) -> bool:
        """Whether all lines up to a mark are there.

        A database that was restored elsewhere counts transactions anew: what was marked before
        is over there.
        """
        row = await self._row(SQL.state)
        assert row is not None
        return bool(row.oldest >= mark.xid or row.next < mark.xid)

    async def take_turn(self) -> bool:
        row = await self._row(SQL.turn)
        return row is not None and bool(row.mine)

    async def seals(self, *, after: int = 0, limit: int) -> list[Seal]:
        rows = await self._rows(SQL.seals, after=after, limit=limit)
        return [Seal(**row._asdict()) for row in rows]

    async def last_seal(self) -> Seal | None:
        row = await self._row(SQL.last_seal)
        return Seal(**row._asdict()) if row is not None else None

    async def last_of(self, after: int, last_seq: int, limit: int) -> int | None:
        """The number of the last of so many lines; None when there is no line."""
        row = await self._row(SQL.last_of, after=after, last_seq=last_seq, limit=limit)
        return row.seq if row is not None else None

    async def remember_actors(self, after: int, last_seq: int) -> None:
        await self._rows(SQL.remember_actors, after=after, last_seq=last_seq)

    async def lines(self, after: int, last_seq: int) -> list[Line]:
        rows = await self._rows(SQL.lines, after=after, last_seq=last_seq)
        return [Line(row.seq, row.changeset_id, row.text) for row in rows]

    async def add_seal(self, seal: Seal) -> None:
        await self._rows(SQL.add_seal, **asdict(seal))

    async def unsealed(self) -> int:
        """How many lines came after the last seal."""
        row = await self._row(SQL.unsealed)
        return int(row.lines) if row is not None else 0

    async def silenced(self) -> bool:
        """Whether somebody was made anonymous as an actor who was not erased as a person."""
        return bool(await self._rows(SQL.silenced))

    async def archives(self) -> list[Archive]:
        return [Archive(**row._asdict()) for row in await self._rows(SQL.archives)]

    async def due(self, days: int, limit: int) -> list[Seal]:
        """Some seals that are so old, and whose lines are in no file."""
        rows = await self._rows(SQL.due, days=days, limit=limit)
        return [Seal(**row._asdict()) for row in rows]

    async def seal_before(self, seal_id: int) -> Seal | None:
        found = await self.seals(after=seal_id - 2, limit=1) if seal_id > 1 else []
        return found[0] if found else None

    async def add_archive(self, archive: Archive) -> None:
        await self._rows(SQL.add_archive, **asdict(archive))

    async def first_line(self) -> int | None:
        row = await self._row(SQL.first_line)
        return row.seq if row is not None else None

    async def remove_archived(self, after: int, last_seq: int) -> int:
        """Delete lines that are in archives, of courses that are gone; returns how many."""
        return len(await self._rows(SQL.remove_archived, after=after, last_seq=last_seq))


def first_after(seal: Seal | None) -> int:
    """The number after which the lines begin that a seal does not cover."""
    return seal.last_seq if seal is not None else BEFORE_ALL
