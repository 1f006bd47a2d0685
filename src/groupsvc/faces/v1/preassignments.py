"""Preassignments: e-mail addresses that wait in cohorts for their users."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from groupsvc.domain.json_resource import Page
from groupsvc.faces.v1.endpoints import Paging
from groupsvc.faces.v1.roster_schemas import Email
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Input, Output, PageOut, PathId
from groupsvc.http.dependencies import PreassignmentServiceDep

routes = Routes("cohorts")


class PreassignmentOut(Output):
    id: Id
    course_id: Id
    email: str
    group_id: Id
    group_name: str
    created_at: Annotated[datetime, Field(description="When it was last given a cohort")]


class RetirementIn(Input):
    email: Email


class RetirementOut(Output):
    preassignments: Annotated[
        int, Field(description="Courses in which the address was preassigned")
    ]
    jobs: Annotated[int, Field(description="Results of uploads that named it")]
    users: Annotated[int, Field(description="Users who have it, and count as leaving now")]


@routes.get(
    "/courses/{course_id:int}/preassignments",
    "The preassignments of a course",
    PageOut[PreassignmentOut],
)
async def list_preassignments(
    course_id: PathId, preassignments: PreassignmentServiceDep, page: Paging
) -> Page:
    """In the order in which they were made. One is deleted when its user is given a cohort."""
    (after,) = page.after(0)
    return await preassignments.page(course_id, after=after, limit=page.limit)


@routes.delete(
    "/courses/{course_id:int}/preassignments/{preassignment_id:int}", "Cancel a preassignment"
)
async def cancel_preassignment(
    course_id: PathId, preassignment_id: PathId, preassignments: PreassignmentServiceDep
) -> None:
    """No error and no change when there is none."""
    await preassignments.cancel(course_id, preassignment_id)


@routes.post(
    "/retirements", "Retire an e-mail address", RetirementOut, permission=None, errors=(403,)
)
async def retire_address(
    body: RetirementIn, preassignments: PreassignmentServiceDep
) -> RetirementOut:
    """Cancels its preassignments, in locked courses too, and deletes it from results of uploads.

    A user who has it counts as leaving: dialects do not find them. Needs `admin` or `roster:write`
    everywhere.
    """
    retired = await preassignments.retire(body.email)
    return RetirementOut(
        preassignments=retired.preassignments, jobs=retired.jobs, users=retired.users
    )
