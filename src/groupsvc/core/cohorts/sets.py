"""The cohorts of a course, which is named by its key: list, read, switch on and off."""

from typing import Final, NoReturn

from groupsvc.core.cohorts.records import (
    Cohort,
    CohortPage,
    CohortPlace,
    CohortSwitch,
    FoundCohort,
    MemberPage,
)
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.principal import Permission, Place

COHORTS: Final = "Cohorts"
LARGEST_ID: Final = 2**63 - 1
EVERYTHING: Final = 2**31 - 1


class CohortSetService(Service):
    """Raises NotFoundError with code ``unknown_course`` or ``unknown_cohort``, and what
    ``_require`` raises for whoever may not do in the course what he asks.
    """

    async def page(
        self, key: str, *, limit: int = EVERYTHING, offset: int = 0, descending: bool = False
    ) -> CohortPage:
        """Cohorts by name, with their counts; a negative offset is the last page."""
        page = await self._uow.cohort_sets.page(
            key, limit=limit, offset=offset, descending=descending
        )
        if page is None:
            unknown_course()
        self.require_sight(page.place)
        return page

    async def members(self, key: str, cohort_id: int, *, limit: int, offset: int = 0) -> MemberPage:
        """Members whatever their enrollment; its ``cohort_id`` is None for an unknown cohort.

        Who may see them is for the caller to say.
        """
        page = await self._uow.cohort_sets.members(
            key, min(cohort_id, LARGEST_ID), limit=limit, offset=offset
        )
        if page is None:
            unknown_course()
        return page

    async def course(self, key: str) -> CohortSwitch:
        """A course and its settings as they are: nothing is made."""
        found = await self._uow.cohort_sets.settings(key)
        if found is None:
            unknown_course()
        return found

    async def settled(self, key: str) -> CohortSwitch:
        """The settings of a course, which are made when nobody has had them made yet."""
        found = await self.course(key)
        self.require_writer(found.place)
        if found.id is None:
            await self._uow.cohort_sets.settle(found.place.course_id)
            found = await self.course(key)
        return found

    async def switch(self, key: str, *, is_cohorted: bool) -> CohortSwitch:
        """Turn cohorts on or off; they and their members stay. Raises LockedError."""
        found = await self.course(key)
        await PartitionService(self._uow, self._principal).get_editable_course(
            found.place.course_id
        )
        await self._uow.cohort_sets.switch(found.place.course_id, is_cohorted=is_cohorted)
        return await self.course(key)

    async def read(self, key: str, cohort_id: int) -> Cohort:
        found = await self.find(key, cohort_id)
        self.require_sight(found.place)
        if found.cohort is None:
            unknown_cohort()
        return found.cohort

    async def find(self, key: str, cohort_id: int, *, hold: bool = False) -> FoundCohort:
        """A cohort if the course has it; the course can be held against being locked."""
        found = await self._uow.cohort_sets.find(key, min(cohort_id, LARGEST_ID), hold=hold)
        if found is None:
            unknown_course()
        return found

    async def partition(self, course_id: int) -> int:
        """The partition that holds the cohorts of a course, made with the first of them.

        The course must be held. Another partition may have taken its name.
        """
        partition_id = await self._uow.partitions.of_kind(course_id, "cohorts")
        if partition_id is not None:
            return partition_id
        name, number = COHORTS, 1
        while await self._uow.partitions.named(course_id, name) is not None:
            number += 1
            name = f"{COHORTS} ({number})"
        return await self._uow.partitions.create(course_id, name, kind="cohorts")

    def require_writer(self, place: CohortPlace) -> None:
        self._require(Permission.GROUPS_WRITE, place.department, place.course)

    def require_sight(self, place: CohortPlace) -> None:
        """Whoever may write the groups of a course may read its cohorts as well."""
        here = Place(place.department, place.course)
        writes = self._principal.may(Permission.GROUPS_WRITE, here)
        permission = Permission.GROUPS_WRITE if writes else Permission.GROUPS_READ
        self._require(permission, place.department, place.course)


def unknown_course() -> NoReturn:
    raise NotFoundError("no such course", code="unknown_course")


def unknown_cohort() -> NoReturn:
    raise NotFoundError("no such cohort", code="unknown_cohort")
