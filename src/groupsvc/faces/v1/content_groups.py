"""Which content group a user gets."""

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.cohorts import ContentId
from groupsvc.faces.v1.schemas import Id, Output, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import IDEMPOTENT, CohortAssignmentServiceDep
from groupsvc.http.problems import problem_responses
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["cohorts"])

PATH = (
    "/courses/{course_id:int}/content-partitions/{content_partition_id:int}"
    "/users/{user_id:int}/group"
)


class ContentGroupOut(Output):
    content_group_id: Annotated[int | None, Field(description="The platform's own id")]
    cohort_id: Annotated[Id | None, Field(description="The group of the user")]
    reason: Annotated[
        Literal["no_cohort", "no_link", "partition_mismatch", "group_not_found"] | None,
        Field(description="Why there is none"),
    ]


@router.get(
    PATH,
    operation_id="get_content_group",
    summary="The content group of a user",
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[Depends(Requires(Permission.GROUPS_READ))],
)
async def get_content_group(
    course_id: PathId,
    content_partition_id: ContentId,
    user_id: PathId,
    cohorts: CohortAssignmentServiceDep,
) -> ContentGroupOut:
    """What his cohort points at. Reading gives nobody a cohort."""
    found = await cohorts.content_group(course_id, content_partition_id, user_id, assign=False)
    return ContentGroupOut(**asdict(found))


@router.post(
    PATH,
    operation_id="assign_content_group",
    summary="The content group of an arriving user",
    responses=problem_responses(401, 403, 404, 409, 503),
    dependencies=[Depends(Requires(Permission.GROUPS_WRITE)), IDEMPOTENT],
)
async def assign_content_group(
    course_id: PathId,
    content_partition_id: ContentId,
    user_id: PathId,
    cohorts: CohortAssignmentServiceDep,
) -> ContentGroupOut:
    """The same, after he has been given a cohort if he had none."""
    found = await cohorts.content_group(course_id, content_partition_id, user_id, assign=True)
    return ContentGroupOut(**asdict(found))
