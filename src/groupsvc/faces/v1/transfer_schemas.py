"""What imports take as JSON and answer. The members of a row are the columns of the CSV."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from groupsvc.faces.v1.schemas import MOST, Input, MergePatch, Output, WhenKnown
from groupsvc.import_export.columns import Name
from groupsvc.import_export.results import Result

R = TypeVar("R", bound=Input)

MOST_ROWS = 10_000

# Bounds the work; which texts are valid is decided row by row.
Text = Annotated[str, Field(max_length=2000)]
Number = Annotated[int, Field(ge=-MOST, le=MOST)]


class CourseRow(MergePatch):
    """Without a course key it is the department alone."""

    department: Annotated[Text, Field(examples=["MATH"])]
    department_name: Text | None = None
    course_key: Annotated[Text | None, Field(examples=["course-v1:MATH+ALG1+2026"])] = None
    title: Text = ""
    is_locked: bool | None = None


class RosterRow(MergePatch):
    """Without a course key it is the user alone; `track` is written by exports and not read."""

    username: Annotated[Text, Field(examples=["alovelace"])]
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


class AssignmentRow(MergePatch):
    """Without a group the user is taken out of whatever group of the partition they are in."""

    course_key: Annotated[Text, Field(examples=["course-v1:MATH+ALG1+2026"])]
    user: Annotated[Text, Field(description="Username, e-mail or student number")]
    partition: Annotated[Text, Field(examples=["TD"])]
    group: Annotated[Text | None, Field(examples=["TD1"])] = None


class RoleRow(MergePatch):
    """Without a role the user loses those they have in this place.

    A role everywhere has null for both `department` and `course_key`.
    """

    user: Annotated[Text, Field(description="Username, e-mail or student number")]
    role: Annotated[Text | None, Field(examples=["instructor"])] = None
    department: Text | None = None
    course_key: Annotated[Text | None, Field(examples=["course-v1:MATH+ALG1+2026"])] = None


class Rows(Input, Generic[R]):
    rows: Annotated[list[R], Field(max_length=MOST_ROWS)]


class ImportRowOut(Output):
    line: Annotated[
        int, Field(description="Line of the CSV where the row starts, or place in `rows`")
    ]
    result: Result
    code: Annotated[
        str | None, Field(description="Why it was refused", examples=["unknown_course"])
    ]
    message: str | None


class ImportOut(Output):
    kind: Name
    dry_run: bool
    columns: Annotated[
        WhenKnown[dict[str, str]],
        Field(description="Columns of the CSV by what it calls them, where that is something else"),
    ] = None
    counts: Annotated[dict[str, int], Field(description="Rows by result")]
    rows: Annotated[list[ImportRowOut], Field(description="Every row, in its order")]
