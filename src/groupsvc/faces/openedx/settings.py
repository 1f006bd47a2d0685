"""Is a course cohorted? Checked as in docs/compat/openedx.md, "Settings" and "v2"."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import Author, Manager, StaffOrModerator
from groupsvc.faces.openedx.deps import CohortsDep, for_staff
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import Key
from groupsvc.faces.openedx.reading import Body, read_body, read_json_body
from groupsvc.faces.openedx.routing import Address, json_body, json_only
from groupsvc.faces.openedx.schemas import (
    ReadSettingsOut,
    SettingsIn,
    SettingsOut,
)
from groupsvc.faces.openedx.serializer_fields import read_members
from groupsvc.faces.openedx.serializers import answer, settings
from groupsvc.faces.openedx.v2_bodies import SettingsInV2

v1 = APIRouter(tags=["v1"])
v2 = APIRouter(tags=["v2"])
instructor = APIRouter(tags=["instructor"])
V1 = Address(v1, "/v1/settings/{key:course_key}", StaffOrModerator(), view="Cohort Settings")
V2 = Address(
    v2,
    "/v2/courses/{key:course_key}/cohort_settings/",
    Manager(),
    view="Cohort Settings",
)
INSTRUCTOR = Address(instructor, "/{key:course_key}/cohorts/settings", Author(login=True))

FIELD: Final = "is_cohorted"
MISSING: Final = f'Missing field "{FIELD}".'
NOT_BOOLEAN: Final = "Cohorted must be a boolean"


@V1.on("GET", SettingsOut, "Is the course cohorted?", refusals=(401, 403, 404))
async def get_settings(key: Key, cohorts: CohortsDep) -> Response:
    """The first read creates the settings, so that they have an id."""
    with for_staff():
        return answer(settings(await cohorts.read_or_create_settings(key)))


@V1.on("PUT", SettingsOut, "Turn cohorts on or off", body=json_only(SettingsIn))
async def put_settings(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Turning them off keeps cohorts and members."""
    await cohorts.find_settings(key)
    wanted = _boolean(await read_body(request), MISSING)
    return answer(settings(await cohorts.switch(key, is_cohorted=wanted)))


@V2.on("GET", ReadSettingsOut, "Is the course cohorted?", refusals=(401, 403, 404))
async def get_cohort_settings_v2(key: Key, cohorts: CohortsDep) -> Response:
    """Reading creates nothing: the id may be null."""
    return answer(settings(await cohorts.read_settings(key)))


@V2.on("PUT", ReadSettingsOut, "Turn cohorts on or off", body=json_body(SettingsInV2))
async def put_cohort_settings_v2(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Turning them off keeps cohorts and members."""
    wanted = read_members(await read_body(request), SettingsInV2).is_cohorted
    return answer(settings(await cohorts.switch(key, is_cohorted=wanted)))


@INSTRUCTOR.on("GET", SettingsOut, "Is the course cohorted?", refusals=(404,))
async def get_instructor_settings(key: Key, cohorts: CohortsDep) -> Response:
    """The first read creates the settings, so that they have an id."""
    return answer(settings(await cohorts.read_or_create_settings(key)))


@INSTRUCTOR.on(
    "PATCH", SettingsOut, "Turn cohorts on or off", body=json_only(SettingsIn), refusals=(400, 404)
)
async def edit_instructor_settings(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Turning cohorts off keeps cohorts and members."""
    await cohorts.find_settings(key)
    wanted = _boolean(await read_json_body(request), "Bad Request")
    await cohorts.switch(key, is_cohorted=wanted)
    return answer(settings(await cohorts.read_or_create_settings(key)))


def _boolean(body: Body, missing: str) -> bool:
    if not body.has(FIELD):
        raise ApiError(400, missing)
    wanted = body.get(FIELD)
    if not isinstance(wanted, bool):
        raise ApiError(400, NOT_BOOLEAN)
    return wanted


V1.close()
V2.close()
