"""The instructor's routes for users of a cohort.

Checked as in docs/compat/openedx.md, "Adding users" and "Removing".
"""

import re
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.errors import NotFoundError
from groupsvc.faces.openedx.access import Author
from groupsvc.faces.openedx.deps import CohortsDep, MembersDep
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.reading import FORMS, Body, read_body
from groupsvc.faces.openedx.routing import Address, form_body
from groupsvc.faces.openedx.schemas import AddedOut, DoneOut, UsernameForm, UsersForm
from groupsvc.faces.openedx.serializers import add_result, answer

_COHORT: Final = "/{key:course_key}/cohorts/{cohort_id:int}"
_SEPARATORS: Final = re.compile(r"[\s,]+")

router = APIRouter(tags=["instructor"])
ADD = Address(router, f"{_COHORT}/add", Author())
DELETE = Address(router, f"{_COHORT}/delete", Author())


@ADD.on(
    "POST", AddedOut, "Add users to a cohort", body=form_body(UsersForm), refusals=(404,), bulk=True
)
async def add_instructor_users(
    request: Request, key: Key, cohort_id: CohortId, members: MembersDep
) -> Response:
    """What v1 does, from one text; `not_allowed` is always there."""
    found = await members.get_editable(key, cohort_id)
    given = str((await _form(request)).get("users") or "")
    identifiers = [each for each in _SEPARATORS.split(given) if each]
    result = add_result(await members.add(found, identifiers))
    return answer({"success": True, **result, "not_allowed": result.get("not_allowed", [])})


@DELETE.on(
    "POST",
    DoneOut,
    "Take a user out of their cohort",
    body=form_body(UsernameForm),
    refusals=(404,),
)
async def remove_instructor_user(
    request: Request, key: Key, cohort_id: CohortId, cohorts: CohortsDep, members: MembersDep
) -> Response:
    """Out of whatever cohort of the course they are in: the id in the path is ignored."""
    del cohort_id
    course = (await cohorts.find_settings(key)).course
    form = await _form(request)
    if not form.has("username"):
        return answer({"success": False, "msg": "No username specified"})
    username = str(form.get("username"))
    try:
        await members.leave(course, username)
    except NotFoundError as error:
        if error.code != "unknown_user":
            raise
        return answer({"success": False, "msg": f"No user '{username}'"})
    return answer({"success": True})


async def _form(request: Request) -> Body:
    """A body of another type has no fields."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return await read_body(request) if kind in FORMS else Body()
