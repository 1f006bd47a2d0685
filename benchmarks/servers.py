"""The contenders, and how each is started: one worker, as it is run in production."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.data import username
from benchmarks.processes import Server, free_port, program

ACCOUNT, SECRET = "benchmark", "a-secret-of-the-benchmark"
DJANGO_SESSION, DJANGO_CSRF = "benchmark" * 3, "b" * 32
GRANTS = ("groups:read", "groups:write", "roster:write", "admin")


@dataclass(frozen=True, slots=True)
class Contender:
    """``command`` is a program of our virtual environment; PORT stands for the port it is given."""

    name: str
    title: str
    command: tuple[str, ...]


GUNICORN = (
    *("gunicorn", "--bind", "127.0.0.1:PORT", "--workers", "1", "--timeout", "600"),
    *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--log-level", "error"),
)
CONTENDERS = {
    each.name: each
    for each in (
        Contender(
            "groupsvc",
            "groupsvc as shipped",
            ("groupsvc", "serve", "--port", "PORT"),
        ),
        Contender(
            "bare",
            "(a) Starlette + asyncpg",
            (
                *("uvicorn", "benchmarks.contenders.bare:app", "--port", "PORT"),
                *("--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "60"),
            ),
        ),
        Contender(
            "flask",
            "(b) Flask + ORM",
            (*GUNICORN, "benchmarks.contenders.flask_orm:app"),
        ),
        Contender(
            "django",
            "(c) Django + REST framework",
            (*GUNICORN, "benchmarks.contenders.edx.wsgi:application"),
        ),
    )
}


def start(name: str, url: str, home: Path) -> Server:
    """Start a contender on a database; its log is in *home*."""
    port = free_port()
    command = [word.replace("PORT", str(port)) for word in CONTENDERS[name].command]
    server = Server(command, port, environment(url, home), home / f"{name}-{port}.log")
    try:
        server.wait()
    except BaseException:
        server.stop()
        raise
    return server


def environment(url: str, home: Path) -> Mapping[str, str]:
    return {"GROUPSVC_DATABASE_URL": url, "GROUPSVC_HOME": str(home), "BENCHMARK_URL": url}


def declare_account(url: str, home: Path) -> None:
    """An account with every grant, made as an operator makes it."""
    grants = [word for grant in GRANTS for word in ("--grant", grant)]
    _groupsvc(url, home, "account", "create", ACCOUNT, *grants)


def headers(server: Server, url: str, home: Path) -> tuple[str, str]:
    """Lines that every request carries, with a token of the account and with a signed one.

    The first is asked for as any client asks for it. The session is for Django.
    """
    answer = httpx.post(
        f"http://127.0.0.1:{server.port}/v1/token",
        data={"grant_type": "client_credentials"},
        auth=(ACCOUNT, SECRET),
        timeout=30,
    )
    answer.raise_for_status()
    signed = _groupsvc(url, home, "token", "somebody", "--username", username(1))
    session = (
        f"Cookie: sessionid={DJANGO_SESSION}; csrftoken={DJANGO_CSRF}\r\n"
        f"X-CSRFToken: {DJANGO_CSRF}\r\n"
    )
    opaque: str = answer.json()["access_token"]
    return (
        f"{session}Authorization: Bearer {opaque}\r\n",
        f"{session}Authorization: Bearer {signed.strip()}\r\n",
    )


def _groupsvc(url: str, home: Path, *arguments: str) -> str:
    done = subprocess.run(
        (program("groupsvc"), *arguments),
        env={**os.environ, **environment(url, home), "GROUPSVC_ACCOUNT_SECRET": SECRET},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout
