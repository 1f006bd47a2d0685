"""What is stored about a person, for the person, and its end."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Input, Output, PathId
from groupsvc.http.dependencies import PersonServiceDep

routes = Routes("users")

Subjects = Annotated[
    list[Annotated[str, Field(max_length=255)]],
    Field(
        max_length=20,
        description="The `sub` that tokens of the person have, where it is not the username",
    ),
]


class FormerNameOut(Output):
    name: str
    until: datetime


class HeldRoleOut(Output):
    role: str
    department: str | None
    course: str | None


class AttendedOut(Output):
    course: str
    title: str
    state: str
    track: str | None
    since: datetime


class OwnGroupOut(Output):
    course: str
    partition: str
    group: str
    since: datetime


class WaitingOut(Output):
    course: str
    group: str
    email: str
    since: datetime


class RemovedOut(Output):
    """An address that went with its group, and may come back with it."""

    course: str
    email: str
    removed_at: datetime


class OwnAccountOut(Output):
    name: str
    since: datetime


class NamedInOut(Output):
    course: str
    job: Id
    at: datetime


class ChangeOfThemOut(Output):
    at: datetime
    kind: str
    cause: str | None
    course_id: Id | None
    partition_id: Id | None
    group_id: Id | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangeByThemOut(Output):
    at: datetime
    kind: str
    as_: Annotated[str, Field(alias="as", description="What the change log calls them")]


class PersonalDataOut(Output):
    user: Annotated[dict[str, Any] | None, Field(description="As it is stored")]
    external_ids: dict[str, str] | None
    former_names: list[FormerNameOut] | None
    former_id_elsewhere: int | None
    roles: list[HeldRoleOut] | None
    enrollments: list[AttendedOut] | None
    groups: list[OwnGroupOut] | None
    preassignments: list[WaitingOut] | None
    removed_preassignments: list[RemovedOut] | None
    accounts: list[OwnAccountOut] | None
    uploads: Annotated[list[NamedInOut] | None, Field(description="Results that name them")]
    stored_answers: Annotated[int, Field(description="Kept for repetition, for some hours")]
    changes: Annotated[list[ChangeOfThemOut] | None, Field(description="About them")]
    changed_by_them: list[ChangeByThemOut] | None


class ErasureIn(Input):
    subjects: Subjects = Field(default_factory=list)


class ErasureOut(Output):
    user: Annotated[bool, Field(description="There was one")]
    groups: int
    courses: int
    locked_courses: Annotated[int, Field(description="They keep a member without a name")]
    roles: int
    external_ids: int
    preassignments: int
    accounts: int
    documents: Annotated[int, Field(description="Of group editors")]
    uploads: Annotated[int, Field(description="Results that named them")]
    answers: Annotated[int, Field(description="That were kept for repetition")]
    lines_forgotten: Annotated[int, Field(description="Of the change log, written by them")]
    lines_kept: Annotated[
        int, Field(description="Lines that still name them as who acted: see `groupsvc person`")
    ]


@routes.get(
    "/users/{user_id:int}/personal-data",
    "All that is stored about a user",
    PersonalDataOut,
    permission=Permission.ADMIN,
    bulk=True,
)
async def get_personal_data(user_id: PathId, persons: PersonServiceDep) -> Resource:
    """For the person who asks. Needs `admin` everywhere."""
    return await persons.export(user_id)


@routes.post(
    "/users/{user_id:int}/erasure",
    "Erase a person",
    ErasureOut,
    permission=Permission.ADMIN,
    bulk=True,
)
async def erase_person(user_id: PathId, body: ErasureIn, persons: PersonServiceDep) -> ErasureOut:
    """Deletes the user and all that names them: former names, addresses that wait, accounts,
    results of uploads, answers kept for repetition. The change log keeps the id alone.

    Locked courses keep a member without a name. May be repeated. Refused while an upload that names
    them is still to be done. Needs `admin` everywhere.
    """
    erased = await persons.erase(user_id, subjects=body.subjects)
    return ErasureOut.model_validate(erased, from_attributes=True)
