"""Logs: one JSON object a line, made of fields that are allowed and of nothing else.

Exceptions are logged by type and place. Their text is not: drivers quote the offending value in it.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, TextIO, cast

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
# The institution that is served, in a process that serves several.
tenant: ContextVar[str | None] = ContextVar("tenant", default=None)
_also: list[tuple[str, ContextVar[str | None]]] = []

FIELDS = (
    "method",
    "route",
    "status",
    "duration_ms",
    "bytes",
    "principal",
    "trace_id",
    "code",
    "reason",
    "sqlstate",
    "attempt",
    "seconds",
    "count",
    "kid",
)
METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")
)
_LONGEST = 2_000
_DEEPEST = 8
_PRIVATE = re.compile(
    r"eyJ[\w-]{5,}[\w.-]*"  # a signed token
    r"|\b(?i:bearer|basic)\s+[\w.~+/=-]{12,}"
    r"|(?<=://)[^/\s@]{1,255}@"  # credentials in a URL
    r"|[\w.+-]{1,64}@[\w.-]{1,255}"  # an e-mail address
)
# What the pattern can match has one of these; most texts have none and are not searched further.
_SUSPICIOUS = re.compile(r"[@\s]|eyJ")
_access = logging.getLogger("groupsvc.access")
_quote = json.encoder.encode_basestring_ascii


def _clean(text: str) -> str:
    text = text[:_LONGEST]
    return _PRIVATE.sub("[removed]", text) if _SUSPICIOUS.search(text) else text


@lru_cache(maxsize=4)
def _second(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _value(value: object) -> str:
    if isinstance(value, str):
        return _quote(_clean(value))
    if type(value) in (int, float):
        return repr(value)
    return json.dumps(value if value is None or value in (True, False) else type(value).__name__)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what caused it, and the members of groups, newest first."""
    waiting = [error]
    for _ in range(_DEEPEST):
        if not waiting or (current := waiting.pop(0)) is None:
            return
        yield current
        waiting.extend(getattr(current, "exceptions", ()))
        cause = None if current.__suppress_context__ else current.__context__
        waiting.append(current.__cause__ or cause)


def _trace(error: BaseException) -> dict[str, Any]:
    frames = extract_tb(error.__traceback__)[-20:]
    places = ["/".join(PurePath(frame.filename).parts[-3:]) for frame in frames]
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [
            f"{place}:{frame.lineno} {frame.name}"
            for place, frame in zip(places, frames, strict=True)
        ],
    }


def _line(
    created: float, level: int, logger: str, message: str, given: Mapping[str, object]
) -> str:
    """All but the end of a line."""
    milliseconds = int(created % 1 * 1000)
    line = (
        f'{{"time": "{_second(int(created))}.{milliseconds:03}Z", '
        f'"level": {_quote(logging.getLevelName(level))}, "logger": {_quote(logger)}, '
        f'"message": {_quote(message)}'
    )
    if (current := request_id.get()) is not None:
        line += f', "request_id": {_quote(current)}'
    for name, told in _also:
        if (said := told.get()) is not None:
            line += f', "{name}": {_quote(said)}'
    for name in FIELDS:
        if name in given:
            line += f', "{name}": {_value(given[name])}'
    return line


class JsonFormatter(logging.Formatter):
    """A record as one line of ASCII; line breaks in it are escaped, secrets in it are removed."""

    def format(self, record: logging.LogRecord) -> str:
        message = self._message(record)
        line = _line(record.created, record.levelno, record.name, message, record.__dict__)
        if record.exc_info and record.exc_info[1]:
            traces = [_trace(error) for error in _chain(record.exc_info[1])]
            line += f', "exceptions": {json.dumps(traces)}'
        return line + "}"

    def _message(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name == "asyncio":
            # Its further lines are the repr of tasks and with them the text of exceptions.
            message = message.partition("\n")[0]
        return _clean(message)


def tell_tenant() -> None:
    """Have every line say whose it is."""
    if not _also:
        _also.append(("tenant", tenant))


def method_word(method: str) -> str:
    """A method that HTTP has; clients may make up others."""
    return method if method in METHODS else "other"


def route_template(scope: Mapping[str, Any]) -> str | None:
    """The template of the route that answered, mounts included, without any value of the path."""
    route = scope.get("route")
    if "fastapi" in scope:
        # Its template of a route lacks the prefix that its router was included with.
        context = scope["fastapi"].get("effective_route_context")
        if context is not None and context.original_route is route:
            route = context
    template = getattr(route, "path_format", None)
    root: str = scope.get("root_path", "")
    if root and template is not None:
        values = scope.get("path_params", {})
        names = {str(value): f"{{{name}}}" for name, value in values.items()}
        root = "/".join(names.get(part, part) for part in root.split("/"))
    return None if template is None else root + template


def log_access(level: int, fields: Mapping[str, object]) -> None:
    """Log one answered request."""
    if _access.isEnabledFor(level):
        # Not through a record: making and handling one costs more than what is written.
        for handler in logging.root.handlers:
            if isinstance(handler.formatter, JsonFormatter):
                line = _line(time.time(), level, _access.name, "request", fields)
                cast("logging.StreamHandler[TextIO]", handler).stream.write(line + "}\n")


def _standard_output() -> TextIO:
    """Standard output line by line: into a pipe it waits for several thousand bytes."""
    stream: Any = sys.stdout
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(line_buffering=True)
    return cast("TextIO", stream)


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send every logger of the process, uvicorn's too, through one handler on standard output.

    uvicorn must be started with ``log_config=None``, or it puts its own handlers back.
    """
    handler = logging.StreamHandler(stream or _standard_output())
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old.formatter, JsonFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # These fields are never written, so records need not collect them.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # These log URLs with their query strings, or every look at the revision.
    for name in ("httpx", "httpcore", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
