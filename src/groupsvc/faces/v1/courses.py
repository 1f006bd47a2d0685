"""Courses, their lock and their board."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import BoardOut, CourseIn, CourseOut, PageOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import CourseServiceDep, Cursor, IfMatchDep, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["courses"])

READER = Depends(Requires(Permission.GROUPS_READ))
ROSTER = Depends(Requires(Permission.ROSTER_WRITE))
ADMIN = Depends(Requires(Permission.ADMIN))
READ_ERRORS = problem_responses(401, 403, 404, 503)
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 412, 415, 422, 503)


@router.get(
    "/courses",
    operation_id="list_courses",
    summary="Courses",
    response_model=PageOut[CourseOut],
    responses=problem_responses(401, 403, 422, 503),
    dependencies=[READER],
)
async def list_courses(
    request: Request,
    courses: CourseServiceDep,
    department: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Those that the caller may read, by id."""
    (after,) = decode_cursor(cursor, (int,)) or (0,)
    page = await courses.page(department=department, after=after, limit=page_size(request, limit))
    return page_response(request, page)


@router.get(
    "/courses/by-key/{key:path}",
    operation_id="get_course_by_key",
    summary="A course by its key",
    response_model=CourseOut,
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def get_course_by_key(request: Request, key: str, courses: CourseServiceDep) -> Response:
    """A key may hold slashes."""
    return resource_response(request, await courses.read_key(key))


@router.put(
    "/courses/by-key/{key:path}",
    operation_id="put_course",
    summary="Declare a course",
    response_model=CourseOut,
    responses=WRITE_ERRORS | {201: {"model": CourseOut, "description": "Created"}},
    dependencies=[ROSTER],
)
async def put_course(
    request: Request, key: str, body: CourseIn, courses: CourseServiceDep, expected: IfMatchDep
) -> Response:
    """Creates the course with its default partition, or updates it."""
    document, created = await courses.declare(
        key, department=body.department, title=body.title, expected=expected
    )
    location = f"/v1/courses/{document.data['id']}"
    return resource_response(request, document, status=201 if created else 200, location=location)


@router.get(
    "/courses/{course_id:int}",
    operation_id="get_course",
    summary="A course",
    response_model=CourseOut,
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def get_course(request: Request, course_id: PathId, courses: CourseServiceDep) -> Response:
    """A course without its partitions."""
    return resource_response(request, await courses.read(course_id))


@router.delete(
    "/courses/{course_id:int}",
    operation_id="delete_course",
    summary="Delete a course",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[ADMIN],
)
async def delete_course(course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep) -> None:
    """Its partitions, groups, memberships and enrollments go with it; its change log stays."""
    await courses.delete(course_id, expected=expected)


@router.put(
    "/courses/{course_id:int}/lock",
    operation_id="lock_course",
    summary="Lock a course",
    response_model=CourseOut,
    responses=READ_ERRORS | problem_responses(412),
    dependencies=[ADMIN],
)
async def lock_course(
    request: Request, course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep
) -> Response:
    """From now on nobody changes its partitions, groups and memberships, through any face."""
    document = await courses.set_lock(course_id, locked=True, expected=expected)
    return resource_response(request, document)


@router.delete(
    "/courses/{course_id:int}/lock",
    operation_id="unlock_course",
    summary="Unlock a course",
    response_model=CourseOut,
    responses=READ_ERRORS | problem_responses(412),
    dependencies=[ADMIN],
)
async def unlock_course(
    request: Request, course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep
) -> Response:
    """No error and no change when it is not locked."""
    document = await courses.set_lock(course_id, locked=False, expected=expected)
    return resource_response(request, document)


@router.get(
    "/courses/{course_id:int}/board",
    operation_id="get_board",
    summary="Everything a group editor shows",
    response_model=BoardOut,
    responses=problem_responses(401, 403, 404, 422, 503),
    dependencies=[READER],
)
async def get_board(
    request: Request,
    course_id: PathId,
    courses: CourseServiceDep,
    members: Annotated[
        bool, Query(description="False leaves out the users and keeps the counts")
    ] = True,
) -> Response:
    """Partitions in order, groups in order with members and counts, users in no group."""
    return resource_response(request, await courses.board(course_id, with_members=members))
