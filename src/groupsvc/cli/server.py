"""The command that serves the API."""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from groupsvc import logs
from groupsvc.app import create_app
from groupsvc.auth.development import open_development_key
from groupsvc.auth.verifier import identity_provider
from groupsvc.cli.doubts import doubts
from groupsvc.cli.metrics import make_recorder, serve_metrics
from groupsvc.cli.runtime import (
    TIMEOUTS,
    Database,
    migrate_database,
    open_database,
    use_database,
)
from groupsvc.cli.tracing import check_tracing, make_tracing
from groupsvc.cli.workers import Parent, Workers
from groupsvc.db import revision
from groupsvc.domain.principal import EVERYTHING
from groupsvc.http.receive_deadline import (
    DeadlineProtocol,
    H11DeadlineProtocol,
    ReceiveDeadline,
)
from groupsvc.http.serving import Server
from groupsvc.local.home import default_home
from groupsvc.settings import Settings
from groupsvc.tenants.own_settings import refuse_shared
from groupsvc.tenants.registry import control_url

PROTOCOLS = {"httptools": DeadlineProtocol, "h11": H11DeadlineProtocol}
SECONDS_TO_FINISH = 20
M_MMAP_THRESHOLD = -3

_log = logging.getLogger(__name__)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
    root_path: Annotated[
        str | None,
        typer.Option(help="The path prefix of a gateway, instead of GROUPSVC_ROOT_PATH."),
    ] = None,
    demo: Annotated[
        bool, typer.Option(help="Load the demo institution into an empty database.")
    ] = False,
    migrate: Annotated[
        bool | None,
        typer.Option(help="Migrate first; by default only the embedded database is."),
    ] = None,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM."""
    if workers > 1 and not hasattr(os, "fork"):
        raise ValueError("several workers need a system with fork: start several processes")
    if root_path is not None:
        os.environ["GROUPSVC_ROOT_PATH"] = root_path.rstrip("/")
    settings = Settings()
    if settings.control_url is not None:
        refuse_shared(settings)
        if migrate or demo:
            raise ValueError("institutions are migrated with `groupsvc tenant migrate`")
    identity_provider(settings)  # what is wrong with its settings is told before anything starts
    check_tracing()
    logs.configure(settings.log_level)
    for doubt in doubts(settings):
        _log.warning(doubt)
    signal.signal(signal.SIGTERM, _interrupt)
    if settings.control_url is not None:
        fleet = Database(control_url(settings), default_home(settings), embedded=False)
        with serve_metrics(settings, fleet):
            _serve(settings, fleet, host=host, port=port, workers=workers)
        return
    with open_database(settings) as database:
        patient = settings.model_copy(update=TIMEOUTS)
        if migrate or (migrate is None and database.embedded):
            migrate_database(database, patient)
        if demo:
            from groupsvc.cli.demo import load_demo  # with all that imports need, and a meter

            use_database(database, patient, load_demo)
        _greet(settings, database, f"http://{host}:{port}{settings.root_path}")
        with serve_metrics(settings, database):
            _serve(settings, database, host=host, port=port, workers=workers)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Stop as after Ctrl-C; uvicorn replaces this handler when it starts."""
    raise KeyboardInterrupt


def _serve(settings: Settings, database: Database, *, host: str, port: int, workers: int) -> None:
    config = uvicorn.Config(
        application(settings, database),
        host=host,
        port=port,
        http=PROTOCOLS[settings.http_parser],
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )
    config.load()
    _tune_memory()
    if workers > 1:
        _serve_in_workers(config, settings, workers)
        return
    server = Server(config, drain=settings.drain_time)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


def application(settings: Settings, database: Database) -> FastAPI:
    """What all workers share: they are forked of the process that has made it."""
    ReceiveDeadline.receive_timeout = settings.receive_timeout
    revision.head()  # cached, so that no worker looks again
    return create_app(
        settings,
        database.url,
        database.home,
        embedded=database.embedded,
        recorder=make_recorder(settings),
        tracing=make_tracing(),
    )


def _serve_in_workers(config: uvicorn.Config, settings: Settings, count: int) -> None:
    listener = config.bind_socket()

    def work(parent: Parent) -> int:
        def begin() -> None:
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, server.retire)
            loop.add_signal_handler(signal.SIGUSR1, server.finish)
            loop.add_reader(parent.fileno(), server.finish)
            parent.tell_ready()

        server = Server(config, drain=settings.drain_time, on_start=begin)
        server.run(sockets=[listener])
        return 0 if server.started else STARTUP_FAILURE

    sys.exit(Workers(count, listener, work).run())


def _tune_memory() -> None:
    """Keep garbage collections short, and return large blocks to the system when they are freed.

    Objects that exist by now stay, so collections need not visit them. Large blocks are request
    bodies and the memory in which secrets are hashed.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    with suppress(AttributeError, OSError):  # only glibc has mallopt
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 20)


def _greet(settings: Settings, database: Database, address: str) -> None:
    """Print the addresses of the pages and a request to try."""
    if settings.ui:
        typer.echo(f"editor       {address}/ui", err=True)
    if settings.docs:
        typer.echo(f"Swagger UI   {address}/docs", err=True)
    if settings.env == "production":
        return
    key = open_development_key(settings, database.home)
    token = key.issue("developer", EVERYTHING, lifetime=settings.jwt_max_lifetime)
    typer.echo("try          (the token is for development and ends within a day)", err=True)
    typer.echo(f"curl -s -H 'Authorization: Bearer {token}' '{address}/v1/courses'", err=True)
