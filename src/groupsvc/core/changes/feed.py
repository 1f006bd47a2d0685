"""The change log as it goes on: what readers that come back for more are told."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile
from groupsvc.domain.errors import UnavailableError
from groupsvc.domain.principal import Place

SQL: Final = SqlFile(__file__)


class Position(NamedTuple):
    """A line that a reader has come to; ``mark`` tells it from one of another past.

    Numbers stay what they are when a database is copied or taken over. After the restoration of a
    backup they are given again, to other lines.
    """

    seq: int
    mark: str


BEGINNING: Final = Position(0, "")


class Line(NamedTuple):
    """``body`` is the change as JSON."""

    seq: int
    mark: str
    course_id: int
    body: str

    @property
    def position(self) -> Position:
        return Position(self.seq, self.mark)


class Look(NamedTuple):
    """The end of the log, and the transactions that may still add lines before it.

    Lines up to ``sealed`` are all there. ``is_known`` says whether the log has the line that the
    observer had come to.
    """

    newest: Position
    sealed: Position
    is_known: bool
    writers: frozenset[str]


class Start(NamedTuple):
    place: Place
    is_known: bool


class Places(NamedTuple):
    """Where courses are, those that there are, in a version of what tokens stand for."""

    version: UUID
    courses: Mapping[int, Place]


class FeedRepository(Repository):
    async def look(self, anchor: Position) -> Look:
        """Raises UnavailableError of a standby, which knows nothing of who writes."""
        (row,) = await self._rows(SQL.look, seq=anchor.seq, mark=anchor.mark)
        if row.is_standby:
            raise UnavailableError("the database has changed its place")
        return Look(
            Position(row.seq, row.mark),
            Position(row.sealed_seq, row.sealed_mark),
            row.is_known,
            frozenset(row.writers),
        )

    async def start(self, course_id: int, position: Position) -> Start | None:
        row = await self._row(SQL.start, course_id=course_id, seq=position.seq, mark=position.mark)
        return Start(Place(row.department, row.course), row.is_known) if row is not None else None

    async def knows(self, position: Position) -> bool:
        (row,) = await self._rows(SQL.knows, seq=position.seq, mark=position.mark)
        return bool(row.is_known)

    async def lines(
        self, courses: Collection[int], *, after: int, until: int, limit: int
    ) -> Sequence[Line]:
        rows = await self._rows(
            SQL.lines, courses=list(courses), after=after, until=until, limit=limit
        )
        return [Line(row.seq, row.mark, row.course_id, row.body) for row in rows]

    async def course_lines(
        self, course_id: int, *, after: int, until: int, limit: int
    ) -> Sequence[Line]:
        rows = await self._rows(
            SQL.course_lines, course_id=course_id, after=after, until=until, limit=limit
        )
        return [Line(row.seq, row.mark, row.course_id, row.body) for row in rows]

    async def places(self, courses: Collection[int]) -> Places:
        rows = await self._rows(SQL.places, courses=list(courses))
        found = {row.id: Place(row.department, row.course) for row in rows if row.id is not None}
        return Places(rows[0].access_version, found)
