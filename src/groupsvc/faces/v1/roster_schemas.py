"""What the native face takes and answers about departments, users and enrollments."""

from operator import not_
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BeforeValidator, Field

from groupsvc.faces.v1.schemas import (
    GivenName,
    Id,
    Input,
    MergePatch,
    Output,
    State,
    WhenKnown,
)

Searched = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Beginnings of words of the name, or of the username, e-mail or a number",
    ),
]

LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, Field(max_length=255, pattern=LINE)]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$",
        examples=["ada.lovelace@example.org"],
        description="Unique, whatever its case",
    ),
]
Number = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$",
        examples=["22104711"],
        description="Unique in the department",
    ),
]
Civility = Literal["M", "F", "X"]
Acronym = Annotated[str, Field(max_length=64, pattern=LINE, examples=["MATH"])]
Track = Annotated[
    GivenName | None,
    Field(
        description="Name of a group of the tracks partition; absent keeps it, null takes it away",
        examples=["A"],
    ),
]
CohortName = Annotated[
    GivenName | None,
    Field(
        description="Name of a cohort of the course, which needs `groups:write`; absent keeps it, "
        "null takes the user out of it",
        examples=["Default Group"],
    ),
]


ExternalId = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    Field(max_length=255, pattern=r"^[^\s\x00-\x1f\x7f]+$"),
]
ExternalIds = Annotated[
    dict[str, ExternalId | None],
    Field(
        max_length=20,
        description="Ids by which other systems know the user, by system; `openedx` is the one "
        "of the events. Systems that are not named keep theirs, null takes one away",
        examples=[{"openedx": "4711"}],
    ),
]


class DepartmentIn(Input):
    name: Annotated[Line, Field(examples=["Mathematics"])] = ""


class DepartmentOut(Output):
    acronym: Annotated[str, Field(examples=["MATH"])]
    name: str


class DepartmentIdsOut(Output):
    id: Id
    foreign_id: Annotated[
        WhenKnown[int],
        Field(description="At the server that it moved over from; absent where that is the id"),
    ] = None


class UserIn(Input):
    """A whole user: members that are absent get the values shown."""

    email: Email | None = None
    family_name: Annotated[Line, Field(examples=["Lovelace"])] = ""
    given_name: Annotated[Line, Field(examples=["Ada"])] = ""
    usual_name: Line | None = None
    civility: Civility = "X"
    student_number: Number | None = None
    national_number: Number | None = None
    department: Acronym | None = None
    is_active: bool = True
    external_ids: Annotated[ExternalIds, Field(default_factory=dict)]


class UserPatch(MergePatch):
    """A merge: members that are absent stay as they are, null clears."""

    username: GivenName = ""
    email: Email | None = None
    family_name: Line = ""
    given_name: Line = ""
    usual_name: Line | None = None
    civility: Civility = "X"
    student_number: Number | None = None
    national_number: Number | None = None
    department: Acronym | None = None
    is_active: bool = True
    external_ids: Annotated[ExternalIds, Field(default_factory=dict)]


class UserOut(Output):
    id: Id
    username: Annotated[str, Field(examples=["alovelace"])]
    email: str | None
    family_name: str
    given_name: str
    usual_name: str | None
    civility: Civility
    student_number: str | None
    national_number: str | None
    department: Annotated[str | None, Field(description="Acronym")]
    is_active: bool
    external_ids: Annotated[
        dict[str, str],
        Field(default_factory=dict, exclude_if=not_, description="Absent when there are none"),
    ]


class EnrollmentIn(Input):
    state: State
    track: Track = None
    cohort: CohortName = None


class EnrollmentPatch(MergePatch):
    """A merge: members that are absent stay as they are."""

    state: State = "active"
    track: Track = None
    cohort: CohortName = None


class EnrollmentOut(Output):
    course_id: Id
    user_id: Id
    username: str
    family_name: str
    given_name: str
    state: State
    track: Annotated[
        str | None, Field(description="Name of the user's group in the tracks partition")
    ]
