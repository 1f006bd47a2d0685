"""What imports know of the rows of the database: as they are, or are about to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from groupsvc.domain.names import sort_key


@dataclass(frozen=True, slots=True)
class Course:
    """``id`` is 0 for one that does not exist yet. ``former_bearer`` is the key of another one that
    had this key before; ``former`` is a key that this one had."""

    id: int
    key: str
    department: str
    title: str
    is_locked: bool
    former_bearer: str | None = None
    former: str | None = None


@dataclass(frozen=True, slots=True)
class CourseState:
    """A course as a table describes it. ``imported_key`` is for one that is about to be created."""

    id: int
    key: str
    department: str
    title: str = ""
    is_locked: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    programme: str | None = None
    term: int | None = None
    modality: str | None = None
    is_cohorted: bool | None = None
    random_assignment: str | None = None
    former_keys: frozenset[str] = frozenset()
    former_bearer: str | None = None
    imported_key: UUID | None = None

    @property
    def cohorts(self) -> tuple[bool | None, str | None]:
        """The settings of its cohorts; there are none until somebody sets them."""
        return self.is_cohorted, self.random_assignment


@dataclass(slots=True)
class RosterPerson:
    """A user as a roster describes them; ``id`` is None for one who is about to be created."""

    id: int | None
    username: str
    department: str | None
    email: str | None = None
    family_name: str = ""
    given_name: str = ""
    usual_name: str | None = None
    civility: str = "X"
    student_number: str | None = None
    national_number: str | None = None
    is_active: bool = True
    is_retired: bool = False
    external_ids: Mapping[str, str] = field(default_factory=dict[str, str])
    former_names: frozenset[str] = frozenset()
    imported_key: UUID | None = None

    @property
    def sort_key(self) -> str:
        return sort_key(self.family_name, self.given_name, self.username)


@dataclass(slots=True)
class PartitionState:
    """``id`` is 0 for one that does not exist yet."""

    course_id: int
    name: str
    id: int = 0
    kind: str = "ordinary"
    position: int = 0
    groups_editable: bool = True
    show_in_lists: bool = True
    show_rank_on_report: bool = False
    imported_key: UUID | None = None


@dataclass(slots=True)
class GroupState:
    """``id`` is 0 for one that does not exist yet."""

    name: str
    id: int = 0
    position: int = 0
    capacity: int | None = None
    timetable_id: str | None = None
    assignment_type: str = "manual"
    content_partition_id: int | None = None
    content_group_id: int | None = None
    imported_key: UUID | None = None


@dataclass(frozen=True, slots=True)
class TargetPartition:
    course_id: int
    name: str
    id: int
    kind: str
    groups_editable: bool


def course_of(row: Any) -> CourseState:
    """From a row of the database."""
    values: dict[str, Any] = {**row._asdict(), "former_keys": frozenset(row.former_keys)}
    return CourseState(**values)


def person_of(row: Any) -> RosterPerson:
    """From a row of the database."""
    values: dict[str, Any] = {
        **row._asdict(),
        "external_ids": dict(row.external_ids),
        "former_names": frozenset(row.former_names),
    }
    return RosterPerson(**values)
