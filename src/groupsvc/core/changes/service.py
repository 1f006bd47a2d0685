"""What was changed, when and by whom."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from groupsvc.core.changes.feed import BEGINNING, FeedRepository, Line, Position, Start
from groupsvc.core.changes.horizon import Horizon
from groupsvc.core.changes.repository import NEWEST
from groupsvc.core.changes.tail import SECONDS_TO_SETTLE
from groupsvc.core.service import Service
from groupsvc.domain.errors import ConflictError, NotFoundError
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission


class FeedPage(NamedTuple):
    """``position`` is where to read on, now if there is ``more`` and else later."""

    lines: Sequence[Line]
    position: Position
    more: bool


class ChangeService(Service):
    async def page(self, *, before: int | None = None, limit: int, **filters: Any) -> Page:
        """Lines of the change log that the caller may read, newest first."""
        scope = self._principal.scope(Permission.GROUPS_READ)
        return await self._uow.changes.page(scope, before=before or NEWEST, limit=limit, **filters)

    async def cohort_page(
        self,
        horizon: Horizon,
        *,
        system: str,
        after: Position = BEGINNING,
        limit: int,
        **filters: Any,
    ) -> Page:
        """What happened to cohorts that the caller may read, oldest first.

        Changes have the id by which ``system`` knows the user. The last key is where to read on,
        now or later. Raises ConflictError when the log does not have that line any more.
        """
        scope = self._principal.scope(Permission.GROUPS_READ)
        if not await self._uow.repository(FeedRepository).knows(after):
            raise _replaced()
        settled = await horizon.settle(SECONDS_TO_SETTLE)
        return await self._uow.changes.cohort_page(
            scope, system=system, after=after.seq, settled=settled.seq, limit=limit, **filters
        )

    async def begin(
        self, course_id: int, horizon: Horizon, after: Position | None
    ) -> tuple[Position, bool]:
        """Where to follow a course from, and whether that is what was asked for.

        It is not when the log does not have the line any more; without one, it is now.
        """
        start = await self._start(course_id, after or BEGINNING)
        if after is not None and start.is_known:
            return after, True
        return await horizon.settle(SECONDS_TO_SETTLE), after is None

    async def feed(
        self, course_id: int, horizon: Horizon, after: Position | None, *, limit: int
    ) -> FeedPage:
        """Changes of a course, oldest first; ``after`` is None for those to come.

        Raises ConflictError when the log does not have the line any more that was read last.
        """
        start = await self._start(course_id, after or BEGINNING)
        if not start.is_known:
            raise _replaced()
        settled = await horizon.settle(SECONDS_TO_SETTLE)
        if after is None:
            return FeedPage([], settled, more=False)
        lines = await self._uow.repository(FeedRepository).course_lines(
            course_id, after=after.seq, until=settled.seq, limit=limit + 1
        )
        page = lines[:limit]
        return FeedPage(page, page[-1].position if page else after, more=len(lines) > limit)

    async def _start(self, course_id: int, position: Position) -> Start:
        start = await self._uow.repository(FeedRepository).start(course_id, position)
        if start is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_READ, start.place.department, start.place.course)
        return start


def _replaced() -> ConflictError:
    why = "the change log is not the one that was read before: begin anew"
    return ConflictError(why, code="history_replaced")
