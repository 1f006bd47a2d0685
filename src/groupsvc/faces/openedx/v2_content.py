"""The content groups that cohorts can point at: docs/compat/openedx.md, "Content groups"."""

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.openedx.access import Dashboard
from groupsvc.faces.openedx.deps import CohortsDep
from groupsvc.faces.openedx.keys import Key
from groupsvc.faces.openedx.routing import Address
from groupsvc.faces.openedx.schemas import ConfigurationOut, ContentGroupsOut, PageErrorOut
from groupsvc.faces.openedx.serializers import answer
from groupsvc.http.routing import app_state

_PATH = "/v2/courses/{key:course_key}/group_configurations"

router = APIRouter(tags=["v2"])
CONFIGURATIONS = Address(router, _PATH, Dashboard(), view="Group Configurations List")
CONFIGURATION = Address(
    router, f"{_PATH}/{{configuration_id:int}}", Dashboard(), view="Group Configuration Detail"
)


@CONFIGURATIONS.on("GET", ContentGroupsOut, "Content groups of a course", refusals=(401, 403, 404))
async def list_content_groups(request: Request, key: Key, cohorts: CohortsDep) -> Response:
    """Those of the first partition that is for cohorts."""
    partitions = await cohorts.content_for_cohorts(key)
    studio = app_state(request).settings.studio_url.rstrip("/")
    return answer(
        {
            "id": partitions[0]["id"] if partitions else None,
            "groups": _groups(partitions[0]) if partitions else [],
            "studio_content_groups_link": f"{studio}/course/{key}/group_configurations",
        }
    )


@CONFIGURATION.on(
    "GET",
    ConfigurationOut,
    "One partition of content groups",
    refusals=(401, 403, 404),
    other_errors={404: PageErrorOut},
)
async def get_configuration(key: Key, configuration_id: int, cohorts: CohortsDep) -> Response:
    """Partitions that are not for cohorts are not found."""
    for partition in await cohorts.content_for_cohorts(key):
        if partition["id"] == configuration_id:
            return answer(_configuration(partition))
    return answer({"error": f"Content group configuration {configuration_id} not found"}, 404)


def _groups(partition: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": group["id"], "name": group["name"], "version": 1, "usage": []}
        for group in partition["groups"]
    ]


def _configuration(partition: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": partition["id"],
        "name": partition["name"],
        "scheme": "cohort",
        "description": partition["description"],
        "parameters": {},
        "groups": _groups(partition),
        "active": partition["is_active"],
        "version": 3,
        "is_read_only": False,
    }


CONFIGURATIONS.close()
CONFIGURATION.close()
