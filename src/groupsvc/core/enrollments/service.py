"""Enrollments: enroll, change state and track, disenroll."""

from typing import Any

from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.enrollments.repository import LockedEnrollment
from groupsvc.core.service import IfMatch, Service
from groupsvc.core.users.service import searched
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import GrantScope, Permission


class EnrollmentService(Service):
    async def read(self, course_id: int, user_id: int) -> JsonResource[dict[str, Any]]:
        document = self._authorize_read(
            await self._uow.enrollments.read(course_id, user_id), "course"
        )
        if not document.body:
            raise NotFoundError("no such enrollment")
        return document

    async def page(
        self, course_id: int, *, state: str | None, search: str | None, after: int = 0, limit: int
    ) -> Page:
        """The users of a course by id, all or those in a state or found by a search."""
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_READ, course.department, course.key)
        return await self._uow.enrollments.page(
            course_id, state=state, search=searched(search), after=after, limit=limit
        )

    async def declare(
        self,
        course_id: int,
        user_id: int,
        changes: dict[str, Any],
        *,
        expected: IfMatch | None = None,
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Enroll a user or change the enrollment; returns whether it is new.

        A ``track`` among the changes puts them into the group of that track, None into none; so
        does a ``cohort`` by its name, for which ``groups:write`` is needed. Raises InvalidError for
        an unknown one, and for a change what an assignment raises.
        """
        held = await self._get_for_update(course_id, user_id, expected)
        created = False
        if held.state is None:
            created = await self._uow.enrollments.create(course_id, user_id, changes["state"])
            if not created:
                held = await self._get_for_update(course_id, user_id, None)
        return await self._change(held, user_id, changes, created=created), created

    async def edit(
        self,
        course_id: int,
        user_id: int,
        changes: dict[str, Any],
        *,
        expected: IfMatch | None = None,
    ) -> JsonResource[dict[str, Any]]:
        """Change what is named of an enrollment, as ``declare`` does."""
        held = await self._get_for_update(course_id, user_id, expected)
        if held.state is None:
            raise NotFoundError("no such enrollment")
        return await self._change(held, user_id, changes)

    async def delete(
        self, course_id: int, user_id: int, *, expected: IfMatch | None = None
    ) -> None:
        """Take a user out of a course, and so out of its groups; a cohort keeps them.

        No error and no change when they are not enrolled. Raises LockedError when memberships would
        end in a locked course.
        """
        held = await self._get_for_update(course_id, user_id, expected)
        if held.state is not None:
            await self._uow.enrollments.delete(course_id, user_id)

    async def _get_for_update(
        self, course_id: int, user_id: int, expected: IfMatch | None
    ) -> LockedEnrollment:
        """Hold the place of a user in a course.

        Raises NotFoundError, ForbiddenError or PreconditionFailedError, in this order.
        """
        await self._uow.begin()
        sight = self._principal.visible_scope
        held = await self._uow.enrollments.get_for_update(course_id, user_id, sight)
        if held is None:
            raise NotFoundError("no such course")
        self._require(Permission.ROSTER_WRITE, held.department, held.course)
        if not held.is_known:
            raise NotFoundError("no such user")
        if expected is not None:
            document = await self._uow.enrollments.read(course_id, user_id)
            seen = document if document is not None and document.body else None
            await self._check_if_match(
                expected, seen, "enrollment", course_id=course_id, user_id=user_id
            )
        return held

    async def _change(
        self,
        held: LockedEnrollment,
        user_id: int,
        changes: dict[str, Any],
        *,
        created: bool = False,
    ) -> JsonResource[dict[str, Any]]:
        if not created and changes.get("state", held.state) != held.state:
            await self._uow.enrollments.set_state(held.course_id, user_id, changes["state"])
        if "track" in changes:
            await self._set_track(held, user_id, changes["track"])
        if "cohort" in changes:
            await CohortMemberService(self._uow, self._principal).set_cohort(
                held, user_id, changes["cohort"]
            )
        document = await self._uow.enrollments.read(held.course_id, user_id)
        assert document is not None
        return document

    async def _set_track(self, held: LockedEnrollment, user_id: int, track: str | None) -> None:
        """A track is the group that stands for it: the database derives one from the other."""
        tidy = normalise(track, field="track") if track is not None else None
        if tidy == held.track:
            return
        # The roster decides on tracks: whoever may write it here needs no other permission.
        here = GrantScope(everywhere=False, departments=(), courses=(held.course,))
        if tidy is not None:
            await self._enter(held.course_id, user_id, tidy, here)
        else:
            await self._leave(held.course_id, user_id, here)

    async def _enter(self, course_id: int, user_id: int, track: str, here: GrantScope) -> None:
        group_id = await self._uow.enrollments.track_group(course_id, track)
        outcome = group_id and await self._uow.memberships.assign(group_id, user_id, here)
        if not outcome:
            raise InvalidError(
                "the course has no such track", code="unknown_track", pointer="#/track"
            )
        self._refuse_if_locked(outcome.is_locked)

    async def _leave(self, course_id: int, user_id: int, here: GrantScope) -> None:
        partition_id = await self._uow.partitions.of_kind(course_id, "tracks")
        if partition_id is not None:
            outcome = await self._uow.memberships.remove(user_id, here, partition_id=partition_id)
            self._refuse_if_locked(outcome is not None and outcome.is_locked)
