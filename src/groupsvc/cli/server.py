"""The command that serves the API."""

import ctypes
import gc
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from sqlalchemy import make_url

from groupsvc import logs
from groupsvc.app import create_app
from groupsvc.auth.development import open_development_key
from groupsvc.auth.verifier import identity_provider
from groupsvc.cli.demo import load_demo
from groupsvc.cli.runtime import (
    EVERYTHING,
    TIMEOUTS,
    Database,
    console,
    migrate_database,
    open_database,
    use_database,
)
from groupsvc.http.receive_deadline import DeadlineProtocol
from groupsvc.settings import Settings

# Passed from the command to its workers, which read their settings from the environment.
WORKER_URL = "GROUPSVC_WORKER_DATABASE_URL"
WORKER_HOME = "GROUPSVC_WORKER_HOME"
SECONDS_TO_FINISH = 20
M_MMAP_THRESHOLD = -3


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
    if root_path is not None:
        os.environ["GROUPSVC_ROOT_PATH"] = root_path.rstrip("/")
    settings = Settings()
    identity_provider(settings)  # what is wrong with its settings is told before anything starts
    logs.configure(settings.log_level)
    signal.signal(signal.SIGTERM, _interrupt)
    with open_database(settings) as database:
        patient = settings.model_copy(update=TIMEOUTS)
        if migrate or (migrate is None and database.embedded):
            migrate_database(database, patient)
        if demo:
            use_database(database, patient, load_demo)
        _greet(settings, database, f"http://{host}:{port}{settings.root_path}")
        _serve(database, host=host, port=port, workers=workers)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Stop as after Ctrl-C; uvicorn replaces this handler when it starts."""
    raise KeyboardInterrupt


def _serve(database: Database, *, host: str, port: int, workers: int) -> None:
    os.environ[WORKER_URL] = database.url.render_as_string(hide_password=False)
    os.environ[WORKER_HOME] = str(database.home)
    uvicorn.run(
        "groupsvc.cli.server:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="groupsvc.http.receive_deadline:DeadlineProtocol",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=SECONDS_TO_FINISH,
    )


def application() -> FastAPI:
    """Make the application of a worker process."""
    settings = Settings()
    logs.configure(settings.log_level)
    DeadlineProtocol.receive_timeout = settings.receive_timeout
    app = create_app(
        settings,
        make_url(os.environ[WORKER_URL]),
        Path(os.environ[WORKER_HOME]),
        embedded=settings.database_url is None,
    )
    _tune_memory()
    return app


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
    """Print the address of the documentation and a request to try."""
    if settings.docs:
        console.print(f"Swagger UI   {address}/docs")
    if settings.env == "production":
        return
    key = open_development_key(settings, database.home)
    token = key.issue("developer", EVERYTHING, lifetime=settings.jwt_max_lifetime)
    console.print("try          (the token is for development and ends within a day)")
    console.print(
        f"curl -s -H 'Authorization: Bearer {token}' '{address}/v1/courses'", soft_wrap=True
    )
