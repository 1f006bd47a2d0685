"""Many groups at once, by a pattern for their names."""

from dataclasses import dataclass
from typing import Literal

from groupsvc.core.groups.service import GroupService
from groupsvc.core.service import Service
from groupsvc.domain import name_patterns
from groupsvc.domain.errors import ConflictError, InvalidError

Result = Literal["created", "exists"]


@dataclass(frozen=True, slots=True)
class GroupResult:
    """What became of a name. ``group_id`` is None for a group that is not written."""

    name: str
    result: Result
    group_id: int | None


class GroupPatternService(Service):
    async def create(
        self,
        partition_id: int,
        pattern: str,
        *,
        first: int = 1,
        count: int | None = None,
        size: int | None = None,
        capacity: int | None = None,
        dry_run: bool = False,
    ) -> tuple[list[GroupResult], bool]:
        """Create the groups that a pattern names, at the end; also returns whether any was written.

        There are ``count`` of them, or enough for all active enrollments of the course with at most
        ``size`` in each. One that exists already counts, and stays as it is. ``dry_run`` answers
        the same and never writes.
        """
        held = await GroupService(self._uow, self._principal).open_partition(partition_id)
        if count is None:
            count = await self._enough(held.course_id, size or 1)
        names = name_patterns.expand(pattern, first, count)
        existing = await self._uow.groups.names(held.course_id, held.id)
        ids = {name: group_id for group_id, name in existing.items() if name is not None}
        missing = [name for name in names if name not in ids]
        made: dict[str, int] = {}
        if missing and not dry_run:
            made = await self._uow.groups.create_many(
                held.course_id, held.id, missing, capacity=capacity
            )
        results = [
            GroupResult(name, "exists", ids[name])
            if name in ids
            else GroupResult(name, "created", made.get(name))
            for name in names
        ]
        return results, bool(made)

    async def _enough(self, course_id: int, size: int) -> int:
        active = await self._uow.enrollments.count_active(course_id)
        if not active:
            raise ConflictError("nobody is active in the course", code="nobody_enrolled")
        count = -(-active // size)
        if count > name_patterns.MOST_NAMES:
            raise InvalidError(
                f"that would be {count} groups; {name_patterns.MOST_NAMES} at once is most",
                pointer="#/size",
            )
        return count
