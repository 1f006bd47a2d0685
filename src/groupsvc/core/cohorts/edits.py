"""Making and changing cohorts, in the order in which their values are checked."""

from dataclasses import dataclass
from typing import Final

from groupsvc.core.cohorts.records import Cohort
from groupsvc.core.cohorts.sets import CohortSetService, unknown_cohort
from groupsvc.core.groups.repository import LockedGroup
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Permission

ASSIGNMENT_TYPES: Final = ("manual", "random")
SMALLEST, LARGEST = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class CohortEdit:
    """Values as a caller gave them. None keeps a name and a type.

    ``relink`` replaces the link to a content group, which without a group is none.
    """

    name: object = None
    assignment_type: object = None
    relink: bool = False
    content_partition_id: object = None
    content_group_id: object = None


class CohortEditService(Service):
    """Raises what CohortSetService raises, LockedError, NameTakenError, and InvalidError for what
    cannot be stored. Nothing is written then.
    """

    @property
    def _sets(self) -> CohortSetService:
        return CohortSetService(self._uow, self._principal)

    async def create(self, key: str, edit: CohortEdit) -> Cohort:
        """Create a cohort, and with the first one the partition that holds them."""
        partitions = PartitionService(self._uow, self._principal)
        place = (await self._sets.course(key)).place
        partition_id = place.partition_id
        if partition_id is None:
            await partitions.get_editable_course(place.course_id)
            partition_id = await self._sets.partition(place.course_id)
        held = await partitions.get_editable(partition_id)
        tidy = await self._free_name(held.course_id, held.id, edit.name)
        values = {"assignment_type": _known_type(edit.assignment_type), **_link(edit)}
        created = await self._uow.groups.create(held.course_id, held.id, tidy, values)
        return await self._sets.read(key, created)

    async def edit(self, key: str, cohort_id: int, edit: CohortEdit) -> None:
        """Change a cohort. Raises LastRandomCohortError, too."""
        held = await self.get_editable(key, cohort_id)
        changes: dict[str, object] = {}
        if edit.name is not None and edit.name != held.name:
            changes["name"] = await self._free_name(
                held.course_id, held.partition_id, edit.name, own=held.id
            )
        if edit.assignment_type is not None:
            if edit.assignment_type != "random":
                await keep_one_random(self._uow, held)
            changes["assignment_type"] = _known_type(edit.assignment_type)
        if edit.relink:
            changes |= _link(edit)
        if changes:
            await self._uow.groups.update(held, changes)

    async def get_editable(self, key: str, cohort_id: int) -> LockedGroup:
        """Hold a cohort that may be changed."""
        cohort = await self._sets.read(key, cohort_id)
        await self._uow.begin()
        held = await self._uow.groups.get_for_update(cohort.id)
        if held is None:
            unknown_cohort()
        self._require(Permission.GROUPS_WRITE, held.department, held.course)
        self._refuse_if_locked(held.is_locked)
        return held

    async def _free_name(
        self, course_id: int, partition_id: int, name: object, own: int | None = None
    ) -> str:
        tidy = normalise(name)
        names = await self._uow.groups.names(course_id, partition_id)
        if any(taken == tidy and each != own for each, taken in names.items()):
            raise rules.name_taken("a cohort of the course has this name")
        return tidy


async def keep_one_random(uow: UnitOfWork, held: LockedGroup) -> None:
    """Once a course has a cohort that takes users at random, it keeps one.

    Raises LastRandomCohortError when this is the last one. Deleting it is another matter:
    docs/compat/openedx.md, "Last random cohort".
    """
    rules.refuse_if_last_random(
        await uow.cohort_sets.is_last_random(held.course_id, held.partition_id, held.id)
    )


def _known_type(value: object) -> str:
    if value not in ASSIGNMENT_TYPES:
        raise InvalidError(
            "the assignment type is manual or random",
            code="invalid_assignment_type",
            pointer="#/assignment_type",
        )
    return str(value)


def _link(edit: CohortEdit) -> dict[str, int | None]:
    """Raises InvalidError for a content group without its partition, or what is no integer."""
    columns = {
        "content_partition_id": edit.content_partition_id,
        "content_group_id": edit.content_group_id,
    }
    if edit.content_group_id is None:
        return dict.fromkeys(columns)
    if edit.content_partition_id is None:
        raise InvalidError("a content group needs its partition", code="missing_content_partition")
    return {name: _integer(value) for name, value in columns.items()}


def _integer(value: object) -> int:
    if type(value) is not int or not SMALLEST <= value <= LARGEST:
        raise InvalidError(
            "content partitions and groups have integers as ids", code="invalid_content_link"
        )
    return value
