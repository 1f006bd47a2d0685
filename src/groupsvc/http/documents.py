"""What the OpenAPI documents of all faces share: their headers, tags, and how they are served."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groupsvc.http.compressed import Compressed

Document = dict[str, Any]
Described = Mapping[str, Any]

# How FastAPI would document a refusal.
STOCK: Final = "HTTPValidationError"
_TEXT: Final = {"type": "string"}
# Of answers. Those that are required come with every answer that is documented with them.
_HEADERS: Final[Mapping[str, Described]] = {
    "ETag": {
        "description": "What the resource is now: `If-Match` of a write, `If-None-Match` of a read",
        "required": True,
        "schema": _TEXT,
    },
    "Location": {
        "description": "Where to read what was made or declared",
        "required": True,
        "schema": _TEXT,
    },
    "Link": {"description": "Related addresses by their `rel`, as the next page", "schema": _TEXT},
    "Allow": {"description": "The methods that there are here", "schema": _TEXT},
    "Deprecation": {"description": "There is a successor: see `Link`", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}},
    "Idempotent-Replayed": {
        "description": "`true` when the key was used before and its answer is repeated",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Left-Out": {
        "description": "How many people the table leaves out",
        "required": True,
        "schema": {"type": "integer"},
    },
    "Groupsvc-Position": {
        "description": "How far the log of the database was after this: reads that send it back "
        "are not older",
        "schema": _TEXT,
    },
    "WWW-Authenticate": {"description": "How to authenticate", "schema": _TEXT},
}
# Each says `If-None-Match` to a read of one resource.
IF_NONE_MATCH: Final[Described] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "Entity tags: 304 when the resource is still one of them",
    "schema": _TEXT,
}


def headers(*names: str) -> dict[str, Any]:
    """The headers of an answer, for ``responses=``."""
    found = {name: {"$ref": f"#/components/headers/{name}"} for name in names if name in _HEADERS}
    return {"headers": found} if found else {}


def operations(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """With their methods."""
    for item in document["paths"].values():
        yield from item.items()


def complete(document: Document) -> None:
    """What holds in every face: headers are defined, nothing is in the words of FastAPI."""
    used: set[str] = set()
    for _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        responses = operation["responses"]
        if STOCK in str(responses.get("422")):
            del responses["422"]
        for status, response in responses.items():
            if status in ("429", "503"):
                response.setdefault("headers", {}).update(headers("Retry-After")["headers"])
            used.update(response.get("headers", ()))
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in (STOCK, "ValidationError"):
        schemas.pop(name, None)
    order = [each["name"] for each in document.get("tags", ())]
    paths = sorted(document["paths"].items(), key=lambda each: _place(each[1], order))
    document["paths"] = dict(paths)
    if used:
        components["headers"] = {name: dict(_HEADERS[name]) for name in _HEADERS if name in used}


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What is not sent is absent: there is no null in a query or a header."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {name: each for name, each in schema.items() if name != "anyOf"}
    return {**rest, **kinds[0]}


def _place(item: dict[str, Any], order: Sequence[str]) -> int:
    """Of a path among the groups of operations."""
    tags = (tag for operation in item.values() for tag in operation.get("tags", ()))
    return min((order.index(tag) for tag in tags if tag in order), default=len(order))


def published(path: str, describe: Callable[[], Document], mounted: str = "") -> Route:
    """A route that serves a document, whose addresses have the prefix under which it was asked for.

    Its paths begin where the application is ``mounted``.
    """

    @lru_cache(maxsize=8)
    def under(prefix: str) -> Compressed:
        document: Document = {**deepcopy(describe()), "servers": [{"url": prefix + mounted or "/"}]}
        for scheme in document["components"].get("securitySchemes", {}).values():
            for flow in scheme.get("flows", {}).values():
                flow["tokenUrl"] = prefix + flow["tokenUrl"]
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return Compressed(text.encode(), "application/json")

    async def document(request: Request) -> Response:
        return under(gateway_prefix(request)).answer(request)

    return Route(path, document, include_in_schema=False)


def gateway_prefix(request: Request) -> str:
    """Under which the whole application is reached; without a slash at its end."""
    scope = request.scope
    prefix: str = scope.get("app_root_path", scope.get("root_path", ""))
    return prefix.rstrip("/")
