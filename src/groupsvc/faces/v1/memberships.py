"""Who is in which group, now and then."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import (
    AssignmentOut,
    GroupOfUser,
    MemberOut,
    MyGroup,
    PageOut,
    PastGroupOfUser,
    PastMemberOut,
    PathId,
    State,
)
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import Cursor, Limit, MembershipServiceDep, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["memberships"])

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))
READ_ERRORS = problem_responses(401, 403, 404, 422, 503)

AsOf = Annotated[AwareDatetime | None, Query(description="A time with its offset: as it was then")]
InState = Annotated[State | None, Query(description="Only users enrolled in this state")]


@router.get(
    "/groups/{group_id:int}/members",
    operation_id="list_members",
    summary="The members of a group",
    response_model=PageOut[MemberOut] | PageOut[PastMemberOut],
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def list_members(
    request: Request,
    group_id: PathId,
    memberships: MembershipServiceDep,
    state: InState = None,
    as_of: AsOf = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """By user id. With `as_of`, who was a member then, whatever became of him."""
    (after,) = decode_cursor(cursor, (int,)) or (0,)
    page = await memberships.in_group(
        group_id, state=state, as_of=as_of, after=after, limit=page_size(request, limit)
    )
    return page_response(request, page)


@router.put(
    "/groups/{group_id:int}/members/{user_id:int}",
    operation_id="assign_member",
    summary="Put a user into a group",
    responses=problem_responses(401, 403, 404, 409, 503),
    dependencies=[WRITER],
)
async def assign_member(
    group_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> AssignmentOut:
    """Assigns the user, or moves him from another group of the partition and tells from which."""
    outcome = await memberships.assign(group_id, user_id)
    return AssignmentOut(
        course_id=outcome.course_id,
        partition_id=outcome.partition_id,
        group_id=group_id,
        user_id=user_id,
        changed=outcome.changed,
        previous_group_id=outcome.previous_group_id,
    )


@router.delete(
    "/groups/{group_id:int}/members/{user_id:int}",
    operation_id="remove_member",
    summary="Take a user out of a group",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 503),
    dependencies=[WRITER],
)
async def remove_member(
    group_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> None:
    """No error and no change when he is not in it."""
    await memberships.remove(group_id, user_id)


@router.delete(
    "/partitions/{partition_id:int}/members/{user_id:int}",
    operation_id="leave_partition",
    summary="Take a user out of whatever group he is in",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 503),
    dependencies=[WRITER],
)
async def leave_partition(
    partition_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> None:
    """No error and no change when he is in none."""
    await memberships.leave(partition_id, user_id)


@router.get(
    "/partitions/{partition_id:int}/unassigned",
    operation_id="list_unassigned",
    summary="Enrolled users who are in no group",
    response_model=PageOut[MemberOut],
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def list_unassigned(
    request: Request,
    partition_id: PathId,
    memberships: MembershipServiceDep,
    state: InState = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """By user id."""
    (after,) = decode_cursor(cursor, (int,)) or (0,)
    page = await memberships.in_no_group(
        partition_id, state=state, after=after, limit=page_size(request, limit)
    )
    return page_response(request, page)


@router.get(
    "/courses/{course_id:int}/users/{user_id:int}/groups",
    operation_id="list_user_course_groups",
    summary="The groups of a user in a course",
    response_model=list[GroupOfUser] | list[PastGroupOfUser],
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def list_user_course_groups(
    request: Request,
    course_id: PathId,
    user_id: PathId,
    memberships: MembershipServiceDep,
    as_of: AsOf = None,
) -> Response:
    """In the order of the partitions. With `as_of`, as they were, under the names of that time."""
    return resource_response(
        request, await memberships.of_user_in_course(course_id, user_id, as_of)
    )


@router.get(
    "/users/{user_id:int}/groups",
    operation_id="list_user_groups",
    summary="The groups of a user over all courses",
    response_model=list[MyGroup],
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def list_user_groups(
    request: Request, user_id: PathId, memberships: MembershipServiceDep
) -> Response:
    """Those in courses that the caller may read, by course key."""
    return resource_response(request, await memberships.of_user(user_id))
