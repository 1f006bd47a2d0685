"""Cohorts of a course: settings, assignment on arrival, content groups."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import MOST, Id, Input, Output, PathId
from groupsvc.http.dependencies import CohortAssignmentServiceDep, CohortServiceDep

routes = Routes("cohorts")

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
    assigned: Annotated[bool, Field(description="Whether it was assigned just now")]


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


@routes.get(
    "/courses/{course_id:int}/cohort-settings",
    "The cohort settings of a course",
    CohortSettings,
)
async def get_cohort_settings(course_id: PathId, cohorts: CohortServiceDep) -> Resource:
    """Reading changes nothing."""
    return await cohorts.settings(course_id)


@routes.put("/courses/{course_id:int}/cohort-settings", "Turn cohorts on or off", CohortSettings)
async def put_cohort_settings(
    course_id: PathId, body: CohortSettings, cohorts: CohortServiceDep, expected: IfMatchDep
) -> Resource:
    """Turning them off keeps cohorts and members; turning them on again restores both."""
    return await cohorts.configure(
        course_id,
        is_cohorted=body.is_cohorted,
        random_assignment=body.random_assignment,
        expected=expected,
    )


@routes.post(
    "/courses/{course_id:int}/cohort-assignments", "Assign a cohort to an arriving user", ArrivalOut
)
async def assign_cohort(
    course_id: PathId, body: ArrivalIn, cohorts: CohortAssignmentServiceDep
) -> ArrivalOut:
    """The user's own cohort; else that of their preassignment; else one by chance.

    Repeating it answers the same cohort.
    """
    answer = await cohorts.assign(course_id, body.user_id)
    return ArrivalOut(group_id=answer.group_id, assigned=answer.assigned)


@routes.get(
    "/courses/{course_id:int}/content-partitions",
    "Content groups that cohorts can point at",
    list[ContentPartitionOut],
)
async def list_content_partitions(course_id: PathId, cohorts: CohortServiceDep) -> Resource:
    """In the order in which they were declared."""
    return await cohorts.content_partitions(course_id)


@routes.put(
    "/courses/{course_id:int}/content-partitions/{content_partition_id:int}",
    "Declare content groups of a learning platform",
    ContentPartitionOut,
    permission=Permission.ROSTER_WRITE,
)
async def put_content_partition(
    course_id: PathId,
    content_partition_id: ContentId,
    body: ContentPartitionIn,
    cohorts: CohortServiceDep,
    expected: IfMatchDep,
) -> Declared:
    """The ids are the platform's own; a cohort's link may point at any."""
    return await cohorts.declare_content(
        course_id, content_partition_id, expected=expected, **body.model_dump()
    )


@routes.delete(
    "/courses/{course_id:int}/content-partitions/{content_partition_id:int}",
    "Delete a content partition",
    permission=Permission.ROSTER_WRITE,
)
async def delete_content_partition(
    course_id: PathId,
    content_partition_id: ContentId,
    cohorts: CohortServiceDep,
    expected: IfMatchDep,
) -> None:
    """No error when there are none of this id; links of cohorts stay."""
    await cohorts.withdraw_content(course_id, content_partition_id, expected=expected)
