"""Swagger UI without a network: the page and everything it loads come from this service.

The page is the same for every request and refers to its neighbours by relative addresses, so it
works behind any prefix and has nothing of the request in it.
"""

import base64
import hashlib
import html
import json
import posixpath
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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
<div id="swagger-ui"></div>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script>{script}</script>
</body>
</html>
"""


class _Assets(StaticFiles):
    """The three files of the package that the page needs."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path not in _FILES:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=3600"
        return response


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


def install_docs(app: FastAPI, *, title: str, openapi_url: str, docs_url: str) -> None:
    """Serve a page at ``docs_url`` that shows the document at ``openapi_url``.

    Both are paths of the application that the page is installed in, without any prefix it is
    reached under. ``docs_url`` must not end with a slash.
    """
    folder = posixpath.dirname(docs_url)
    script = _script(posixpath.relpath(openapi_url, folder))
    page = _PAGE.format(
        title=html.escape(title),
        assets=html.escape(posixpath.relpath(f"{docs_url}/assets", folder)),
        script=script,
    )
    headers = {"content-security-policy": _policy(script), "cache-control": "no-cache"}

    async def docs() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    app.add_api_route(docs_url, docs, include_in_schema=False, response_class=HTMLResponse)
    app.mount(f"{docs_url}/assets", _Assets(packages=[("fastapi_swagger", "resources")]))
