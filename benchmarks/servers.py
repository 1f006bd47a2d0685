"""The contenders, and how each is started: one worker, as it is run in production."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from benchmarks.builds import OURS, Build
from benchmarks.data import username
from benchmarks.processes import Server, free_port, program

ACCOUNT, SECRET = "benchmark", "a-secret-of-the-benchmark"
DJANGO_SESSION, DJANGO_CSRF = "benchmark" * 3, "b" * 32
GRANTS = ("groups:read", "groups:write", "roster:write", "admin")


GUNICORN = (
    *("gunicorn", "--bind", "127.0.0.1:PORT", "--workers", "1", "--timeout", "600"),
    *("--worker-class", "gthread", "--threads", "4", "--keep-alive", "60", "--log-level", "error"),
)
# What is no build of the service: a program of our virtual environment, PORT for the port it gets.
CONTENDERS: Mapping[str, tuple[str, ...]] = {
    "bare": (
        *("uvicorn", "benchmarks.contenders.bare:app", "--port", "PORT"),
        *("--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "60"),
    ),
    "flask": (*GUNICORN, "benchmarks.contenders.flask_orm:app"),
    "django": (*GUNICORN, "benchmarks.contenders.edx.wsgi:application"),
}


def start(name: str, url: str, home: Path, build: Build = OURS) -> Server:
    """Start a contender on a database; its log is in *home*."""
    port = free_port()
    if name in CONTENDERS:
        first, *rest = (word.replace("PORT", str(port)) for word in CONTENDERS[name])
        command = (program(first), *rest)
    else:
        command = (*build.command, "serve", "--port", str(port))
    given = {**environment(url, home), **build.environment}
    server = Server(command, port, given, home / f"{name}-{port}.log")
    try:
        server.wait()
    except BaseException:
        server.stop()
        raise
    return server


def environment(url: str, home: Path) -> Mapping[str, str]:
    return {"GROUPSVC_DATABASE_URL": url, "GROUPSVC_HOME": str(home), "BENCHMARK_URL": url}


def declare_account(build: Build, url: str, home: Path) -> None:
    """An account with every grant, made as an operator makes it."""
    grants = [word for grant in GRANTS for word in ("--grant", grant)]
    secret = {"GROUPSVC_ACCOUNT_SECRET": SECRET}
    build.groupsvc("account", "create", ACCOUNT, *grants, **environment(url, home), **secret)


def headers(build: Build, server: Server, url: str, home: Path) -> tuple[str, str]:
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
    asked = ("token", "somebody", "--username", username(1))
    signed = build.groupsvc(*asked, **environment(url, home))
    session = (
        f"Cookie: sessionid={DJANGO_SESSION}; csrftoken={DJANGO_CSRF}\r\n"
        f"X-CSRFToken: {DJANGO_CSRF}\r\n"
    )
    opaque: str = answer.json()["access_token"]
    return (
        f"{session}Authorization: Bearer {opaque}\r\n",
        f"{session}Authorization: Bearer {signed.strip()}\r\n",
    )
