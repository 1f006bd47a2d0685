"""Swagger UI without a network: the page and everything it loads come from this service.

The page is the same for every request and refers to its neighbours by relative addresses, so it
works behind any prefix and has nothing of the request in it.
"""

import base64
import hashlib
import html
import json
import mimetypes
import posixpath
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from groupsvc.http.compressed import Compressed
from groupsvc.http.documents import gateway_prefix

_FILES: Final = frozenset({"swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"})
_OPTIONS: Final = {
    "dom_id": "#swagger-ui",
    "deepLinking": True,
    "displayRequestDuration": True,
    "filter": True,
    "persistAuthorization": True,
    "tryItOutEnabled": True,
    # Its default sends the address of the document to a validator elsewhere.
    "validatorUrl": None,
}
_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{assets}/favicon-32x32.png">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
</head>
<body>
<nav class="swagger-ui"><p class="wrapper">{links}</p></nav>
<div id="swagger-ui"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script>{script}</script>
</body>
</html>
"""


@cache
def _asset(file: str) -> Compressed:
    """One of the files of the package that the page needs."""
    body = files("fastapi_swagger").joinpath("resources", file).read_bytes()
    media_type, _ = mimetypes.guess_type(file)
    return Compressed(body, media_type or "text/javascript", "public, max-age=3600")


async def _assets(request: Request) -> Response:
    file = request.path_params["file"]
    if file not in _FILES:
        raise HTTPException(404)
    return _asset(file).answer(request)


def _script(openapi_url: str) -> str:
    options = json.dumps({"url": openapi_url, **_OPTIONS}).replace("<", "\\u003c")
    return f"SwaggerUIBundle({options});"


def _policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Shown(NamedTuple):
    """A document and its page: paths of the application, without any prefix it is reached under.

    ``page`` must not end with a slash.
    """

    title: str
    document: str
    page: str


def install_docs(app: FastAPI, documents: Sequence[Shown]) -> None:
    """Serve a page for each document, with links to the others, and an index at ``/``."""
    for shown in documents:
        folder = posixpath.dirname(shown.page)
        links = (
            f'<a href="{html.escape(_beside(each.page, folder))}">{html.escape(each.title)}</a>'
            for each in documents
        )
        script = _script(posixpath.relpath(shown.document, folder))
        text = _PAGE.format(
            title=html.escape(shown.title),
            assets=html.escape(posixpath.relpath(f"{shown.page}/assets", folder)),
            links=" | ".join(links),
            script=script,
        )
        page = Compressed(text.encode(), "text/html; charset=utf-8")
        routes = app.router.routes
        routes.append(_fixed(shown.page, page, **{"content-security-policy": _policy(script)}))
        routes.append(_redirect(f"{shown.page}/", shown.page))
        routes.append(Route(f"{shown.page}/assets/{{file}}", _assets, include_in_schema=False))
    app.router.routes.append(_redirect("/", documents[0].page, otherwise=documents))


def _beside(page: str, folder: str) -> str:
    """The relative address of a page, which may be called like the folder."""
    parent, name = posixpath.split(page)
    return posixpath.join(posixpath.relpath(parent, folder), name)


def _fixed(path: str, answer: Compressed, **headers: str) -> Route:
    async def page(request: Request) -> Response:
        return answer.answer(request, **headers)

    return Route(path, page, include_in_schema=False)


def _redirect(path: str, to: str, otherwise: Sequence[Shown] = ()) -> Route:
    """To another page of the application; who wants no pages is told where things are."""

    async def lead(request: Request) -> Response:
        prefix = gateway_prefix(request)
        vary = {"vary": "accept"} if otherwise else {}
        if otherwise and "text/html" not in request.headers.get("accept", ""):
            found = [
                Shown(each.title, prefix + each.document, prefix + each.page) for each in otherwise
            ]
            return JSONResponse({"documents": [each._asdict() for each in found]}, headers=vary)
        return Response(status_code=307, headers={"location": prefix + to, **vary})

    return Route(path, lead, include_in_schema=False)
