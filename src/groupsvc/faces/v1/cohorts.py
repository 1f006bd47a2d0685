"""Cohorts of a course: settings, assignment on arrival, content groups."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import MOST, Id, Input, Output, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import (
    IDEMPOTENT,
    CohortAssignmentServiceDep,
    CohortServiceDep,
    IfMatchDep,
)
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["cohorts"])

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))
ROSTER = Depends(Requires(Permission.ROSTER_WRITE))
READ_ERRORS = problem_responses(401, 403, 404, 503)
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 415, 422, 503)

ContentId = Annotated[int, Path(ge=0, le=MOST, description="The platform's own id")]
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]


class CohortSettings(Input):
    is_cohorted: Annotated[bool, Field(description="False hides cohorts and keeps them")]
    random_assignment: Annotated[
        Literal["uniform", "balanced"],
        Field(description="Chance alone, or always the smallest of the random cohorts"),
    ] = "uniform"


class ArrivalIn(Input):
    user_id: Id


class ArrivalOut(Output):
    group_id: Annotated[Id | None, Field(description="Null in a course that is not cohorted")]
    assigned: Annotated[bool, Field(description="Whether he was given it just now")]


class ContentGroup(Input):
    id: Annotated[int, Field(ge=0, le=MOST)]
    name: Text


class ContentPartitionIn(Input):
    scheme: Annotated[Text, Field(examples=["cohort"])] = "cohort"
    name: Text
    description: Text = ""
    is_active: bool = True
    groups: Annotated[list[ContentGroup], Field(max_length=1000, default_factory=list)]


class ContentPartitionOut(Output):
    id: int
    scheme: str
    name: str
    description: str
    is_active: bool
    groups: list[ContentGroup]


@router.get(
    "/courses/{course_id:int}/cohort-settings",
    operation_id="get_cohort_settings",
    summary="Is the course cohorted, and how does chance decide?",
    response_model=CohortSettings,
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def get_cohort_settings(
    request: Request, course_id: PathId, cohorts: CohortServiceDep
) -> Response:
    """Reading changes nothing."""
    return resource_response(request, await cohorts.settings(course_id))


@router.put(
    "/courses/{course_id:int}/cohort-settings",
    operation_id="put_cohort_settings",
    summary="Turn cohorts on or off",
    response_model=CohortSettings,
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[WRITER],
)
async def put_cohort_settings(
    request: Request,
    course_id: PathId,
    body: CohortSettings,
    cohorts: CohortServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Turning them off keeps cohorts and members; turning them on again restores both."""
    document = await cohorts.configure(
        course_id,
        is_cohorted=body.is_cohorted,
        random_assignment=body.random_assignment,
        expected=expected,
    )
    return resource_response(request, document)


@router.post(
    "/courses/{course_id:int}/cohort-assignments",
    operation_id="assign_cohort",
    summary="Give an arriving user his cohort",
    responses=WRITE_ERRORS,
    dependencies=[WRITER, IDEMPOTENT],
)
async def assign_cohort(
    course_id: PathId, body: ArrivalIn, cohorts: CohortAssignmentServiceDep
) -> ArrivalOut:
    """The cohort he has; else the one his e-mail waits for; else one by chance.

    Repeating it answers the same cohort.
    """
    answer = await cohorts.assign(course_id, body.user_id)
    return ArrivalOut(group_id=answer.group_id, assigned=answer.assigned)


@router.get(
    "/courses/{course_id:int}/content-partitions",
    operation_id="list_content_partitions",
    summary="Content groups that cohorts can point at",
    response_model=list[ContentPartitionOut],
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def list_content_partitions(
    request: Request, course_id: PathId, cohorts: CohortServiceDep
) -> Response:
    """In the order in which they were declared."""
    return resource_response(request, await cohorts.content_partitions(course_id))


@router.put(
    "/courses/{course_id:int}/content-partitions/{content_partition_id:int}",
    operation_id="put_content_partition",
    summary="Declare content groups of a learning platform",
    response_model=ContentPartitionOut,
    responses=WRITE_ERRORS
    | problem_responses(412)
    | {201: {"model": ContentPartitionOut, "description": "Created"}},
    dependencies=[ROSTER],
)
async def put_content_partition(
    request: Request,
    course_id: PathId,
    content_partition_id: ContentId,
    body: ContentPartitionIn,
    cohorts: CohortServiceDep,
    expected: IfMatchDep,
) -> Response:
    """The ids are the platform's own; a cohort's link may point at any."""
    document, created = await cohorts.declare_content(
        course_id, content_partition_id, expected=expected, **body.model_dump()
    )
    return resource_response(request, document, status=201 if created else 200)


@router.delete(
    "/courses/{course_id:int}/content-partitions/{content_partition_id:int}",
    operation_id="delete_content_partition",
    summary="Forget content groups",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[ROSTER],
)
async def delete_content_partition(
    course_id: PathId,
    content_partition_id: ContentId,
    cohorts: CohortServiceDep,
    expected: IfMatchDep,
) -> None:
    """No error when there are none of this id; links of cohorts stay."""
    await cohorts.withdraw_content(course_id, content_partition_id, expected=expected)
