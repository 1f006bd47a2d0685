"""What files for other systems are made of: the groups of a partition and their members."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from groupsvc.core.repository import Repository
from groupsvc.db.statements import SqlFile

SQL: Final = SqlFile(__file__)
Source = Literal["members", "waiting"]


class GroupRow(NamedTuple):
    """A group, or a partition that has none.

    ``members`` are those who go out, ``left_out`` those who do not.
    """

    department: str
    course: str
    course_id: int
    kind: str
    partition: str | None
    group: str | None
    members: int
    left_out: int


class MemberRow(NamedTuple):
    """Somebody in a group, or an address that waits for its user.

    ``unfit`` is the place, from 1, of the pattern that their username fits.
    """

    id: int
    group: str
    username: str
    email: str
    is_taken: bool
    unfit: int | None


class ShapeRepository(Repository):
    async def groups(
        self, partition_id: int, *, anybody: bool, unfit: Sequence[str]
    ) -> list[GroupRow]:
        """Empty without the partition."""
        rows = await self._rows(
            SQL.groups, partition_id=partition_id, anybody=anybody, unfit=list(unfit)
        )
        return [GroupRow(**row._asdict()) for row in rows]

    async def page(
        self,
        source: Source,
        course_id: int,
        partition_id: int,
        *,
        anybody: bool,
        unfit: Sequence[str],
        after: int,
        limit: int,
    ) -> list[MemberRow]:
        rows = await self._rows(
            SQL.members if source == "members" else SQL.waiting,
            course_id=course_id,
            partition_id=partition_id,
            anybody=anybody,
            unfit=list(unfit),
            after=after,
            limit=limit,
        )
        return [MemberRow(**row._asdict()) for row in rows]
