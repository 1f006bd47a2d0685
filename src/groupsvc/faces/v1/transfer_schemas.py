"""What imports take as JSON and answer. The members of a row are the columns of the CSV."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from groupsvc.faces.v1.schemas import MOST, Input, MergePatch, Output, RowsIn, WhenKnown
from groupsvc.import_export.columns import Name
from groupsvc.import_export.mended import Mending
from groupsvc.import_export.results import Result

R = TypeVar("R", bound=Input)

MOST_ROWS = 10_000

# Bounds the work; which texts are valid is decided row by row.
Text = Annotated[str, Field(max_length=2000)]
Number = Annotated[int, Field(ge=-MOST, le=MOST)]
Key = Annotated[Text, Field(description="As exported: whatever has it is meant")]
Names = Annotated[list[Text], Field(max_length=1000)]


class CourseRow(MergePatch):
    """Without a course key it is the department alone."""

    department: Annotated[Text, Field(examples=["MATH"])]
    department_name: Text | None = None
    course_key: Annotated[Text | None, Field(examples=["course-v1:MATH+ALG1+2026"])] = None
    title: Text = ""
    is_locked: bool | None = None
    starts_on: Annotated[Text | None, Field(examples=["2026-09-01"])] = None
    ends_on: Text | None = None
    programme: Text | None = None
    term: Number | None = None
    modality: Text | None = None
    is_cohorted: bool | None = None
    random_assignment: Annotated[Text | None, Field(examples=["uniform"])] = None
    former_keys: Names | None = None
    key: Key | None = None


class RosterRow(MergePatch):
    """Without a course key it is the user alone; `track` is written by exports and not read.

    Without a username it is about whoever has the address or a number of the row.
    """

    username: Annotated[Text | None, Field(examples=["alovelace"])] = None
    email: Text | None = None
    family_name: Text = ""
    given_name: Text = ""
    usual_name: Text | None = None
    civility: Annotated[Text | None, Field(examples=["F"])] = None
    student_number: Text | None = None
    national_number: Text | None = None
    department: Text | None = None
    is_active: bool | None = None
    course_key: Annotated[Text | None, Field(examples=["course-v1:MATH+ALG1+2026"])] = None
    state: Annotated[Text | None, Field(examples=["active"])] = None
    track: Text | None = None
    is_retired: bool | None = None
    external_ids: Annotated[
        dict[str, Text] | None, Field(description="Ids by the system that has them; others stay")
    ] = None
    former_names: Names | None = None
    key: Key | None = None
    action: Text | None = None


class StructureRow(MergePatch):
    """Without a group it is the partition alone."""

    course_key: Annotated[Text, Field(examples=["course-v1:MATH+ALG1+2026"])]
    partition: Annotated[Text, Field(examples=["TD"])]
    kind: Annotated[Text | None, Field(examples=["ordinary"])] = None
    position: Number | None = None
    groups_editable: bool | None = None
    show_in_lists: bool | None = None
    show_rank_on_report: bool | None = None
    group: Annotated[Text | None, Field(examples=["TD1"])] = None
    group_position: Number | None = None
    capacity: Number | None = None
    timetable_id: Text | None = None
    assignment_type: Text | None = None
    content_partition_id: Number | None = None
    content_group_id: Number | None = None
    partition_former_names: Names | None = None
    former_names: Names | None = None
    partition_key: Key | None = None
    key: Key | None = None


class AssignmentRow(MergePatch):
    """With the action `remove` the user is taken out of the group, or of whatever they are in."""

    course_key: Annotated[Text, Field(examples=["course-v1:MATH+ALG1+2026"])]
    user: Annotated[Text, Field(description="Username, e-mail or number")]
    partition: Annotated[Text, Field(examples=["TD"])]
    group: Annotated[Text | None, Field(examples=["TD1"])] = None
    action: Text | None = None


class PreassignmentRow(MergePatch):
    """An e-mail address, and the cohort that its user gets when they come."""

    course_key: Annotated[Text, Field(examples=["course-v1:MATH+ALG1+2026"])]
    partition: Annotated[Text, Field(examples=["Cohorts"])]
    group: Annotated[Text, Field(examples=["Cohort A"])]
    waiting_email: Annotated[Text, Field(examples=["late@example.org"])]


class ContentGroupRow(MergePatch):
    """A content partition, and perhaps a group of it, by the ids of the platform."""

    course_key: Annotated[Text, Field(examples=["course-v1:MATH+ALG1+2026"])]
    content_partition_id: Annotated[Number, Field(examples=[50])]
    content_partition: Annotated[Text, Field(examples=["Content"])] = ""
    scheme: Text = ""
    description: Text = ""
    is_active: bool | None = None
    content_group_id: Number | None = None
    content_group: Text | None = None


class RoleRow(MergePatch):
    """With the action `remove` the user loses the role, or all that they have in this place.

    A role everywhere has null for both `department` and `course_key`.
    """

    user: Annotated[Text, Field(description="Username, e-mail or number")]
    role: Annotated[Text | None, Field(examples=["instructor"])] = None
    department: Text | None = None
    course_key: Annotated[Text | None, Field(examples=["course-v1:MATH+ALG1+2026"])] = None
    action: Text | None = None


class Rows(RowsIn, Generic[R]):
    rows: Annotated[list[R], Field(max_length=MOST_ROWS)]


class ImportRowOut(Output):
    file: Annotated[WhenKnown[str], Field(description="In which it is, of an archive")] = None
    line: Annotated[
        int, Field(description="Line of the CSV where the row starts, or place in `rows`")
    ]
    result: Result
    code: Annotated[
        str | None,
        Field(description="Why it was refused, or how it was read", examples=["unknown_course"]),
    ]
    message: str | None
    also: Annotated[
        WhenKnown[list[Result]], Field(description="What the row did besides its result")
    ] = None
    near: Annotated[
        WhenKnown[list[str]],
        Field(description="Whom or what a refused row resembles, as far as the caller may see"),
    ] = None


class MissingOut(Output):
    """Somebody who was in a course or group of the table and is not in the table."""

    course_key: str
    partition: Annotated[str | None, Field(description="Null for who is withdrawn")]
    group: str | None
    user: Annotated[str, Field(description="Username")]
    result: Result
    code: Annotated[str | None, Field(description="Why they stay", examples=["large"])]
    message: str | None


class MendedOut(Output):
    file: Annotated[WhenKnown[str], Field(description="In which it was, of an archive")] = None
    kind: Mending
    line: Annotated[int, Field(description="Where first")]
    count: int


class ImportOut(Output):
    kind: Name
    dry_run: bool
    written: Annotated[
        WhenKnown[bool], Field(description="With `all_or_nothing`: whether anything was written")
    ] = None
    columns: Annotated[
        WhenKnown[dict[str, str]],
        Field(description="Columns of the CSV by what it calls them, where that is something else"),
    ] = None
    format: Annotated[
        WhenKnown[str],
        Field(
            description="Of another system, as which it was recognised",
            examples=["canvas-groups"],
        ),
    ] = None
    ignored: Annotated[
        WhenKnown[list[str]], Field(description="Columns of the CSV that are not read")
    ] = None
    encoding: Annotated[
        WhenKnown[str],
        Field(
            description="Of a text that is not UTF-8; of an archive those of its files",
            examples=["Windows-1252"],
        ),
    ] = None
    mended: Annotated[
        WhenKnown[list[MendedOut]], Field(description="What was put right while it was read")
    ] = None
    counts: Annotated[
        dict[str, int], Field(description="Rows, and people who were missing, by result")
    ]
    missing: Annotated[
        WhenKnown[list[MissingOut]],
        Field(description="With `only` or `withdraw_missing`: those who are in no row"),
    ] = None
    rows: Annotated[list[ImportRowOut], Field(description="Every row, in its order")]
