"""The objects of this dialect as its OpenAPI document has them; tests hold answers against it.

Bodies are described here and read by hand: their checks have an order and messages of their own.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AssignmentType = Literal["manual", "random"]
Identifier = Annotated[str, Field(description="Username or e-mail address", examples=["alovelace"])]
Link = Annotated[int | None, Field(description="Null together with the other one")]


class Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NestedErrorOut(Output):
    error_code: Annotated[str, Field(examples=["token_expired"])]
    developer_message: str


class ErrorOut(Output):
    developer_message: Annotated[
        str | NestedErrorOut,
        Field(description="Nested for errors of bearer tokens", examples=["Course not found."]),
    ]
    error_code: Annotated[str | None, Field(examples=["cohort-not-found"])] = None


class PageErrorOut(Output):
    error: Annotated[str, Field(examples=["Invalid JSON"])]


class DetailOut(Output):
    detail: str


class ProblemOut(Output):
    type: str
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="The path of the request")]


class TokenOut(Output):
    access_token: str
    token_type: Literal["JWT", "Bearer"]
    expires_in: Annotated[int, Field(description="Seconds", examples=[3600])]
    scope: str


class OAuthErrorOut(Output):
    """Why no token is issued (RFC 6749, section 5.2)."""

    error: str
    error_description: str


class SettingsOut(Output):
    id: int
    is_cohorted: bool


class ReadSettingsOut(Output):
    id: Annotated[int | None, Field(description="Null until the settings are written")]
    is_cohorted: bool


class CohortOut(Output):
    name: Annotated[str, Field(examples=["Default Group"])]
    id: int
    user_count: Annotated[int, Field(description="Members with an active enrollment")]
    assignment_type: AssignmentType
    user_partition_id: Link
    group_id: Link


class CohortOutV2(Output):
    id: int
    name: Annotated[str, Field(examples=["Default Group"])]
    assignment_type: AssignmentType
    user_count: Annotated[int, Field(description="Members with an active enrollment")]
    user_partition_id: Link
    group_id: Link


class CohortsOut(Output):
    cohorts: list[CohortOut]


class MemberOut(Output):
    username: str
    email: str
    name: Annotated[str, Field(description="Given name, a space, family name")]


class PageOut(Output):
    next: Annotated[str | None, Field(description="Address of the next page")]
    previous: str | None
    count: int
    num_pages: int
    current_page: int
    start: Annotated[int, Field(description="Place of the first result, from 0")]


class MembersOut(PageOut):
    results: list[MemberOut]


class CohortPageOut(PageOut):
    results: list[CohortOutV2]


class AddedUserOut(Output):
    username: str
    email: str


class ChangedUserOut(Output):
    email: str
    previous_cohort: str | None
    username: str


class ResultOut(Output):
    added: list[AddedUserOut]
    changed: list[ChangedUserOut]
    present: list[str]
    unknown: list[str]
    preassigned: Annotated[list[str], Field(description="Addresses that wait for their users")]
    invalid: list[str]
    not_allowed: Annotated[
        list[str], Field(description="Refused: the cohort is full. Absent when there are none")
    ] = []


class AddedOut(ResultOut):
    success: Literal[True]


class DoneOut(Output):
    success: bool
    msg: str | None = None


class ContentGroupOut(Output):
    id: int
    name: str
    version: Literal[1]
    usage: list[Any]


class ContentGroupsOut(Output):
    id: Annotated[int | None, Field(description="Of the first partition for cohorts")]
    groups: list[ContentGroupOut]
    studio_content_groups_link: str


class ConfigurationOut(Output):
    id: int
    name: str
    scheme: Literal["cohort"]
    description: str
    parameters: dict[str, Any]
    groups: list[ContentGroupOut]
    active: bool
    version: Literal[3]
    is_read_only: Literal[False]


class SettingsIn(BaseModel):
    is_cohorted: bool


class CohortIn(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    assignment_type: AssignmentType
    user_partition_id: int | None = None
    group_id: Annotated[int | None, Field(description="Needs `user_partition_id`")] = None


class CohortPatch(BaseModel):
    name: Annotated[str | None, Field(min_length=1, max_length=255)] = None
    assignment_type: AssignmentType | None = None
    user_partition_id: int | None = None
    group_id: Annotated[int | None, Field(description="Null unlinks; absent keeps the link")] = None


class UsersIn(BaseModel):
    users: list[Identifier]


class UsersForm(BaseModel):
    users: Annotated[str, Field(description="Separated by commas and whitespace")]


class UsernameForm(BaseModel):
    username: str
