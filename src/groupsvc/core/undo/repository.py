"""A changeset as it stands in the change log, and the statements that reverse it.

Whatever its size, it stays in the database: each statement reads the lines of the changeset and
writes what they say had been before.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)

MOST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class CoursePart:
    """What a changeset did in one course. Without a department the course is not there.

    ``is_of_roster``: not only whoever writes groups may do such things.
    """

    course_id: int
    department: str | None
    course: str | None
    first: int
    last: int
    kinds: Sequence[str]
    cause: str | None
    is_of_roster: bool


@dataclass(frozen=True, slots=True)
class Changeset:
    """``nouns`` begin the kinds of its lines. ``cause`` is that of one which undoes another."""

    id: str
    parts: Sequence[CoursePart]

    @property
    def course_ids(self) -> list[int]:
        return [part.course_id for part in self.parts]

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for part in self.parts for kind in part.kinds)

    @property
    def nouns(self) -> frozenset[str]:
        return frozenset(kind.partition(".")[0] for kind in self.kinds)

    @property
    def cause(self) -> str | None:
        return next((part.cause for part in self.parts if part.cause is not None), None)

    def parameters(self) -> dict[str, Any]:
        return {
            "changeset_id": self.id,
            "course_ids": self.course_ids,
            "first": min(part.first for part in self.parts),
            "last": max(part.last for part in self.parts),
        }


@dataclass(frozen=True, slots=True)
class Conflicts:
    """``changes`` are the last of so many as ``count`` says."""

    changes: Sequence[Mapping[str, Any]]
    count: int


@dataclass(frozen=True, slots=True)
class Reversal:
    """What a transaction has written: so many lines of each kind, and the first of them."""

    changeset_id: str | None
    counts: Mapping[str, int]
    changes: Sequence[Mapping[str, Any]]


class UndoRepository(Repository):
    async def find(self, changeset_id: str) -> Changeset | None:
        rows = await self._rows(SQL.find, changeset_id=changeset_id)
        parts = [CoursePart(**row._asdict()) for row in rows]
        return Changeset(changeset_id, parts) if parts else None

    async def hold(self, course_ids: Iterable[int]) -> bool:
        """Let nobody else change the courses; returns whether one of them is locked."""
        rows = await self._rows(SQL.hold, course_ids=list(course_ids))
        return any(row.is_locked for row in rows)

    async def conflicts(self, changeset: Changeset) -> Conflicts:
        """What has been changed since of all that the changeset touched."""
        return _conflicts(
            await self._rows(SQL.conflicts, limit=MOST_SHOWN, **changeset.parameters())
        )

    async def left_over(self, changeset: Changeset) -> Conflicts:
        """What others have put into groups and partitions that the changeset made."""
        return _conflicts(
            await self._rows(SQL.left_over, limit=MOST_SHOWN, **changeset.parameters())
        )

    async def defer_names(self) -> None:
        await self._rows(SQL.defer_names)

    async def check_names(self) -> None:
        """Raises what a name that is used twice means."""
        await self._rows(SQL.check_names)

    async def restore_partitions(self, changeset: Changeset) -> None:
        """Bring back those that were deleted, and the fields of those that were changed."""
        await self._rows(SQL.restore_partitions, **changeset.parameters())

    async def finish_partitions(self, changeset: Changeset) -> None:
        """Delete those that were made, and close those whose groups were not editable."""
        await self._rows(SQL.finish_partitions, **changeset.parameters())

    async def restore_groups(self, changeset: Changeset) -> None:
        """The same for groups, but for capacities that are to be lower."""
        await self._rows(SQL.restore_groups, **changeset.parameters())

    async def finish_groups(self, changeset: Changeset) -> None:
        """Delete those that were made, and give the others their capacities."""
        await self._rows(SQL.finish_groups, **changeset.parameters())

    async def restore_memberships(self, changeset: Changeset) -> None:
        await self._rows(SQL.restore_memberships, **changeset.parameters())

    async def restore_preassignments(self, changeset: Changeset) -> int:
        """Returns how many addresses are no longer known."""
        row: Any = await self._row(SQL.restore_preassignments, **changeset.parameters())
        return int(row.forgotten)

    async def restore_enrollments(self, changeset: Changeset) -> None:
        await self._rows(SQL.restore_enrollments, **changeset.parameters())

    async def restore_former_names(self, changeset: Changeset) -> None:
        await self._rows(SQL.restore_former_names, **changeset.parameters())

    async def restore_content_partitions(self, changeset: Changeset) -> None:
        await self._rows(SQL.restore_content_partitions, **changeset.parameters())

    async def restore_cohort_settings(self, changeset: Changeset) -> None:
        await self._rows(SQL.restore_cohort_settings, **changeset.parameters())

    async def lost_random(self) -> bool:
        """Whether this transaction took the last cohort from chance."""
        row: Any = await self._row(SQL.lost_random)
        return bool(row.is_so)

    async def done(self) -> Reversal:
        """What this transaction has written so far."""
        row: Any = await self._row(SQL.done, limit=MOST_SHOWN)
        changes = [json.loads(body) for body in row.changes]
        return Reversal(row.changeset_id, json.loads(row.counts or "{}"), changes)


def _conflicts(rows: Sequence[Any]) -> Conflicts:
    changes = [json.loads(row.body) for row in rows]
    return Conflicts(changes, rows[0].total if rows else 0)
