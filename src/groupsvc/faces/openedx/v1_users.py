"""The users of a cohort: docs/compat/openedx.md, "Members", "Adding users" and "Removing"."""

from typing import Any, Final, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import StaffOrModerator
from groupsvc.faces.openedx.deps import MembersDep, for_staff, translate_errors
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key, Username
from groupsvc.faces.openedx.paging import PageDep
from groupsvc.faces.openedx.reading import Body, read_body
from groupsvc.faces.openedx.routing import Address, json_body
from groupsvc.faces.openedx.schemas import AddedOut, MembersOut, UsersIn
from groupsvc.faces.openedx.serializers import add_result, answer, member, no_content

USERS_PATH: Final = "/v1/courses/{key:course_key}/cohorts/{cohort_id:int}/users/"

router = APIRouter(tags=["v1"])
USERS = Address(router, USERS_PATH, StaffOrModerator(), view="Cohort Users")
# Whatever follows is the username: a slash at its end belongs to it.
USER = Address(
    router, f"{USERS_PATH}{{username:rest}}", StaffOrModerator(), spellings=(), view="Cohort Users"
)

NAME: Final = {
    "name": "username",
    "in": "path",
    "required": True,
    "description": "Ignored",
    "schema": {"type": "string"},
}
MISSING_USERS: Final = (400, "Missing users key in payload", "missing-users")
NO_USER: Final = (404, "User does not exist.", "user-not-found")
NOT_IN_COHORT: Final = (400, "User not assigned to the given cohort.", "user-not-in-cohort")

USERS.refuse("DELETE", "Missing username in path", "missing-username")


def no_cohort(key: str, cohort_id: int) -> ApiError:
    return ApiError(404, f"Cohort (ID {cohort_id}) not found for {key}", "cohort-not-found")


@USER.on(
    "GET",
    MembersOut,
    "List the users of a cohort, whatever the name",
    name="list_users_of_any_name",
    refusals=(401, 403, 404),
    parameters=(NAME,),
)
@USERS.on("GET", MembersOut, "List the users of a cohort", refusals=(401, 403, 404))
async def list_users(
    request: Request, key: Key, cohort_id: CohortId, members: MembersDep, page: PageDep
) -> Response:
    """Whatever their enrollment, in the order in which the users were created."""
    with for_staff(), translate_errors({"unknown_cohort": no_cohort(key, cohort_id)}):
        found = await members.page(
            key, cohort_id, limit=page.size, offset=page.offset, writers_only=True
        )
    shown = [member(each) for each in found.members]
    return answer(page.envelope(request, found.total, shown))


@USERS.on("POST", AddedOut, "Add users to a cohort", body=json_body(UsersIn), bulk=True)
async def add_users(
    request: Request, key: Key, cohort_id: CohortId, members: MembersDep
) -> Response:
    """Moves those who are in another cohort; unknown addresses wait for their users."""
    return await _add(request, key, cohort_id, members, None)


@USER.on(
    "POST", AddedOut, "Add a user to a cohort", body=json_body(UsersIn, required=False), bulk=True
)
async def add_user(
    request: Request, key: Key, cohort_id: CohortId, username: Username, members: MembersDep
) -> Response:
    """Users in the body are added instead of the one in the path."""
    return await _add(request, key, cohort_id, members, username)


@USER.on("DELETE", None, "Take a user out of a cohort", status=204)
async def remove_user(
    key: Key, cohort_id: CohortId, username: Username, members: MembersDep
) -> Response:
    """By username; an e-mail address is none."""
    words = {
        "unknown_cohort": no_cohort(key, cohort_id),
        "unknown_user": ApiError(*NO_USER),
        "not_a_member": ApiError(*NOT_IN_COHORT),
    }
    with translate_errors(words):
        await members.remove(key, cohort_id, username)
    return no_content()


async def _add(
    request: Request, key: str, cohort_id: int, members: MembersDep, username: str | None
) -> Response:
    with translate_errors({"unknown_cohort": no_cohort(key, cohort_id)}):
        found = await members.get_editable(key, cohort_id)
    identifiers = given_users(await read_body(request)) or ([username] if username else [])
    if not identifiers:
        raise ApiError(*MISSING_USERS)
    named = [each for each in identifiers if each not in ("", None)]
    return answer({"success": True, **add_result(await members.add(found, named))})


def given_users(body: Body) -> list[Any]:
    """The users of a body; a single text, and every value of a form, is one of them.

    Raises ApiError 400 for what is neither a list nor a text.
    """
    if body.is_form:
        return [each for each in body.repeated.get("users", ()) if each]
    users = body.get("users")
    if isinstance(users, str):
        return [users] if users else []
    if not users:
        return []
    identifiers = cast("list[Any]", users)
    if not isinstance(users, list):
        raise ApiError(400, "users must be a list of usernames and e-mail addresses.")
    return identifiers


USERS.close()
USER.close()
