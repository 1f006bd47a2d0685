"""The group editor in the browser: files that were built from ``ui/`` and lie in the package.

They refer to one another and to the API by relative addresses, so they work behind any prefix.
"""

import json
import mimetypes
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groupsvc.http.compressed import Compressed
from groupsvc.http.documents import gateway_prefix

PATH: Final = "/ui"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Their names change with their bytes.
_FOREVER: Final = "public, max-age=31536000, immutable"


class DemoAccount(NamedTuple):
    """Whose secret everybody may know: it reaches courses that are made up."""

    account: str
    secret: str


DEMO_ACCOUNT: Final = DemoAccount("editor", "demonstration")


def install_editor(app: FastAPI, *, demo: bool) -> None:
    """Serve the editor; with ``demo`` it offers the account of the demonstration."""
    settings = {"demo": DEMO_ACCOUNT._asdict() if demo else None}
    said = Compressed(json.dumps(settings).encode(), "application/json")
    page = Compressed(_built("index.html").read_bytes(), "text/html; charset=utf-8")
    routes = app.router.routes
    routes.append(Route(PATH, _to_page, include_in_schema=False))
    routes.append(_fixed(f"{PATH}/", page, {"content-security-policy": _POLICY}))
    routes.append(_fixed(f"{PATH}/settings.json", said, {}))
    routes.append(Route(f"{PATH}/assets/{{file}}", _asset, include_in_schema=False))


def _built(*path: str) -> Traversable:
    return files("groupsvc").joinpath("ui", *path)


@cache
def _assets() -> Mapping[str, Compressed]:
    return {
        file.name: Compressed(
            file.read_bytes(),
            mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            _FOREVER,
        )
        for file in _built("assets").iterdir()
    }


async def _asset(request: Request) -> Response:
    answer = _assets().get(request.path_params["file"])
    if answer is None:
        raise HTTPException(404)
    return answer.answer(request)


async def _to_page(request: Request) -> Response:
    """Relative addresses of the page begin below it: the slash has to be there."""
    return Response(status_code=307, headers={"location": f"{gateway_prefix(request)}{PATH}/"})


def _fixed(path: str, answer: Compressed, headers: Mapping[str, str]) -> Route:
    async def tell(request: Request) -> Response:
        return answer.answer(request, **headers)

    return Route(path, tell, include_in_schema=False)
