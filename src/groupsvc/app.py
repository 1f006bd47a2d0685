"""Where everything is wired together."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import URL
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from groupsvc.auth.verifier import make_verifier
from groupsvc.core.accounts.authentication import Authenticator
from groupsvc.core.changes.journal import Journal
from groupsvc.core.jobs.service import JobRunner, Pace
from groupsvc.core.unit_of_work import TransactionRunner
from groupsvc.db.engine import close_engine, for_bulk, make_engine
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.readiness import DatabaseCheck
from groupsvc.faces import openedx, scodoc, v1
from groupsvc.faces.v1 import examples
from groupsvc.http import health
from groupsvc.http.application import FaceApplication
from groupsvc.http.cross_origin import cross_origin
from groupsvc.http.edge import Guard, local_path
from groupsvc.http.errors import ErrorFace
from groupsvc.http.examples import fill_in
from groupsvc.http.fast_path.middleware import FastPathMiddleware, RouteTable
from groupsvc.http.gateway_prefix import GatewayPrefix
from groupsvc.http.oauth import offer_login
from groupsvc.http.problems import PROBLEMS, document_problems
from groupsvc.http.routing import AppState
from groupsvc.http.swagger import Shown, install_docs
from groupsvc.settings import Settings

DESCRIPTION = """Courses are divided by partitions into groups; a user has at most one group in each
partition. `POST /v1/token` gives a token to an account; put it into *Authorize*. What is filled in
succeeds on the demo institution; what removes something is left to you."""

# In whose words the change log can be read.
JOURNALS: Mapping[str, Journal] = {
    "scodoc": scodoc.JOURNAL,
    "openedx": openedx.JOURNAL,
}

# What a face answers before it is asked, by the beginning of its paths.
ERRORS: Mapping[str, ErrorFace] = {
    "/ScoDoc/": scodoc.ERRORS,
    "/api/cohorts/": openedx.ERRORS,
    "/courses/": openedx.ERRORS,
    "/oauth2/": openedx.ERRORS,
}

DOCUMENTS = (
    Shown("groupsvc", "/openapi.json", "/docs"),
    Shown(scodoc.TITLE, "/ScoDoc/openapi.json", "/docs/scodoc"),
    Shown(openedx.TITLE, "/api/cohorts/openapi.json", "/docs/openedx"),
)

VOCABULARY = replace(
    scodoc.VOCABULARY, upload=openedx.UPLOAD_WORDS, numbering_systems={openedx.JOURNAL.system}
)


def create_app(settings: Settings, url: URL, home: Path, *, embedded: bool = False) -> FastAPI:
    """The application on a database. Nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        engine, bulk = make_engine(url, settings), make_engine(url, for_bulk(settings))
        verifier = make_verifier(settings, home, scodoc.VOCABULARY.permissions)
        stopping = asyncio.Event()
        words = replace(
            VOCABULARY,
            usernames_in_any_case=settings.openedx_usernames == "any_case",
            cohorts_collated=settings.openedx_cohort_order == "collated",
        )
        units = TransactionRunner(ConnectionPool(engine), ConnectionPool(bulk), words)
        pace = Pace(poll=settings.job_poll, silence=settings.job_silence, keep=settings.job_days)
        runner = JobRunner(units, pace)
        runner.start()
        try:
            yield {
                "app_state": AppState(settings, units, Authenticator(verifier), runner, JOURNALS),
                "readiness": DatabaseCheck(engine, embedded=embedded),
                "stopping": stopping,
            }
        finally:
            stopping.set()
            await runner.stop()
            await verifier.aclose()
            await asyncio.gather(close_engine(engine), close_engine(bulk))

    demo = settings.env == "development"
    app = FaceApplication(
        (*v1.ROUTERS, health.router),
        PROBLEMS,
        title="groupsvc",
        description=DESCRIPTION,
        tags=v1.TAGS,
        docs=settings.docs,
        edits=[
            document_problems,
            offer_login("/v1/token"),
            fill_in(examples.USUAL, examples.OWN, parameters=demo),
        ],
        lifespan=lifespan,
    )
    if settings.docs:
        install_docs(app, DOCUMENTS)
    app.mount("/ScoDoc", scodoc.make_app(docs=settings.docs, demo=demo))
    openedx.mount(app, docs=settings.docs, demo=demo)
    app.router.default = _nowhere
    table = RouteTable(app)
    app.add_middleware(FastPathMiddleware, table=table)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **cross_origin(settings.cors_origins))
    app.add_middleware(
        Guard,
        settings=settings,
        render=_render,
        is_bulk=table.is_bulk,
    )
    if settings.root_path:
        app.add_middleware(GatewayPrefix, prefix=settings.root_path)
    return app


def _face(path: str) -> ErrorFace:
    return next((face for start, face in ERRORS.items() if path.startswith(start)), PROBLEMS)


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """What no route has taken. A mount takes no path with a line break, which has a face too."""
    path = local_path(scope)
    face = _face(path)
    body, media_type = face.encode(path, face.not_found)
    await Response(body, face.not_found.status, media_type=media_type)(scope, receive, send)


def _render(path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
    """A refusal of the guard in the shape of the face that the path belongs to."""
    return _face(path).render(path, status, code, detail)
