"""The instructor's settings and cohorts: docs/compat/openedx.md, "The instructor's cohorts"."""

from typing import Any, Final, cast

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.edits import CohortEdit
from groupsvc.faces.openedx.access import Author
from groupsvc.faces.openedx.deps import EditsDep, SetsDep, saying
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.reading import Body, read_value
from groupsvc.faces.openedx.routing import Address, json_only
from groupsvc.faces.openedx.schemas import (
    CohortIn,
    CohortOut,
    CohortsOut,
    PageErrorOut,
    SettingsIn,
    SettingsOut,
)
from groupsvc.faces.openedx.serializers import answer, cohort, cohort_edit, settings
from groupsvc.faces.openedx.v1_cohorts import NAME_TAKEN
from groupsvc.faces.openedx.v1_settings import NOT_BOOLEAN
from groupsvc.http.strict_json import InvalidJsonError

_PATH: Final = "/{key:course_key}/cohorts"

router = APIRouter(tags=["instructor"])
_AUTHOR: Final = Author(login=True)
SETTINGS = Address(router, f"{_PATH}/settings", _AUTHOR, errors=PageErrorOut)
COHORTS = Address(router, f"{_PATH}/", _AUTHOR, errors=PageErrorOut)
COHORT = Address(router, f"{_PATH}/{{cohort_id:int}}", _AUTHOR, errors=PageErrorOut)

MISSING: Final = "Bad Request"
INVALID: Final = "Invalid JSON"
NO_NAME: Final = "Cohort name must be specified."
NO_TYPE: Final = "Assignment type must be specified."
WRITES: Final = ("PUT", "POST", "PATCH")


@SETTINGS.on("GET", SettingsOut, "Is the course cohorted?", refusals=(404,))
async def get_instructor_settings(key: Key, cohorts: SetsDep) -> Response:
    """The first reading makes the settings, so that they have an id."""
    return answer(settings(await cohorts.settled(key)))


@SETTINGS.on(
    "PATCH", SettingsOut, "Turn cohorts on or off", body=json_only(SettingsIn), refusals=(400, 404)
)
async def edit_instructor_settings(request: Request, key: Key, cohorts: SetsDep) -> Response:
    """Turning cohorts off keeps cohorts and members."""
    await cohorts.course(key)
    body = await _members(request)
    if not body.has("is_cohorted"):
        raise ApiError(400, MISSING)
    wanted = body.get("is_cohorted")
    if not isinstance(wanted, bool):
        raise ApiError(400, NOT_BOOLEAN)
    await cohorts.switch(key, is_cohorted=wanted)
    return answer(settings(await cohorts.settled(key)))


@COHORTS.on("GET", CohortsOut, "List all cohorts", refusals=(404,))
async def list_instructor_cohorts(key: Key, cohorts: SetsDep) -> Response:
    """By name."""
    found = await cohorts.page(key)
    return answer({"cohorts": [cohort(each) for each in found.cohorts]})


@COHORT.on("GET", CohortOut, "Read a cohort", refusals=(404,))
async def get_instructor_cohort(key: Key, cohort_id: CohortId, cohorts: SetsDep) -> Response:
    """A cohort of this course."""
    return answer(cohort(await cohorts.read(key, cohort_id)))


async def create_instructor_cohort(
    request: Request, key: Key, cohorts: SetsDep, edits: EditsDep
) -> Response:
    """The same with each of the three methods."""
    await cohorts.course(key)
    edit = await _whole(request)
    with saying({"name_taken": ApiError(400, NAME_TAKEN)}):
        return answer(cohort(await edits.create(key, edit)))


async def replace_instructor_cohort(
    request: Request, key: Key, cohort_id: CohortId, cohorts: SetsDep, edits: EditsDep
) -> Response:
    """The same with each of the three methods. Without `group_id` the link goes."""
    await cohorts.course(key)
    edit = await _whole(request)
    await edits.edit(key, cohort_id, edit)
    return answer(cohort(await cohorts.read(key, cohort_id)))


for _method in WRITES:
    _ending, _body = _method.lower(), json_only(CohortIn)
    COHORTS.on(
        _method,
        CohortOut,
        "Create a cohort",
        body=_body,
        refusals=(400, 404),
        name=f"{_ending}_new_instructor_cohort",
    )(create_instructor_cohort)
    COHORT.on(
        _method,
        CohortOut,
        "Replace a cohort",
        body=_body,
        refusals=(400, 404),
        name=f"{_ending}_instructor_cohort",
    )(replace_instructor_cohort)


async def _whole(request: Request) -> CohortEdit:
    body = await _members(request)
    if not body.get("name"):
        raise ApiError(400, NO_NAME)
    if not body.get("assignment_type"):
        raise ApiError(400, NO_TYPE)
    return cohort_edit(body)


async def _members(request: Request) -> Body:
    """Of JSON; a body that does not say it is JSON is empty."""
    if "application/json" not in request.headers.get("content-type", ""):
        return Body()
    if not request.state.body:
        return Body()
    try:
        value = await read_value(request)
    except InvalidJsonError as error:
        raise ApiError(400, INVALID) from error
    if not isinstance(value, dict):
        raise ApiError(400, INVALID)
    return Body(cast("dict[str, Any]", value))
