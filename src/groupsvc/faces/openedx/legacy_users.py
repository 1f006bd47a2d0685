"""The instructor's routes: users of a cohort, and the upload.

Checked as in docs/compat/openedx.md, "Adding users", "Removing" and "CSV upload".
"""

import re
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.upload_file import UnusableUploadError
from groupsvc.domain.errors import NotFoundError
from groupsvc.faces.openedx.access import Author, Instructor
from groupsvc.faces.openedx.deps import MembersDep, SetsDep, UploadsDep
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.reading import FORMS, Body, read_body
from groupsvc.faces.openedx.routing import Address, file_body, form_body
from groupsvc.faces.openedx.schemas import (
    AddedOut,
    DoneOut,
    PageErrorOut,
    UsernameForm,
    UsersForm,
)
from groupsvc.faces.openedx.serializers import additions, answer
from groupsvc.faces.openedx.v1_upload import FILE, NO_FILE, accepted, uploaded_file

_COHORT: Final = "/{key:course_key}/cohorts/{cohort_id:int}"
_SEPARATORS: Final = re.compile(r"[\s,]+")

router = APIRouter(tags=["instructor"])
ADD = Address(router, f"{_COHORT}/add", Author(), errors=PageErrorOut)
DELETE = Address(router, f"{_COHORT}/delete", Author(), errors=PageErrorOut)
UPLOAD = Address(
    router,
    "/{key:course_key}/instructor/api/add_users_to_cohorts",
    Instructor(),
    errors=PageErrorOut,
)


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
    result = additions(await members.add(found, identifiers))
    return answer({"success": True, **result, "not_allowed": result.get("not_allowed", [])})


@DELETE.on(
    "POST",
    DoneOut,
    "Take a user out of his cohort",
    body=form_body(UsernameForm),
    refusals=(404,),
)
async def remove_instructor_user(
    request: Request, key: Key, cohort_id: CohortId, cohorts: SetsDep, members: MembersDep
) -> Response:
    """Out of whatever cohort of the course he is in: the id in the path is ignored."""
    del cohort_id
    place = (await cohorts.course(key)).place
    form = await _form(request)
    if not form.has("username"):
        return answer({"success": False, "msg": "No username specified"})
    username = str(form.get("username"))
    try:
        await members.leave(place, username)
    except NotFoundError as error:
        if error.code != "unknown_user":
            raise
        return answer({"success": False, "msg": f"No user '{username}'"})
    return answer({"success": True})


@UPLOAD.on(
    "POST",
    None,
    "Upload a CSV file",
    status=204,
    body=file_body(FILE),
    refusals=(400, 401, 403),
    bulk=True,
)
async def upload_instructor_users(request: Request, key: Key, uploads: UploadsDep) -> Response:
    """What v1 does, for course staff as well."""
    upload = await uploaded_file(request)
    if upload is None:
        raise ApiError(400, NO_FILE)
    try:
        await uploads.accept_for_key(key, upload.name, upload.content)
    except UnusableUploadError as error:
        raise ApiError(400, error.message) from error
    return accepted(request)


async def _form(request: Request) -> Body:
    """A body of another type has no fields."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return await read_body(request) if kind in FORMS else Body()
