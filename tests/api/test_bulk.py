"""What may be large has connections and statements that may take long, and nothing else is."""

import re
from collections.abc import Iterator, Sequence

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount

from groupsvc.http.routing import TransactionalRoute
from groupsvc.settings import Settings

KEY = "course-v1:Sorbonne+MATH101+2026"
V1, V2 = f"/api/cohorts/v1/courses/{KEY}", f"/api/cohorts/v2/courses/{KEY}"
BULK = {
    "/v1/partitions/1/assignments",
    "/v1/courses/1/cohort-uploads",
    "/v1/users/1/erasure",
    "/v1/changesets/1/undo",
    *(
        f"/v1/import/{each}{ending}"
        for each in (
            "courses",
            "roster",
            "structure",
            "assignments",
            "preassignments",
            "content_groups",
            "roles",
        )
        for ending in ("", ".csv")
    ),
    *(f"{V1}/cohorts/1/users{each}" for each in ("", "/", "/1")),
    *(f"{V1}/user{each}" for each in ("", "/", "s", "s/")),
    *(f"{V2}/cohorts/1/users{each}" for each in ("", "/")),
    *(f"/courses/{KEY}/cohorts/1/add{each}" for each in ("", "/")),
    *(f"/courses/{KEY}/instructor/api/add_users_to_cohorts{each}" for each in ("", "/")),
}


def posts(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Addresses that take a POST, and whether their routes are declared as bulk."""
    for route in routes:
        if isinstance(route, Mount):
            yield from posts(route.routes, prefix + route.path)
        elif isinstance(route, TransactionalRoute) and "POST" in (route.methods or ()):
            path = re.sub(r"{\w+:course_key}", KEY, prefix + route.path)
            yield re.sub(r"{[^}]*}", "1", path), route.bulk


def test_the_addresses_that_are_bulk(app: FastAPI) -> None:
    assert {path for path, bulk in posts(app.routes) if bulk} == BULK


async def test_only_what_is_bulk_may_be_large(
    app: FastAPI, anonymous: httpx.AsyncClient, settings: Settings
) -> None:
    for length, refused in ((settings.max_body + 1, False), (settings.max_upload + 1, True)):
        headers = {"content-length": str(length)}
        for path, bulk in dict(posts(app.routes)).items():
            answer = await anonymous.post(path, headers=headers)
            assert (answer.status_code == 413) is (refused or not bulk), path
