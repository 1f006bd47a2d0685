"""What the database hands out: JSON built there, and the place it belongs to.

The shapes are the native representation; ``faces/v1/schemas`` holds them against the bytes, and the
dialects translate from them.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Literal, NotRequired, TypedDict, TypeVar, cast

from pydantic_core import from_json

T = TypeVar("T")

State = Literal["active", "withdrawn", "defaulted"]


class ContentLink(TypedDict):
    content_partition_id: int
    content_group_id: int


class GroupDoc(TypedDict):
    id: int
    course_id: int
    partition_id: int
    name: str | None
    position: int
    capacity: int | None
    timetable_id: str | None
    assignment_type: Literal["manual", "random"]
    content_link: ContentLink | None


class PartitionDoc(TypedDict):
    id: int
    course_id: int
    kind: Literal["default", "ordinary", "tracks", "cohorts"]
    name: str | None
    position: int
    groups_editable: bool
    show_in_lists: bool
    show_rank_on_report: bool
    groups: list[GroupDoc]


class PlacedGroupDoc(TypedDict):
    """A group together with the partition it is in, for lists of somebody's groups."""

    partition_id: int
    partition_name: str | None
    partition_position: int
    show_rank_on_report: bool
    show_in_lists: bool
    groups_editable: bool
    group_id: int
    group_name: str | None
    group_position: int
    timetable_id: str | None


class PersonDoc(TypedDict):
    """A line of a roll. ``state`` is None for a member of a cohort who is not enrolled."""

    id: int
    username: str
    email: str | None
    family_name: str
    given_name: str
    usual_name: str | None
    civility: Literal["M", "F", "X"]
    student_number: str | None
    national_number: str | None
    department_id: int
    sort_key: str
    state: State | None
    track: str | None
    groups: NotRequired[list[PlacedGroupDoc]]


class DepartmentEntry(TypedDict):
    """A department in the directory; the id is the one by which callers know it."""

    id: int
    acronym: str
    name: str
    created_at: str


class CourseEntry(TypedDict):
    id: int
    key: str
    title: str
    is_locked: bool
    starts_on: str | None
    ends_on: str | None
    programme: str | None
    term: int | None
    modality: str | None
    department: DepartmentEntry


class PersonEntry(TypedDict):
    """A user in the directory; the ids are those by which callers know them."""

    id: int
    username: str
    email: str | None
    family_name: str
    given_name: str
    usual_name: str | None
    civility: Literal["M", "F", "X"]
    student_number: str | None
    national_number: str | None
    department_id: int | None
    department: str | None
    sort_key: str


@dataclass(frozen=True)
class JsonResource(Generic[T]):
    """One resource as JSON. ``department`` and ``course`` are natural keys: where it lives."""

    body: bytes
    department: str = ""
    course: str | None = None

    @cached_property
    def data(self) -> T:
        return cast("T", from_json(self.body))

    @property
    def etag(self) -> str:
        """Strong: equal exactly when the bytes are equal, on every replica."""
        return f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'


@dataclass(frozen=True, slots=True)
class Page:
    """Items as JSON texts, one or several in each, and the key of the last when more follow."""

    items: list[str]
    last_key: tuple[Any, ...] | None = None
