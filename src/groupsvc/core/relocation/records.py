"""A course of another server that moves over, with the ids that it and all in it have there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from groupsvc.domain.json_resource import State


@dataclass(frozen=True, slots=True)
class MovedGroup:
    id: int
    name: str
    position: int
    timetable_id: str | None


@dataclass(frozen=True, slots=True)
class MovedPartition:
    id: int
    name: str
    position: int
    is_tracks: bool
    show_rank_on_report: bool
    show_in_lists: bool
    groups: Sequence[MovedGroup]


@dataclass(frozen=True, slots=True)
class MovedUser:
    """``own_id`` is that of the user here who is the same person, when that is known.

    ``moved_before`` says that they are known by the id already.
    """

    id: int
    state: State
    username: str | None
    email: str | None
    family_name: str
    given_name: str
    usual_name: str | None
    civility: str
    student_number: str | None
    national_number: str | None
    own_id: int | None = None
    moved_before: bool = False


@dataclass(frozen=True, slots=True)
class MovedCourse:
    """The default partition and its group get new ids where theirs are not known."""

    id: int
    key: str
    title: str
    department_id: int
    acronym: str
    department_name: str
    starts_on: date | None
    ends_on: date | None
    term: int | None
    programme: str | None
    modality: str | None
    default_partition_id: int | None
    default_group_id: int | None
    partitions: Sequence[MovedPartition]
    users: Sequence[MovedUser]
