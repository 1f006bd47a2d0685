"""Cohorts and who is in them, as the database hands them out to services and faces."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CohortPlace:
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


@dataclass(frozen=True, slots=True)
class Member:
    id: int
    username: str
    email: str | None
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class CohortPage:
    place: CohortPlace
    total: int
    cohorts: Sequence[Cohort]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """``cohort_id`` is None when the course has no such cohort."""

    place: CohortPlace
    cohort_id: int | None
    total: int
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class FoundCohort:
    """``cohort`` is None when the course has no such cohort."""

    place: CohortPlace
    cohort: Cohort | None
    capacity: int | None


@dataclass(frozen=True, slots=True)
class CohortSwitch:
    """The settings of a course; ``id`` is None until somebody has had them made."""

    place: CohortPlace
    id: int | None
    is_cohorted: bool
