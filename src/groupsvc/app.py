"""Where everything is wired together."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from sqlalchemy import URL
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import Lifespan, Receive, Scope, Send

from groupsvc import logs
from groupsvc.faces import openedx, scodoc, v1
from groupsvc.faces.v1 import examples
from groupsvc.faces.v1.conflicts import PROBLEMS
from groupsvc.http import health
from groupsvc.http.application import FaceApplication
from groupsvc.http.cross_origin import cross_origin
from groupsvc.http.edge import Guard, local_path
from groupsvc.http.editor import PATH as EDITOR
from groupsvc.http.editor import install_editor
from groupsvc.http.errors import ErrorFace
from groupsvc.http.examples import fill_in
from groupsvc.http.fast_path.middleware import FastPathMiddleware, RouteTable
from groupsvc.http.gateway_prefix import GatewayPrefix
from groupsvc.http.log_position import document_position
from groupsvc.http.oauth import offer_login
from groupsvc.http.problems import document_problems
from groupsvc.http.swagger import Shown, install_docs
from groupsvc.institution import Institution
from groupsvc.recorder import SILENT, Recorder
from groupsvc.settings import Settings
from groupsvc.tenants.edge import TenantEdge, whose
from groupsvc.tenants.fleet import Fleet
from groupsvc.tenants.rounds import Rounds

if TYPE_CHECKING:
    from groupsvc.telemetry.tracing import Tracing  # what it needs may not be installed

Served = tuple[Mapping[str, Any], Callable[[], None]]

DESCRIPTION = """Courses are divided by partitions into groups; a user has at most one group in each
partition. `POST /v1/token` gives a token to an account; put it into *Authorize*. What is filled in
succeeds on the demo institution; what removes something is left to you."""

# What a face answers before it is asked, by the beginning of its paths.
ERRORS: Mapping[str, ErrorFace] = {
    f"{scodoc.PREFIX}/": scodoc.ERRORS,
    **{f"{prefix}/": openedx.ERRORS for prefix in openedx.PREFIXES},
}
_OTHERS = tuple(ERRORS)

DOCUMENTS = (
    Shown("groupsvc", "/openapi.json", "/docs"),
    Shown(scodoc.TITLE, f"{scodoc.PREFIX}/openapi.json", "/docs/scodoc"),
    Shown(openedx.TITLE, f"{openedx.COHORTS}/openapi.json", "/docs/openedx"),
)
_DOCUMENTS = frozenset(each.document for each in DOCUMENTS)
_PAGES = ("/docs/", f"{EDITOR}/")


def create_app(
    settings: Settings,
    url: URL,
    home: Path,
    *,
    embedded: bool = False,
    recorder: Recorder = SILENT,
    tracing: "Tracing | None" = None,
) -> FastAPI:
    """The application on a database, or on those of the institutions that the settings' control
    database lists. Nothing is connected before it starts.
    """
    fleet = Fleet(settings, home, recorder) if settings.control_url is not None else None

    def serving() -> AbstractAsyncContextManager[Served]:
        if fleet is not None:
            return _many(fleet, recorder)
        return _one(Institution(settings, url, home, recorder, embedded=embedded), recorder)

    app = _make_faces(settings, _lifespan(serving, tracing), is_alone=fleet is None)
    _add_layers(app, settings, fleet, recorder)
    # What is added last is outermost.
    if tracing is not None:
        app.add_middleware(tracing.middleware)
    if settings.root_path:
        app.add_middleware(GatewayPrefix, prefix=settings.root_path)
    return app


def _make_faces(settings: Settings, lifespan: Lifespan[Any], *, is_alone: bool) -> FaceApplication:
    """All addresses: the native face, within which the dialects are mounted, pages and editor."""
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
            *((document_position,) if settings.read_hosts else ()),
        ],
        lifespan=lifespan,
    )
    if settings.docs:
        install_docs(app, DOCUMENTS)
    if settings.ui:
        install_editor(app, demo=demo and is_alone)
    app.mount(scodoc.PREFIX, scodoc.make_app(docs=settings.docs, demo=demo))
    openedx.mount(app, docs=settings.docs, demo=demo)
    app.router.default = _nowhere
    return app


def _add_layers(
    app: FaceApplication, settings: Settings, fleet: Fleet | None, recorder: Recorder
) -> None:
    """What requests pass on their way to an address, innermost first."""
    table = RouteTable(app)
    app.add_middleware(FastPathMiddleware, table=table)
    if fleet is not None:
        app.add_middleware(
            TenantEdge, fleet=fleet, face=_face, is_document=_is_document, recorder=recorder
        )
    elif settings.cors_origins:
        app.add_middleware(CORSMiddleware, **cross_origin(settings.cors_origins))
    app.add_middleware(
        Guard,
        settings=settings,
        render=_render,
        is_bulk=table.is_bulk,
        recorder=recorder,
        hosts=None if fleet is None else fleet.hosts,
        whose=None if fleet is None else partial(whose, fleet),
    )


def _lifespan(
    serving: Callable[[], AbstractAsyncContextManager[Served]], tracing: "Tracing | None"
) -> Lifespan[Any]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[dict[str, Any]]:
        stopping = asyncio.Event()
        try:
            async with serving() as (state, end_streams):
                ending = asyncio.create_task(_after(stopping, end_streams), name="groupsvc ending")
                try:
                    yield {**state, "stopping": stopping}
                finally:
                    stopping.set()
                    await ending
        finally:
            if tracing is not None:
                tracing.stop()

    return lifespan


async def _after(event: asyncio.Event, act: Callable[[], None]) -> None:
    await event.wait()
    act()


@asynccontextmanager
async def _one(institution: Institution, recorder: Recorder) -> AsyncGenerator[Served]:
    """Serve one institution; yields what requests find in their state, and how to end streams."""
    institution.start()
    queues = {name: pool.limiter for name, pool in institution.pools.items()}
    try:
        async with recorder.watching(queues, _face_name):
            yield institution.request_state, institution.tail.close
    finally:
        await institution.aclose()


@asynccontextmanager
async def _many(fleet: Fleet, recorder: Recorder) -> AsyncGenerator[Served]:
    """The same for those of a list, each of which adds its own to the state of its requests."""
    logs.tell_tenant()
    rounds = Rounds(fleet)
    try:
        await rounds.start()
        async with recorder.watching({"connections": fleet.budget.limiter}, _face_name):
            yield {"readiness": fleet}, fleet.end_streams
    finally:
        await rounds.stop()
        await fleet.aclose()


def _is_document(path: str) -> bool:
    """What is alike for all institutions: the OpenAPI documents, their pages, and the editor."""
    return path in ("/", "/docs", EDITOR) or path.startswith(_PAGES) or path in _DOCUMENTS


def _face(path: str) -> ErrorFace:
    if not path.startswith(_OTHERS):
        return PROBLEMS
    return next(face for start, face in ERRORS.items() if path.startswith(start))


def _face_name(path: str) -> str:
    return _face(path).name


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """What no route has taken. A mount takes no path with a line break, which has a face too."""
    path = local_path(scope)
    face = _face(path)
    body, media_type = face.encode(path, face.not_found)
    await Response(body, face.not_found.status, media_type=media_type)(scope, receive, send)


def _render(path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
    """A refusal of the guard in the shape of the face that the path belongs to."""
    return _face(path).render(path, status, code, detail)
