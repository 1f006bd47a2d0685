"""What the native face takes and answers.

Answers are built by PostgreSQL and sent as they are; tests hold them against these schemas.
"""

from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Path, Query
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from groupsvc.domain.limits import LARGEST

T = TypeVar("T")

# A member that is absent when it is not known.
WhenKnown = Annotated[T | None, Field(exclude_if=lambda value: value is None)]

MOST = LARGEST
Id = Annotated[int, Field(ge=1, le=MOST, examples=[42])]
PathId = Annotated[int, Path(ge=1, le=MOST)]
Position = Annotated[int, Field(description="Place in the list; ties go by name or id")]
Capacity = Annotated[int, Field(ge=0, le=1_000_000, examples=[24])]
AssignmentType = Literal["manual", "random"]
Kind = Literal["default", "ordinary", "tracks", "cohorts"]
State = Literal["active", "withdrawn", "defaulted"]


def _no_number(value: object) -> object:
    """Pydantic would take a number for seconds since 1970."""
    if isinstance(value, str) and value[4:5] != "-":
        raise PydanticCustomError("datetime_parsing", "Input should be a time as in RFC 3339")
    return value


# In a query.
Time = Annotated[AwareDatetime, BeforeValidator(_no_number)]
AsOf = Annotated[Time | None, Query(description="A time with its offset: as it was then")]
# Bounds the work done on a name; the service says which ones are valid.
GivenName = Annotated[str, Field(max_length=2000, examples=["TD1"])]


class Input(BaseModel):
    """Nothing is converted and nothing unknown is let through."""

    model_config = ConfigDict(strict=True, extra="forbid")

    def given(self) -> dict[str, Any]:
        """The members that the caller sent, for a merge."""
        return self.model_dump(exclude_unset=True)


# Of ``RowsIn``, for those who validate it.
VALIDATE = {"validate": True}


class RowsIn(Input):
    """A body whose ``rows`` may be many: FastAPI hands it on as it came, for ``validated``."""

    @model_validator(mode="wrap")
    @classmethod
    def _later(
        cls, given: Any, validate: ModelWrapValidatorHandler[Any], info: ValidationInfo
    ) -> Any:
        return validate(given) if info.context is VALIDATE else given


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class MergePatch(Input):
    """What is absent stays as it is: a documented default would make clients send it."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PageOut(Output, Generic[T]):
    items: list[T]
    next_cursor: Annotated[str | None, Field(description="Send it as `cursor` for the next page")]


class ContentLink(Input):
    content_partition_id: Annotated[int, Field(ge=0, le=MOST, examples=[50])]
    content_group_id: Annotated[int, Field(ge=0, le=MOST, examples=[1])]


class ContentLinkOut(Output):
    """A learning platform may number below zero."""

    content_partition_id: Annotated[int, Field(examples=[50])]
    content_group_id: Annotated[int, Field(examples=[1])]


class GroupOut(Output):
    id: Id
    course_id: Id
    partition_id: Id
    name: Annotated[str | None, Field(description="Null for the default group alone")]
    position: Position
    capacity: Annotated[Capacity | None, Field(description="Most members; null is no limit")]
    timetable_id: Annotated[str | None, Field(description="Id in the timetable system")]
    assignment_type: AssignmentType
    content_link: ContentLinkOut | None


class PartitionOut(Output):
    id: Id
    course_id: Id
    kind: Kind
    name: Annotated[str | None, Field(description="Null for the default partition alone")]
    position: Position
    groups_editable: Annotated[bool, Field(description="May groups be created, renamed, deleted?")]
    show_in_lists: bool
    show_rank_on_report: bool
    groups: Annotated[list[GroupOut], Field(description="In order")]


class PartitionIn(Input):
    name: GivenName
    position: Annotated[
        int | None, Field(ge=1, le=100_000, description="Place from 1; at the end without")
    ] = None
    groups_editable: bool = True
    show_in_lists: bool = True
    show_rank_on_report: bool = False


class PartitionPatch(MergePatch):
    name: GivenName = ""
    groups_editable: bool = True
    show_in_lists: bool = True
    show_rank_on_report: bool = False


class OrderIn(Input):
    ids: Annotated[list[Id], Field(max_length=10_000, description="All of them, each once")]


class TracksIn(Input):
    name: Annotated[
        GivenName | None,
        Field(description="Of a new partition; without, the name that ScoDoc clients expect"),
    ] = None
    codes: Annotated[list[GivenName], Field(max_length=500, examples=[["A", "B"]])]


class GroupIn(Input):
    name: GivenName
    position: Annotated[
        int | None, Field(ge=1, le=100_000, description="Place from 1; at the end without")
    ] = None
    capacity: Capacity | None = None
    timetable_id: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    assignment_type: AssignmentType = "manual"
    content_link: ContentLink | None = None


class GroupPatch(MergePatch):
    """A merge: members that are absent stay as they are, null clears."""

    name: GivenName = ""
    capacity: Capacity | None = None
    timetable_id: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    assignment_type: AssignmentType = "manual"
    content_link: ContentLink | None = None


class PastMemberOut(Output):
    id: Id
    username: str
    family_name: str
    given_name: str
    email: str | None
    student_number: str | None


class MemberOut(PastMemberOut):
    state: Annotated[State | None, Field(description="Null for a cohort member not enrolled")]


class AssignmentOut(Output):
    course_id: Id
    partition_id: Id
    group_id: Annotated[Id | None, Field(description="Null when the user is in none now")]
    user_id: Id
    changed: bool
    previous_group_id: Id | None


class GroupOfUser(GroupOut):
    partition_name: str | None


class PastGroupOfUser(Output):
    partition_id: Id
    partition_name: str
    group_id: Id
    group_name: str


class MyGroup(GroupOfUser):
    course_key: str
    course_title: str


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("a date is text")  # noqa: TRY004 - what pydantic expects
    return value


Day = Annotated[date, Field(strict=False), BeforeValidator(_is_text)]


class CourseOut(Output):
    id: Id
    key: Annotated[str, Field(examples=["course-v1:Sorbonne+MATH101+2026"])]
    department: Annotated[str, Field(examples=["MATH"])]
    title: str
    is_locked: bool
    starts_on: WhenKnown[date] = None
    ends_on: WhenKnown[date] = None
    programme: WhenKnown[str] = None
    term: WhenKnown[int] = None
    modality: WhenKnown[str] = None


class CourseIn(Input):
    department: Annotated[str, Field(max_length=64, examples=["MATH"])]
    title: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""
    starts_on: Annotated[Day | None, Field(examples=["2026-09-01"])] = None
    ends_on: Annotated[Day | None, Field(examples=["2027-01-31"])] = None
    programme: Annotated[str | None, Field(max_length=255, pattern=r"^[^\x00]*$")] = None
    term: Annotated[int | None, Field(ge=0, le=99)] = None
    modality: Annotated[str | None, Field(max_length=64, pattern=r"^[^\x00]*$")] = None


class BoardGroup(GroupOut):
    member_count: int
    members: Annotated[list[Id] | None, Field(description="User ids, by name")]


class BoardPartition(Output):
    id: Id
    course_id: Id
    kind: Kind
    name: str
    position: Position
    groups_editable: bool
    show_in_lists: bool
    show_rank_on_report: bool
    groups: list[BoardGroup]
    unassigned_count: int
    unassigned: Annotated[list[Id] | None, Field(description="Enrolled users in none of these")]


class BoardOut(Output):
    course: CourseOut
    enrolled: int
    partitions: list[BoardPartition]
    users: Annotated[list[MemberOut] | None, Field(description="All who are named, by name")]


class ChangeOut(Output):
    seq: int
    course_id: Id | None
    at: datetime
    actor: str
    request_id: str | None
    changeset_id: str
    cause: str | None
    kind: Annotated[str, Field(examples=["membership.moved"])]
    partition_id: Id | None
    group_id: Id | None
    user_id: Id | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeFeedOut(Output):
    items: list[ChangeOut]
    next_cursor: Annotated[str, Field(description="Send it as `after` to read on, now or later")]
    has_more: Annotated[bool, Field(description="Whether there is more to read now")]
