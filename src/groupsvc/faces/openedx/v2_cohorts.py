"""The second version of cohorts: docs/compat/openedx.md, "v2"."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.records import Cohort, CohortEdit
from groupsvc.faces.openedx.access import Manager
from groupsvc.faces.openedx.deps import CohortsDep, translate_errors
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import CohortId, Key
from groupsvc.faces.openedx.paging import PageDep
from groupsvc.faces.openedx.reading import read_body
from groupsvc.faces.openedx.routing import Address, json_body
from groupsvc.faces.openedx.schemas import CohortOutV2, CohortPageOut
from groupsvc.faces.openedx.serializer_fields import read_members
from groupsvc.faces.openedx.serializers import answer, cohort
from groupsvc.faces.openedx.v2_bodies import CohortInV2, CohortPatchV2

_PATH: Final = "/v2/courses/{key:course_key}"

router = APIRouter(tags=["v2"])
_MANAGER: Final = Manager()
COHORTS = Address(router, f"{_PATH}/cohorts/", _MANAGER, view="Cohort")
COHORT = Address(router, f"{_PATH}/cohorts/{{cohort_id:int}}/", _MANAGER, view="Cohort")

FIELDS: Final = ("name", "id")
NAME_TAKEN: Final = "A cohort with that name already exists in this course."
NO_LINK: Final = "Required when group_id is supplied."
NO_FIELDS: Final = "Supply at least one of name, assignment_type or group_id."

Ordering = Annotated[
    str | None, Query(description="`name`, `-name`, `id` or `-id`; by name in either case")
]


def no_cohort(key: str, cohort_id: int) -> ApiError:
    return ApiError(404, f"No cohort {cohort_id} in {key}.")


def representation(found: Cohort) -> dict[str, Any]:
    members = cohort(found)
    names = ("id", "name", "assignment_type", "user_count", "user_partition_id", "group_id")
    return {name: members[name] for name in names}


@COHORTS.on("GET", CohortPageOut, "List cohorts")
async def list_cohorts_v2(
    request: Request, key: Key, cohorts: CohortsDep, page: PageDep, ordering: Ordering = None
) -> Response:
    """A page of them, by name. Only the direction of `ordering` counts."""
    order = "name" if ordering is None else ordering.strip()
    field = order.lstrip("-") or "name"
    if field not in FIELDS:
        await cohorts.find_settings(key)
        raise ApiError(400, f"ordering: Cannot order by '{field}'. Valid fields: name, id.")
    found = await cohorts.page(
        key, limit=page.size, offset=page.offset, descending=order.startswith("-")
    )
    shown = [representation(each) for each in found.cohorts]
    return answer(page.envelope(request, found.total, shown))


@COHORTS.on("POST", CohortOutV2, "Create a cohort", status=201, body=json_body(CohortInV2))
async def create_cohort_v2(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Returns 201. The assignment type is `manual` or `random`."""
    edit = _edit(read_members(await read_body(request), CohortInV2))
    with translate_errors(_words()):
        return answer(representation(await cohorts.create(key, edit)), 201)


@COHORT.on("GET", CohortOutV2, "Read a cohort", refusals=(401, 403, 404))
async def get_cohort_v2(key: Key, cohort_id: CohortId, cohorts: CohortsDep) -> Response:
    """A cohort of this course; the count leaves out who is not actively enrolled."""
    with translate_errors({"unknown_cohort": no_cohort(key, cohort_id)}):
        return answer(representation(await cohorts.read(key, cohort_id)))


@COHORT.on("PATCH", CohortOutV2, "Change a cohort", body=json_body(CohortPatchV2))
async def edit_cohort_v2(
    request: Request, key: Key, cohort_id: CohortId, cohorts: CohortsDep
) -> Response:
    """A merge: what is not named stays, `group_id` null unlinks."""
    given = read_members(await read_body(request), CohortPatchV2)
    if not given.model_fields_set:
        raise ApiError(400, NO_FIELDS)
    with translate_errors({**_words(), "unknown_cohort": no_cohort(key, cohort_id)}):
        await cohorts.edit(key, cohort_id, _edit(given))
        return answer(representation(await cohorts.read(key, cohort_id)))


def _edit(given: CohortInV2 | CohortPatchV2) -> CohortEdit:
    named = given.model_fields_set
    return CohortEdit(
        name=given.name if "name" in named else None,
        assignment_type=given.assignment_type if "assignment_type" in named else None,
        relink="group_id" in named,
        content_partition_id=given.user_partition_id,
        content_group_id=given.group_id,
    )


def _words() -> dict[str, ApiError]:
    return {
        "name_taken": ApiError(400, f"name: {NAME_TAKEN}"),
        "missing_content_partition": ApiError(400, f"user_partition_id: {NO_LINK}"),
    }


COHORTS.close()
COHORT.close()
