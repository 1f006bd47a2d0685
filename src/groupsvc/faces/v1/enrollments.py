"""Enrollments: who is in a course, in which state and on which track."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.enrollments.service import EnrollmentService
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.roster_schemas import (
    EnrollmentIn,
    EnrollmentOut,
    EnrollmentPatch,
    Searched,
)
from groupsvc.faces.v1.schemas import PageOut, PathId, State
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import Cursor, IfMatchDep, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["enrollments"])


async def enrollment_service(request: Request) -> EnrollmentService:
    return EnrollmentService(request.state.uow, request.state.principal)


EnrollmentServiceDep = Annotated[EnrollmentService, Depends(enrollment_service)]

READER = Depends(Requires(Permission.GROUPS_READ))
ROSTER = Depends(Requires(Permission.ROSTER_WRITE))
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 412, 415, 422, 503)


@router.get(
    "/courses/{course_id:int}/enrollments",
    operation_id="list_enrollments",
    summary="Who is in a course",
    response_model=PageOut[EnrollmentOut],
    responses=problem_responses(401, 403, 404, 422, 503),
    dependencies=[READER],
)
async def list_enrollments(
    request: Request,
    course_id: PathId,
    enrollments: EnrollmentServiceDep,
    state: Annotated[State | None, Query(description="Only users in this state")] = None,
    search: Searched = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """By user id."""
    (after,) = decode_cursor(cursor, (int,)) or (0,)
    page = await enrollments.page(
        course_id, state=state, search=search, after=after, limit=page_size(request, limit)
    )
    return page_response(request, page)


@router.get(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    operation_id="get_enrollment",
    summary="A user's enrollment in a course",
    response_model=EnrollmentOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[READER],
)
async def get_enrollment(
    request: Request, course_id: PathId, user_id: PathId, enrollments: EnrollmentServiceDep
) -> Response:
    """Not found when the user is not in the course."""
    return resource_response(request, await enrollments.read(course_id, user_id))


@router.put(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    operation_id="put_enrollment",
    summary="Enroll a user",
    response_model=EnrollmentOut,
    responses=WRITE_ERRORS | {201: {"model": EnrollmentOut, "description": "Enrolled just now"}},
    dependencies=[ROSTER],
)
async def put_enrollment(
    request: Request,
    course_id: PathId,
    user_id: PathId,
    body: EnrollmentIn,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Enrolls the user, or sets his state; `withdrawn` and `defaulted` keep his memberships.

    A track puts him into the group of that name of the tracks partition, null takes him out of
    it, and without one he stays where he is. So does a cohort, for callers with `groups:write`.
    """
    document, created = await enrollments.declare(
        course_id, user_id, body.given(), expected=expected
    )
    return resource_response(request, document, status=201 if created else 200)


@router.patch(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    operation_id="edit_enrollment",
    summary="Change the state or track of an enrollment",
    response_model=EnrollmentOut,
    responses=WRITE_ERRORS,
    dependencies=[ROSTER],
)
async def edit_enrollment(
    request: Request,
    course_id: PathId,
    user_id: PathId,
    body: EnrollmentPatch,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> Response:
    """A merge: what is not named stays as it is. Not found when the user is not in the course."""
    document = await enrollments.edit(course_id, user_id, body.given(), expected=expected)
    return resource_response(request, document)


@router.delete(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    operation_id="delete_enrollment",
    summary="Take a user out of a course",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[ROSTER],
)
async def delete_enrollment(
    course_id: PathId,
    user_id: PathId,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> None:
    """His memberships in the course end, but for that in a cohort.

    No error and no change when he is not in the course.
    """
    await enrollments.delete(course_id, user_id, expected=expected)
