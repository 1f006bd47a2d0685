"""List, create, read and change cohorts, checked as in docs/compat/openedx.md, "Cohorts"."""

from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import StaffOrModerator
from groupsvc.faces.openedx.deps import CohortsDep, translate_errors
from groupsvc.faces.openedx.errors import NAME_EXISTS_CODE, ApiError
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.paging import PageDep
from groupsvc.faces.openedx.reading import read_body
from groupsvc.faces.openedx.routing import Address, json_body
from groupsvc.faces.openedx.schemas import CohortIn, CohortOut, CohortPatch
from groupsvc.faces.openedx.serializers import answer, cohort, cohort_edit, no_content

router = APIRouter(tags=["v1"])
COHORTS_PATH: Final = "/v1/courses/{key:course_key}/cohorts/"
COHORTS = Address(router, COHORTS_PATH, StaffOrModerator(), view="Cohort Handler")
COHORT = Address(
    router, f"{COHORTS_PATH}{{cohort_id:int}}", StaffOrModerator(), view="Cohort Handler"
)

INVALID_ORDERING: Final = 'Invalid ordering value. Must be "asc" or "desc".'
MISSING_NAME: Final = '"name" must be specified to create cohort.'
MISSING_TYPE: Final = '"assignment_type" must be specified to create cohort.'
MISSING_FIELDS: Final = "Request must include name, assignment_type, and/or group_id."
NAME_TAKEN: Final = "You cannot create two cohorts with the same name"
NO_COHORT: Final = "CourseUserGroup matching query does not exist."

COHORTS.refuse("PATCH", "Request method requires cohort_id in path", "missing-cohort-id")
COHORT.refuse("POST", "Please use the parent endpoint.", "wrong-endpoint")

Ordering = Annotated[str | None, Query(description="By name: `asc` or `desc`")]


@COHORTS.on("GET", list[CohortOut], "List cohorts")
async def list_cohorts(
    key: Key, cohorts: CohortsDep, page: PageDep, ordering: Ordering = None
) -> Response:
    """A bare array of one page, by name; ten cohorts unless more are asked for."""
    order = "asc" if ordering is None else ordering.lower()
    if order not in ("asc", "desc"):
        await cohorts.find_settings(key)
        raise ApiError(400, INVALID_ORDERING, "invalid-ordering-value")
    found = await cohorts.page(key, limit=page.size, offset=page.offset, descending=order == "desc")
    page.found(found.total)
    return answer([cohort(each) for each in found.cohorts])


@COHORTS.on("POST", CohortOut, "Create a cohort", body=json_body(CohortIn))
async def create_cohort(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Returns 200. Cohorts can be created while cohorting is off."""
    await cohorts.find_settings(key)
    body = await read_body(request)
    if not body.get("name"):
        raise ApiError(400, MISSING_NAME, "missing-cohort-name")
    if not body.get("assignment_type"):
        raise ApiError(400, MISSING_TYPE, "missing-assignment-type")
    with translate_errors({"name_taken": ApiError(400, NAME_TAKEN, NAME_EXISTS_CODE)}):
        created = await cohorts.create(key, cohort_edit(body))
    return answer(cohort(created))


@COHORT.on("GET", CohortOut, "Read a cohort", refusals=(401, 403, 404))
async def get_cohort(key: Key, cohort_id: CohortId, cohorts: CohortsDep) -> Response:
    """A cohort of this course; the count leaves out who is not actively enrolled."""
    with translate_errors({"unknown_cohort": ApiError(404, NO_COHORT)}):
        return answer(cohort(await cohorts.read(key, cohort_id)))


@COHORT.on("PATCH", None, "Change a cohort", status=204, body=json_body(CohortPatch))
async def edit_cohort(
    request: Request, key: Key, cohort_id: CohortId, cohorts: CohortsDep
) -> Response:
    """All or nothing. A course that has a random cohort keeps one."""
    body = await read_body(request)
    if not (body.get("name") or body.get("assignment_type") or body.has("group_id")):
        raise ApiError(400, MISSING_FIELDS, "missing-fields")
    with translate_errors({"unknown_cohort": ApiError(404, NO_COHORT)}):
        await cohorts.edit(key, cohort_id, cohort_edit(body, relink=body.has("group_id")))
    return no_content()


COHORTS.close()
COHORT.close()
