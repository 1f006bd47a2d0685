"""Users: the people of the roster."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.users.service import UserService
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.roster_schemas import LINE, Searched, UserIn, UserOut, UserPatch
from groupsvc.faces.v1.schemas import PageOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import Cursor, IfMatchDep, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["users"])


async def user_service(request: Request) -> UserService:
    return UserService(request.state.uow, request.state.principal)


UserServiceDep = Annotated[UserService, Depends(user_service)]

# Either of two permissions lets a caller read users: the service decides.
READER = Depends(Requires(None))
ROSTER = Depends(Requires(Permission.ROSTER_WRITE))
ADMIN = Depends(Requires(Permission.ADMIN))
READ_ERRORS = problem_responses(401, 403, 404, 503)
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 412, 415, 422, 503)


@router.get(
    "/users",
    operation_id="list_users",
    summary="Users",
    response_model=PageOut[UserOut],
    responses=problem_responses(401, 403, 422, 503),
    dependencies=[READER],
)
async def list_users(
    request: Request,
    users: UserServiceDep,
    search: Searched = None,
    department: Annotated[
        str | None, Query(max_length=64, pattern=LINE, description="Only users of this department")
    ] = None,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Those whom the caller may see, by name: of his departments, or enrolled in his courses.

    Either `groups:read` or `roster:write` is enough.
    """
    key, after = decode_cursor(cursor, (str, int)) or ("", 0)
    page = await users.page(
        search=search, department=department, after=(key, after), limit=page_size(request, limit)
    )
    return page_response(request, page)


@router.get(
    "/users/by-name/{username:path}",
    operation_id="get_user_by_name",
    summary="A user by username",
    response_model=UserOut,
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def get_user_by_name(request: Request, username: str, users: UserServiceDep) -> Response:
    """A username may hold slashes."""
    return resource_response(request, await users.read_name(username))


@router.put(
    "/users/by-name/{username:path}",
    operation_id="put_user",
    summary="Declare a user",
    response_model=UserOut,
    responses=WRITE_ERRORS | {201: {"model": UserOut, "description": "Created"}},
    dependencies=[ROSTER],
)
async def put_user(
    request: Request,
    username: str,
    body: UserIn,
    users: UserServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Creates the user or replaces all that is known of him.

    `roster:write` is needed in his department and in the one he had before, or everywhere for a
    user without a department.
    """
    document, created = await users.declare(username, body.model_dump(), expected=expected)
    location = f"/v1/users/{document.data['id']}"
    return resource_response(request, document, status=201 if created else 200, location=location)


@router.get(
    "/users/{user_id:int}",
    operation_id="get_user",
    summary="A user",
    response_model=UserOut,
    responses=READ_ERRORS,
    dependencies=[READER],
)
async def get_user(request: Request, user_id: PathId, users: UserServiceDep) -> Response:
    """Either `groups:read` or `roster:write` is enough, where the user is."""
    return resource_response(request, await users.read(user_id))


@router.patch(
    "/users/{user_id:int}",
    operation_id="edit_user",
    summary="Change a user",
    response_model=UserOut,
    responses=WRITE_ERRORS,
    dependencies=[ROSTER],
)
async def edit_user(
    request: Request,
    user_id: PathId,
    body: UserPatch,
    users: UserServiceDep,
    expected: IfMatchDep,
) -> Response:
    """A merge: what is not named stays as it is, null clears. The username may change too."""
    return resource_response(request, await users.edit(user_id, body.given(), expected=expected))


@router.delete(
    "/users/{user_id:int}",
    operation_id="delete_user",
    summary="Delete a user",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[ADMIN],
)
async def delete_user(user_id: PathId, users: UserServiceDep, expected: IfMatchDep) -> None:
    """His enrollments and memberships end, each with its line in the change log.

    Refused while one of his memberships is in a locked course.
    """
    await users.delete(user_id, expected=expected)
