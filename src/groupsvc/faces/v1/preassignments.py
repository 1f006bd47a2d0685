"""E-mail addresses that wait in cohorts for their users."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.roster_schemas import Email
from groupsvc.faces.v1.schemas import Id, Input, Output, PageOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import IDEMPOTENT, Cursor, Limit, PreassignmentServiceDep, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["cohorts"])

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))


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
    preassignments: Annotated[int, Field(description="Courses in which the address waited")]
    jobs: Annotated[int, Field(description="Results of uploads that named it")]
    users: Annotated[int, Field(description="Users who have it, and count as leaving now")]


@router.get(
    "/courses/{course_id:int}/preassignments",
    operation_id="list_preassignments",
    summary="Addresses that wait in cohorts",
    response_model=PageOut[PreassignmentOut],
    responses=problem_responses(401, 403, 404, 422, 503),
    dependencies=[READER],
)
async def list_preassignments(
    request: Request,
    course_id: PathId,
    preassignments: PreassignmentServiceDep,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """In the order in which they were first given. One goes when its user is given his cohort."""
    (after,) = decode_cursor(cursor, (int,)) or (0,)
    page = await preassignments.page(course_id, after=after, limit=page_size(request, limit))
    return page_response(request, page)


@router.delete(
    "/courses/{course_id:int}/preassignments/{preassignment_id:int}",
    operation_id="cancel_preassignment",
    summary="Let an address wait no more",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 503),
    dependencies=[WRITER],
)
async def cancel_preassignment(
    course_id: PathId, preassignment_id: PathId, preassignments: PreassignmentServiceDep
) -> None:
    """No error and no change when it does not wait."""
    await preassignments.cancel(course_id, preassignment_id)


@router.post(
    "/retirements",
    operation_id="retire_address",
    summary="Forget an e-mail address",
    responses=problem_responses(400, 401, 403, 409, 415, 422, 503),
    dependencies=[Depends(Requires(None)), IDEMPOTENT],
)
async def retire_address(
    body: RetirementIn, preassignments: PreassignmentServiceDep
) -> RetirementOut:
    """It waits nowhere any more, in locked courses neither, and results of uploads do not name it.

    A user who has it counts as leaving: dialects do not find him. Needs `admin` or `roster:write`
    everywhere.
    """
    retired = await preassignments.retire(body.email)
    return RetirementOut(
        preassignments=retired.preassignments, jobs=retired.jobs, users=retired.users
    )
