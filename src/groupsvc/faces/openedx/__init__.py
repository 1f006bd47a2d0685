"""The Open edX dialect: its cohorts API over the same courses, as applications to mount.

A course key is the key of a course, a cohort is a group of its one partition of kind ``cohorts``,
and an enrollment is active in the state ``active``. One application answers under ``/api/cohorts``,
one under ``/courses``, where the pages of instructors call, and one gives tokens under ``/oauth2``.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, FastAPI

from groupsvc.faces.openedx import (
    examples,
    legacy,
    legacy_users,
    oauth,
    settings,
    uploads,
    v1_cohorts,
    v1_users,
    v2_cohorts,
    v2_content,
    v2_users,
)
from groupsvc.faces.openedx.deprecation import Deprecation
from groupsvc.faces.openedx.errors import COHORTS as COHORTS
from groupsvc.faces.openedx.errors import COURSES, OAUTH
from groupsvc.faces.openedx.errors import ERRORS as ERRORS
from groupsvc.faces.openedx.events import JOURNAL as JOURNAL
from groupsvc.faces.openedx.refusals import define_models
from groupsvc.faces.openedx.uploads import UPLOAD_WORDS as UPLOAD_WORDS
from groupsvc.http.application import FaceApplication
from groupsvc.http.documents import published
from groupsvc.http.examples import fill_in
from groupsvc.http.head_as_get import HeadAsGet

TITLE: Final = "groupsvc: Open edX dialect"
DESCRIPTION: Final = """The cohorts API of Open edX: `/api/cohorts/v1` and `v2`, and the routes of
the instructor's pages under `/courses`. Send `Authorization: Bearer` or `Authorization: JWT` and a
token: `POST /oauth2/access_token` gives one to an account. Every address is answered with and
without a slash at its end."""

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


# What is mounted where.
PREFIXES: Final[Mapping[str, Sequence[APIRouter]]] = {
    COHORTS: ROUTERS,
    COURSES: INSTRUCTOR_ROUTERS,
    OAUTH: (oauth.router,),
}

# Groups of operations in the order in which a newcomer needs them.
TAGS: Final[Mapping[str, str]] = {
    "tokens": "A token for a local account, as the clients of the platform ask for it.",
    "v2": "The second version: JSON or forms, errors as problems (RFC 9457).",
    "v1": "The first version, which names its successors in the header `Link`.",
    "instructor": "What the pages of instructors call. Others get 404.",
}


def mount(app: FastAPI, *, docs: bool, demo: bool) -> None:
    """Mount the applications; ``docs`` serves ``/api/cohorts/openapi.json``."""
    mounted = {
        prefix: FaceApplication(routers, ERRORS, title=TITLE, docs=False)
        for prefix, routers in PREFIXES.items()
    }
    cohorts = mounted[COHORTS]
    cohorts.add_middleware(Deprecation)
    cohorts.add_middleware(HeadAsGet)
    if docs:
        cohorts.router.routes.append(published("/openapi.json", partial(describe, demo=demo)))
    for prefix, application in mounted.items():
        app.mount(prefix, application)


def describe(*, demo: bool = True) -> dict[str, Any]:
    """The OpenAPI document of the applications together.

    With ``demo`` it names rows of the demo institution.
    """
    filled = fill_in(examples.USUAL, examples.OWN, parameters=demo)
    whole = FaceApplication(
        (), ERRORS, title=TITLE, description=DESCRIPTION, tags=TAGS, edits=[define_models, filled]
    )
    for prefix, routers in PREFIXES.items():
        for router in routers:
            whole.include_router(router, prefix=prefix)
    return whole.openapi()
