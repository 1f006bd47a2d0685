"""The second version of the users of a cohort: docs/compat/openedx.md, "v2"."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import Manager
from groupsvc.faces.openedx.deps import MembersDep, translate_errors
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key, Segment
from groupsvc.faces.openedx.paging import PageDep
from groupsvc.faces.openedx.reading import read_body
from groupsvc.faces.openedx.routing import Address, json_body
from groupsvc.faces.openedx.schemas import MembersOut, ResultOut
from groupsvc.faces.openedx.serializer_fields import read_members
from groupsvc.faces.openedx.serializers import add_result, answer, member, no_content
from groupsvc.faces.openedx.v2_bodies import UsersInV2
from groupsvc.faces.openedx.v2_cohorts import no_cohort

_PATH: Final = "/v2/courses/{key:course_key}/cohorts/{cohort_id:int}/users/"

router = APIRouter(tags=["v2"])
USERS = Address(router, _PATH, Manager(), view="Cohort Member")
USER = Address(router, f"{_PATH}{{username}}/", Manager(), view="Cohort Member")


@USERS.on("GET", MembersOut, "List the users of a cohort", refusals=(401, 403, 404))
async def list_users_v2(
    request: Request, key: Key, cohort_id: CohortId, members: MembersDep, page: PageDep
) -> Response:
    """Whatever their enrollment, in the order in which the users were created."""
    with translate_errors({"unknown_cohort": no_cohort(key, cohort_id)}):
        found = await members.page(key, cohort_id, limit=page.size, offset=page.offset)
    shown = [{**member(each), "name": member(each)["name"].strip()} for each in found.members]
    return answer(page.envelope(request, found.total, shown))


@USERS.on("POST", ResultOut, "Add users to a cohort", body=json_body(UsersInV2), bulk=True)
async def add_users_v2(
    request: Request, key: Key, cohort_id: CohortId, members: MembersDep
) -> Response:
    """Moves those who are in another cohort; unknown addresses wait for their users."""
    with translate_errors({"unknown_cohort": no_cohort(key, cohort_id)}):
        found = await members.get_editable(key, cohort_id)
    given = read_members(await read_body(request), UsersInV2)
    return answer(add_result(await members.add(found, given.users)))


@USER.on("DELETE", None, "Take a user out of a cohort", status=204)
async def remove_user_v2(
    key: Key, cohort_id: CohortId, username: Segment, members: MembersDep
) -> Response:
    """By username; an e-mail address is none."""
    words = {
        "unknown_cohort": no_cohort(key, cohort_id),
        "unknown_user": ApiError(404, f"No user named {username}."),
        "not_a_member": ApiError(400, f"username: {username} is not a member of this cohort."),
    }
    with translate_errors(words):
        await members.remove(key, cohort_id, username)
    return no_content()


USERS.close()
USER.close()
