"""The cohorts of a course: list, read, create, change; settings and content partitions."""

from typing import Any, Final, TypeVar

from groupsvc.core.cohorts.records import (
    LARGEST_ID,
    Cohort,
    CohortCourse,
    CohortEdit,
    CohortPage,
    FoundCohort,
    StoredCohortSettings,
)
from groupsvc.core.groups.repository import LockedGroup
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import IfMatch, Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Permission, Place

T = TypeVar("T")

PARTITION_NAME: Final = "Cohorts"
COHORT_SCHEME: Final = "cohort"
EVERYTHING: Final = 2**31 - 1


class CohortService(Service):
    """Courses go by their key, and in the native API by their id.

    Raises NotFoundError with code ``unknown_course`` or ``unknown_cohort``, ForbiddenError,
    LockedError, NameTakenError, and InvalidError for what cannot be stored. Nothing is written
    then.
    """

    async def page(
        self, key: str, *, limit: int = EVERYTHING, offset: int = 0, descending: bool = False
    ) -> CohortPage:
        """Cohorts by name, with their counts; a negative offset is the last page."""
        page = await self._uow.cohorts.page(
            key,
            limit=limit,
            offset=offset,
            descending=descending,
            collated=self._uow.vocabulary.cohorts_collated,
        )
        if page is None:
            raise unknown_course()
        self.require_reader(page.course)
        return page

    async def read(self, key: str, cohort_id: int) -> Cohort:
        found = await self.find(key, cohort_id)
        self.require_reader(found.course)
        return existing(found.cohort)

    async def find(self, key: str, cohort_id: int) -> FoundCohort:
        """A cohort if the course has it, for whoever asks."""
        found = await self._uow.cohorts.find(key, min(cohort_id, LARGEST_ID))
        if found is None:
            raise unknown_course()
        return found

    async def create(self, key: str, edit: CohortEdit) -> Cohort:
        """Create a cohort, and with the first one the partition that holds them."""
        course = (await self.find_settings(key)).course
        partition_id = course.partition_id
        if partition_id is None:
            await self._partitions.get_editable_course(course.course_id)
            partition_id = await cohorts_partition(self._uow, course.course_id)
        locked = await self._partitions.get_editable(partition_id)
        name = await self._free_name(locked.course_id, locked.id, edit.name)
        values = {"assignment_type": edit.known_type(), **edit.link()}
        created = await self._uow.groups.create(locked.course_id, locked.id, name, values)
        return await self.read(key, created)

    async def edit(self, key: str, cohort_id: int, edit: CohortEdit) -> None:
        """Raises LastRandomCohortError, too."""
        locked = await self._get_editable(key, cohort_id)
        changes: dict[str, object] = {}
        if edit.name is not None and edit.name != locked.name:
            changes["name"] = await self._free_name(
                locked.course_id, locked.partition_id, edit.name, own=locked.id
            )
        if edit.assignment_type is not None:
            if edit.assignment_type != "random":
                await refuse_if_last_random(self._uow, locked)
            changes["assignment_type"] = edit.known_type()
        if edit.relink:
            changes |= edit.link()
        if changes:
            await self._uow.groups.update(locked, changes)

    async def find_settings(self, key: str) -> StoredCohortSettings:
        """A course and its settings as they are, for whoever asks: nothing is written."""
        found = await self._uow.cohorts.find_settings(key)
        if found is None:
            raise unknown_course()
        return found

    async def read_settings(self, key: str) -> StoredCohortSettings:
        found = await self.find_settings(key)
        self.require_reader(found.course)
        return found

    async def read_or_create_settings(self, key: str) -> StoredCohortSettings:
        """For whoever may write the groups: settings that nobody has stored yet are stored."""
        found = await self.find_settings(key)
        self.require_writer(found.course)
        if found.id is None:
            await self._uow.cohorts.create_settings(found.course.course_id)
            found = await self.find_settings(key)
        return found

    async def switch(self, key: str, *, is_cohorted: bool) -> StoredCohortSettings:
        """Turn cohorts on or off; they and their members stay."""
        course_id = (await self.find_settings(key)).course.course_id
        await self._partitions.get_editable_course(course_id)
        await self._uow.cohorts.configure(course_id, is_cohorted=is_cohorted)
        return await self.find_settings(key)

    async def settings(self, course_id: int) -> JsonResource[dict[str, Any]]:
        return self._authorize_read(await self._uow.cohorts.settings(course_id), "course")

    async def configure(
        self,
        course_id: int,
        *,
        is_cohorted: bool,
        random_assignment: str,
        expected: IfMatch | None = None,
    ) -> JsonResource[dict[str, Any]]:
        """Turn cohorts on or off, keeping cohorts and members; choose how chance decides."""
        course = await self._partitions.get_editable_course(course_id)
        if expected is not None:
            seen = await self._uow.cohorts.settings(course.id)
            await self._check_if_match(expected, seen, "cohort_settings", course_id=course.id)
        await self._uow.cohorts.configure(
            course.id, is_cohorted=is_cohorted, random_assignment=random_assignment
        )
        document = await self._uow.cohorts.settings(course.id)
        assert document is not None
        return document

    async def content_partitions(self, course_id: int) -> JsonResource[list[Any]]:
        return self._authorize_read(await self._uow.cohorts.content_partitions(course_id), "course")

    async def content_for_cohorts(self, key: str) -> list[dict[str, Any]]:
        """The content partitions of a course that are for cohorts, in order.

        For whoever may write its groups.
        """
        course = (await self.find_settings(key)).course
        self.require_writer(course)
        document = await self._uow.cohorts.content_partitions(course.course_id)
        found = document.data if document is not None else []
        return [each for each in found if each["scheme"] == COHORT_SCHEME]

    async def declare_content(
        self,
        course_id: int,
        content_partition_id: int,
        *,
        expected: IfMatch | None = None,
        **values: Any,
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Say which content groups a learning platform has; returns whether that was new."""
        await self._authorize_content(course_id, content_partition_id, expected)
        cohorts = self._uow.cohorts
        created = await cohorts.store_content_partition(course_id, content_partition_id, **values)
        document = await cohorts.content_partition(course_id, content_partition_id)
        assert document is not None
        return document, created

    async def withdraw_content(
        self, course_id: int, content_partition_id: int, *, expected: IfMatch | None = None
    ) -> None:
        """Delete content groups; cohorts that point at them keep pointing."""
        await self._authorize_content(course_id, content_partition_id, expected)
        await self._uow.cohorts.delete_content_partition(course_id, content_partition_id)

    def require_writer(self, course: CohortCourse) -> None:
        self._require(Permission.GROUPS_WRITE, course.department, course.course)

    def require_reader(self, course: CohortCourse) -> None:
        """Whoever may write the groups of a course may read its cohorts as well."""
        here = Place(course.department, course.course)
        writes = self._principal.may(Permission.GROUPS_WRITE, here)
        permission = Permission.GROUPS_WRITE if writes else Permission.GROUPS_READ
        self._require(permission, course.department, course.course)

    @property
    def _partitions(self) -> PartitionService:
        return PartitionService(self._uow, self._principal)

    async def _get_editable(self, key: str, cohort_id: int) -> LockedGroup:
        cohort = await self.read(key, cohort_id)
        await self._uow.begin()
        locked = existing(await self._uow.groups.get_for_update(cohort.id))
        self._require(Permission.GROUPS_WRITE, locked.department, locked.course)
        self._refuse_if_locked(locked.is_locked)
        return locked

    async def _authorize_content(
        self, course_id: int, content_partition_id: int, expected: IfMatch | None
    ) -> None:
        course = await self._partitions.get_editable_course(course_id, Permission.ROSTER_WRITE)
        if expected is not None:
            seen = await self._uow.cohorts.content_partition(course.id, content_partition_id)
            await self._check_if_match(expected, seen, "content_partition", course_id=course.id)

    async def _free_name(
        self, course_id: int, partition_id: int, name: object, own: int | None = None
    ) -> str:
        tidy = normalise(name)
        taken = await group_named(self._uow, course_id, partition_id, tidy)
        if taken not in (None, own):
            raise rules.name_taken("a cohort of the course has this name")
        return tidy


async def cohorts_partition(uow: UnitOfWork, course_id: int) -> int:
    """The partition that holds the cohorts of a course, created with the first of them.

    The course must be locked for update. Another partition may have taken its name.
    """
    partition_id = await uow.partitions.of_kind(course_id, "cohorts")
    if partition_id is not None:
        return partition_id
    name, number = PARTITION_NAME, 1
    while await uow.partitions.named(course_id, name) is not None:
        number += 1
        name = f"{PARTITION_NAME} ({number})"
    return await uow.partitions.create(course_id, name, kind="cohorts")


async def group_named(uow: UnitOfWork, course_id: int, partition_id: int, name: str) -> int | None:
    names = await uow.groups.names(course_id, partition_id)
    return next((group_id for group_id, known in names.items() if known == name), None)


async def refuse_if_last_random(uow: UnitOfWork, locked: LockedGroup) -> None:
    """Raises LastRandomCohortError for the only cohort that takes users at random."""
    rules.refuse_if_last_random(
        await uow.cohorts.is_last_random(locked.course_id, locked.partition_id, locked.id)
    )


def existing(cohort: T | None) -> T:
    if cohort is None:
        raise NotFoundError("no such cohort", code="unknown_cohort")
    return cohort


def unknown_course() -> NotFoundError:
    return NotFoundError("no such course", code="unknown_course")
