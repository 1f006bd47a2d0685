"""Users: the people of the roster."""

from typing import Annotated

from fastapi import Query

from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Paging, Resource
from groupsvc.faces.v1.roster_schemas import LINE, Searched, UserIn, UserOut, UserPatch
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import PageOut, PathId
from groupsvc.http.dependencies import UserServiceDep

routes = Routes("users")


# Either of two permissions lets a caller read users: the service decides, and may refuse.
@routes.get("/users", "Users", PageOut[UserOut], permission=None, errors=(403,))
async def list_users(
    users: UserServiceDep,
    page: Paging,
    search: Searched = None,
    department: Annotated[
        str | None, Query(max_length=64, pattern=LINE, description="Only users of this department")
    ] = None,
) -> Page:
    """Those whom the caller may see, by name: of their departments, or enrolled in their courses.

    Either `groups:read` or `roster:write` is enough.
    """
    key, after = page.after("", 0)
    return await users.page(
        search=search, department=department, after=(key, after), limit=page.limit
    )


@routes.get(
    "/users/by-name/{username:path}", "A user by username", UserOut, permission=None, errors=(403,)
)
async def get_user_by_name(username: str, users: UserServiceDep) -> Resource:
    """A username may hold slashes."""
    return await users.read_name(username)


@routes.put(
    "/users/by-name/{username:path}",
    "Declare a user",
    UserOut,
    permission=Permission.ROSTER_WRITE,
    location="/v1/users/{id}",
)
async def put_user(
    username: str, body: UserIn, users: UserServiceDep, expected: IfMatchDep
) -> Declared:
    """Creates the user or replaces all that is known of them.

    `roster:write` is needed in the user's department and in the one before, or everywhere for a
    user without a department.
    """
    return await users.declare(username, body.model_dump(), expected=expected)


@routes.get("/users/{user_id:int}", "A user", UserOut, permission=None, errors=(403,))
async def get_user(user_id: PathId, users: UserServiceDep) -> Resource:
    """Either `groups:read` or `roster:write` is enough, where the user is."""
    return await users.read(user_id)


@routes.patch("/users/{user_id:int}", "Change a user", UserOut, permission=Permission.ROSTER_WRITE)
async def edit_user(
    user_id: PathId, body: UserPatch, users: UserServiceDep, expected: IfMatchDep
) -> Resource:
    """A merge: what is not named stays as it is, null clears. The username may change too."""
    return await users.edit(user_id, body.given(), expected=expected)


@routes.delete("/users/{user_id:int}", "Delete a user", permission=Permission.ADMIN)
async def delete_user(user_id: PathId, users: UserServiceDep, expected: IfMatchDep) -> None:
    """Enrollments and memberships of the user end, each with its line in the change log.

    Refused while one of the memberships is in a locked course.
    """
    await users.delete(user_id, expected=expected)
