"""The instructor's cohorts: docs/compat/openedx.md, "The instructor's cohorts"."""

from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.records import CohortEdit
from groupsvc.faces.openedx.access import Author
from groupsvc.faces.openedx.deps import CohortsDep, translate_errors
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.reading import read_json_body
from groupsvc.faces.openedx.routing import Address, json_only
from groupsvc.faces.openedx.schemas import CohortIn, CohortOut, CohortsOut
from groupsvc.faces.openedx.serializers import answer, cohort, cohort_edit
from groupsvc.faces.openedx.v1_cohorts import NAME_TAKEN

_PATH: Final = "/{key:course_key}/cohorts"

router = APIRouter(tags=["instructor"])
_AUTHOR: Final = Author(login=True)
COHORTS = Address(router, f"{_PATH}/", _AUTHOR)
COHORT = Address(router, f"{_PATH}/{{cohort_id:int}}", _AUTHOR)

NO_NAME: Final = "Cohort name must be specified."
NO_TYPE: Final = "Assignment type must be specified."
WRITES: Final = ("PUT", "POST", "PATCH")


@COHORTS.on("GET", CohortsOut, "List all cohorts", refusals=(404,))
async def list_instructor_cohorts(key: Key, cohorts: CohortsDep) -> Response:
    """By name."""
    found = await cohorts.page(key)
    return answer({"cohorts": [cohort(each) for each in found.cohorts]})


@COHORT.on("GET", CohortOut, "Read a cohort", refusals=(404,))
async def get_instructor_cohort(key: Key, cohort_id: CohortId, cohorts: CohortsDep) -> Response:
    """A cohort of this course."""
    return answer(cohort(await cohorts.read(key, cohort_id)))


async def create_instructor_cohort(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """The same with each of the three methods."""
    await cohorts.find_settings(key)
    edit = await _whole(request)
    with translate_errors({"name_taken": ApiError(400, NAME_TAKEN)}):
        return answer(cohort(await cohorts.create(key, edit)))


async def replace_instructor_cohort(
    request: Request, key: Key, cohort_id: CohortId, cohorts: CohortsDep
) -> Response:
    """The same with each of the three methods. Without `group_id` the link goes."""
    await cohorts.find_settings(key)
    edit = await _whole(request)
    await cohorts.edit(key, cohort_id, edit)
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
    body = await read_json_body(request)
    if not body.get("name"):
        raise ApiError(400, NO_NAME)
    if not body.get("assignment_type"):
        raise ApiError(400, NO_TYPE)
    return cohort_edit(body)
