"""The Open edX dialect: its cohorts API over the same courses, as applications to mount.

A course key is the key of a course, a cohort is a group of its one partition of kind ``cohorts``,
and an enrollment is active in the state ``active``. One application answers under ``/api/cohorts``
and one under ``/courses``, where the pages of instructors call.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import groupsvc
from groupsvc.faces.openedx import (
    errors,
    legacy,
    legacy_users,
    settings,
    uploads,
    v1_cohorts,
    v1_users,
    v2_cohorts,
    v2_content,
    v2_users,
)
from groupsvc.faces.openedx.deprecation import Deprecation
from groupsvc.faces.openedx.errors import COHORTS, COURSES
from groupsvc.faces.openedx.errors import render as render
from groupsvc.faces.openedx.events import JOURNAL as JOURNAL
from groupsvc.faces.openedx.head_as_get import HeadAsGet
from groupsvc.faces.openedx.uploads import UPLOAD_WORDS as UPLOAD_WORDS

TITLE: Final = "groupsvc: Open edX dialect"
DESCRIPTION: Final = """The cohorts API of Open edX: `/api/cohorts/v1` and `v2`, and the routes of
the instructor's pages under `/courses`. Send `Authorization: Bearer` or `Authorization: JWT` and a
token. Every address is answered with and without a slash at its end."""

# The hot ones first: routes are tried in this order.
ROUTERS: Final[Sequence[APIRouter]] = (
    v1_cohorts.router,
    v1_users.router,
    settings.v1,
    uploads.router,
    settings.v2,
    v2_cohorts.router,
    v2_users.router,
    v2_content.router,
)
INSTRUCTOR_ROUTERS: Final[Sequence[APIRouter]] = (
    settings.instructor,
    legacy.router,
    legacy_users.router,
    uploads.instructor_router,
)

_BULK: Final = re.compile(
    rf"{COHORTS}/v[12]/courses/.+/users?(?:/.*)?|{COURSES}/.+/(?:add|add_users_to_cohorts)/?",
    re.DOTALL,
)


def mount(app: FastAPI, *, docs: bool) -> None:
    """Mount both applications; ``docs`` serves ``/api/cohorts/openapi.json``."""
    cohorts, courses = _make_app(ROUTERS), _make_app(INSTRUCTOR_ROUTERS)
    cohorts.add_middleware(Deprecation)
    cohorts.add_middleware(HeadAsGet)
    if docs:
        cohorts.router.routes.append(Route("/openapi.json", _document, include_in_schema=False))
    app.mount(COHORTS, cohorts)
    app.mount(COURSES, courses)


def is_bulk(path: str) -> bool:
    """Whether a request may bring many users or a table of them."""
    return _BULK.fullmatch(path) is not None


def describe() -> dict[str, Any]:
    """The OpenAPI document of both applications together."""
    whole = FastAPI()
    for prefix, routers in ((COHORTS, ROUTERS), (COURSES, INSTRUCTOR_ROUTERS)):
        for router in routers:
            whole.include_router(router, prefix=prefix)
    return get_openapi(
        title=TITLE, version=groupsvc.__version__, description=DESCRIPTION, routes=whole.routes
    )


async def _document(request: Request) -> Response:
    root: str = request.scope.get("app_root_path", "")
    return JSONResponse({**describe(), "servers": [{"url": root or "/"}]})


def _make_app(routers: Sequence[APIRouter]) -> FastAPI:
    app = FastAPI(
        title=TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    errors.install(app)
    for router in routers:
        # Flat: FastAPI would match an included router anew for every request.
        app.router.routes.extend(router.routes)
    return app
