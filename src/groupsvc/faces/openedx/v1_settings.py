"""Is a course cohorted? Checked as in docs/compat/openedx.md, "Settings"."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import StaffOrModerator
from groupsvc.faces.openedx.deps import SetsDep, for_staff
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import Key
from groupsvc.faces.openedx.reading import read_body
from groupsvc.faces.openedx.routing import Address, json_only
from groupsvc.faces.openedx.schemas import SettingsIn, SettingsOut
from groupsvc.faces.openedx.serializers import answer, settings

router = APIRouter(tags=["v1"])
SETTINGS = Address(
    router, "/v1/settings/{key:course_key}", StaffOrModerator(), view="Cohort Settings"
)

MISSING = 'Missing field "is_cohorted".'
NOT_BOOLEAN = "Cohorted must be a boolean"


@SETTINGS.on("GET", SettingsOut, "Is the course cohorted?", refusals=(401, 403, 404))
async def get_settings(key: Key, cohorts: SetsDep) -> Response:
    """The first reading makes the settings, so that they have an id."""
    with for_staff():
        return answer(settings(await cohorts.settled(key)))


@SETTINGS.on("PUT", SettingsOut, "Turn cohorts on or off", body=json_only(SettingsIn))
async def put_settings(request: Request, key: Key, cohorts: SetsDep) -> Response:
    """Turning them off keeps cohorts and members."""
    await cohorts.course(key)
    body = await read_body(request)
    if not body.has("is_cohorted"):
        raise ApiError(400, MISSING)
    wanted = body.get("is_cohorted")
    if not isinstance(wanted, bool):
        raise ApiError(400, NOT_BOOLEAN)
    return answer(settings(await cohorts.switch(key, is_cohorted=wanted)))


SETTINGS.close()
