"""The ScoDoc 9 dialect: its partitions API over the same courses, as an application to mount.

A formsemestre is a course, its ``etat`` is not to be locked, and ``Parcours`` is the partition of
the tracks. ScoView is ``groups:read``, ScoEtudChangeGroups is ``groups:write``. What is answered is
described in docs/compat/scodoc.md, "What the ScoDoc face answers".
"""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

import groupsvc
from groupsvc.faces.scodoc import (
    auto_assignment,
    errors,
    groups,
    members,
    partitions,
    students,
    tokens,
)
from groupsvc.faces.scodoc.errors import render as render
from groupsvc.faces.scodoc.journal import JOURNAL as JOURNAL
from groupsvc.faces.scodoc.routing import DialectRouter
from groupsvc.faces.scodoc.vocabulary import VOCABULARY as VOCABULARY

DESCRIPTION = """The partitions API of ScoDoc 9, under `/ScoDoc/api` for callers who may act in all
departments and under `/ScoDoc/<acronym>/api` for those of one. `POST /ScoDoc/api/tokens` gives a
token to an account. Bodies are read as JSON whatever their content type."""

# The hot ones first: routes are tried in this order.
ROUTERS: Sequence[APIRouter | DialectRouter] = (
    members.router,
    partitions.router,
    groups.router,
    students.router,
    tokens.router,
    auto_assignment.router,
)


def make_app(*, docs: bool = True) -> FastAPI:
    """The application, to be mounted at ``/ScoDoc``; ``docs`` serves ``/openapi.json`` in it."""
    app = FastAPI(
        title="groupsvc: ScoDoc dialect",
        version=groupsvc.__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    errors.install(app)
    tokens.offer_login(app)
    for router in ROUTERS:
        # Flat: FastAPI would match an included router anew for every request.
        app.router.routes.extend(router.routes)
    return app
