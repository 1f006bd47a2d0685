"""Cohorts and who is in them, as the database hands them out, and the values of a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.core.users.records import Person
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.limits import LARGEST

ASSIGNMENT_TYPES: Final = ("manual", "random")
LARGEST_ID: Final = LARGEST


@dataclass(frozen=True, slots=True)
class CohortCourse:
    """A course, and the partition that holds its cohorts when there is one."""

    department: str
    course: str
    course_id: int
    is_locked: bool
    partition_id: int | None


@dataclass(frozen=True, slots=True)
class Cohort:
    """``user_count`` leaves out members who are not actively enrolled."""

    id: int
    name: str
    assignment_type: str
    user_count: int
    content_partition_id: int | None
    content_group_id: int | None


@dataclass(slots=True)
class Member(Person):
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class CohortPage:
    course: CohortCourse
    total: int
    cohorts: Sequence[Cohort]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """``cohort_id`` is None when the course has no such cohort."""

    course: CohortCourse
    cohort_id: int | None
    total: int
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class FoundCohort:
    """``cohort`` is None when the course has no such cohort."""

    course: CohortCourse
    cohort: Cohort | None


@dataclass(frozen=True, slots=True)
class LockedCohort:
    """A cohort of a course that nobody locks until the transaction ends.

    ``id`` is None when the course has no such cohort.
    """

    course: CohortCourse
    id: int | None
    capacity: int | None


@dataclass(frozen=True, slots=True)
class StoredCohortSettings:
    """The settings of a course; ``id`` is None until they have been stored."""

    course: CohortCourse
    id: int | None
    is_cohorted: bool


@dataclass(frozen=True, slots=True)
class UserCohort:
    """The cohort of one user in one course, and what decides which one they are given."""

    department: str
    course: str
    course_id: int
    is_locked: bool
    is_cohorted: bool
    random_assignment: str
    partition_id: int | None
    group_id: int | None
    is_known: bool


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

    def known_type(self) -> str:
        """Raises InvalidError."""
        if self.assignment_type not in ASSIGNMENT_TYPES:
            raise InvalidError(
                "the assignment type is manual or random",
                code="invalid_assignment_type",
                pointer="#/assignment_type",
            )
        return str(self.assignment_type)

    def link(self) -> dict[str, int | None]:
        """Raises InvalidError for a content group without its partition, or what is no integer."""
        partition_id, group_id = self.content_partition_id, self.content_group_id
        if group_id is not None and partition_id is None:
            raise InvalidError(
                "a content group needs its partition", code="missing_content_partition"
            )
        return {
            "content_partition_id": _integer(partition_id) if group_id is not None else None,
            "content_group_id": _integer(group_id) if group_id is not None else None,
        }


def _integer(value: object) -> int:
    if type(value) is not int or not -LARGEST_ID - 1 <= value <= LARGEST_ID:
        raise InvalidError(
            "content partitions and groups have integers as ids", code="invalid_content_link"
        )
    return value
