"""Where everything is wired together."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from sqlalchemy import URL
from starlette.middleware.cors import CORSMiddleware

import groupsvc
from groupsvc.auth.verifier import make_verifier
from groupsvc.core.accounts.authentication import Authenticator
from groupsvc.core.changes.journal import Journal
from groupsvc.core.jobs.service import JobRunner, Pace
from groupsvc.core.transactions import TransactionRunner
from groupsvc.db.engine import close_engine, for_bulk, make_engine, make_sessions
from groupsvc.db.readiness import DatabaseCheck
from groupsvc.faces import openedx, scodoc
from groupsvc.faces.v1 import (
    accounts,
    assignments,
    changes,
    cohorts,
    content_groups,
    courses,
    departments,
    enrollments,
    groups,
    jobs,
    me,
    memberships,
    oauth,
    partitions,
    preassignments,
    tokens,
    transfer,
    users,
)
from groupsvc.http import health, problems, swagger
from groupsvc.http.app_state import AppState
from groupsvc.http.edge import Guard, Limits, Render
from groupsvc.http.fast_path.middleware import FastPathMiddleware
from groupsvc.settings import Settings

DESCRIPTION = """Courses are divided by partitions into groups; a user has at most one group in each
partition. `POST /v1/token` gives a token to an account; put it into *Authorize*."""

# The hot ones first: routes are tried in this order.
ROUTERS: Sequence[APIRouter] = (
    partitions.router,
    memberships.router,
    assignments.router,
    groups.router,
    courses.router,
    me.router,
    enrollments.router,
    users.router,
    departments.router,
    cohorts.router,
    content_groups.router,
    preassignments.router,
    jobs.router,
    changes.router,
    accounts.router,
    tokens.router,
    transfer.router,
    health.router,
)

# In whose words the change log can be read.
JOURNALS: Mapping[str, Journal] = {
    "scodoc": scodoc.JOURNAL,
    "openedx": openedx.JOURNAL,
}

# What a face answers before it is asked, by the beginning of its paths.
RENDERERS: Mapping[str, Render] = {
    "/ScoDoc/": scodoc.render,
    "/api/cohorts/": openedx.render,
    "/courses/": openedx.render,
}

VOCABULARY = replace(scodoc.VOCABULARY, upload=openedx.UPLOAD_WORDS)

BULK_ENDINGS = ("/assignments", "/import", "/cohort-uploads")
BULK_BEGINNINGS = ("/v1/import/", "/v1/export/")


def create_app(settings: Settings, url: URL, home: Path, *, embedded: bool = False) -> FastAPI:
    """The application on a database. Nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        engine, bulk = make_engine(url, settings), make_engine(url, for_bulk(settings))
        verifier = make_verifier(settings, home, scodoc.VOCABULARY.permissions)
        stopping = asyncio.Event()
        units = TransactionRunner(make_sessions(engine), make_sessions(bulk), VOCABULARY)
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

    app = FastAPI(
        title="groupsvc",
        version=groupsvc.__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    oauth.offer_login(app, token_url="/v1/token")  # noqa: S106 - an address
    for router in ROUTERS:
        # Flat: FastAPI would match an included router anew for every request.
        app.router.routes.extend(router.routes)
    if settings.docs:
        swagger.install_docs(app, title="groupsvc", openapi_url="/openapi.json", docs_url="/docs")
        swagger.install_docs(
            app,
            title="groupsvc: ScoDoc dialect",
            openapi_url="/ScoDoc/openapi.json",
            docs_url="/docs/scodoc",
        )
        swagger.install_docs(
            app,
            title=openedx.TITLE,
            openapi_url="/api/cohorts/openapi.json",
            docs_url="/docs/openedx",
        )
    app.mount("/ScoDoc", scodoc.make_app(docs=settings.docs))
    openedx.mount(app, docs=settings.docs)
    app.add_middleware(FastPathMiddleware, application=app)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "if-match", "idempotency-key"],
            expose_headers=["etag", "link", "location", "retry-after", "x-request-id"],
        )
    app.add_middleware(
        Guard,
        limits=Limits(
            max_body=settings.max_body,
            max_upload=settings.max_upload,
            request_timeout=settings.request_timeout,
            bulk_timeout=settings.bulk_timeout,
            allowed_hosts=settings.allowed_hosts,
        ),
        render=_render,
        is_bulk=_is_bulk,
    )
    return app


def _is_bulk(path: str) -> bool:
    native = path.endswith(BULK_ENDINGS) or path.startswith(BULK_BEGINNINGS)
    return native or openedx.is_bulk(path)


def _render(path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
    """A refusal of the guard in the shape of the face that the path belongs to."""
    for beginning, render in RENDERERS.items():
        if path.startswith(beginning):
            return render(path, status, code, detail)
    return problems.render(path, status, code, detail)
