"""The position of the log that a caller got to, which a read elsewhere must not be older than.

A write tells it in a header, a page of a list in its cursor.
"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.unit_of_work import TransactionRunner, UnitOfWork
from groupsvc.db.replication import format_position, parse_position
from groupsvc.http.documents import Document, headers

NAME: Final = "Groupsvc-Position"
POSITION: Final = NAME.lower()
_CURSOR: Final = re.compile(r"([\w-]*)(?:\.([0-9a-f]{1,16}))?", re.ASCII)
_PARAMETER: Final = {
    "name": NAME,
    "in": "header",
    "description": "What the caller's last write was answered with: the answer is not older",
    "schema": {"type": "string"},
}


def asked_position(request: Request) -> int:
    """What the caller has sent back."""
    told = parse_position(request.headers.get(POSITION))
    cursor = request.query_params.get("cursor")
    return told if cursor is None else max(told, read_cursor(cursor)[1])


async def mark_cursor(units: TransactionRunner, uow: UnitOfWork, key: str) -> str:
    """The cursor of a page that was read just now: the next one is not to be older."""
    if units.standbys is None:
        return key
    return f"{key}.{await units.standbys.position(uow.connection.standby):x}"


def read_cursor(cursor: str) -> tuple[str, int]:
    """The key and the position; no key where it is not one of ours."""
    found = _CURSOR.fullmatch(cursor)
    return (found[1], int(found[2] or "0", 16)) if found else ("", 0)


async def tell_position(units: TransactionRunner, request: Request, response: Response) -> Response:
    if units.standbys is not None:
        position = await units.standbys.position()
        units.standbys.remember(request.scope["state"]["subject"], position)
        response.headers[POSITION] = format_position(position)
    return response


def document_position(document: Document) -> None:
    """For an installation that reads from standbys."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if not path.startswith("/v1/"):
                continue
            parameters = operation.setdefault("parameters", [])
            if method == "get" and _PARAMETER not in parameters:
                parameters.append(dict(_PARAMETER))
            if method != "get":
                for status, response in operation["responses"].items():
                    if status < "300":
                        response.setdefault("headers", {}).update(headers(NAME)["headers"])
