"""Which content group a user gets."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field

from groupsvc.faces.v1.cohorts import ContentId
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Output, PathId
from groupsvc.http.dependencies import CohortAssignmentServiceDep

routes = Routes("cohorts")

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


@routes.get(PATH, "The content group of a user", ContentGroupOut)
async def get_content_group(
    course_id: PathId,
    content_partition_id: ContentId,
    user_id: PathId,
    cohorts: CohortAssignmentServiceDep,
) -> ContentGroupOut:
    """What the user's cohort points at. Reading assigns no cohort."""
    found = await cohorts.content_group(course_id, content_partition_id, user_id, assign=False)
    return ContentGroupOut(**asdict(found))


@routes.post(PATH, "The content group of an arriving user", ContentGroupOut)
async def assign_content_group(
    course_id: PathId,
    content_partition_id: ContentId,
    user_id: PathId,
    cohorts: CohortAssignmentServiceDep,
) -> ContentGroupOut:
    """The same, after a cohort has been assigned to a user who had none."""
    found = await cohorts.content_group(course_id, content_partition_id, user_id, assign=True)
    return ContentGroupOut(**asdict(found))
