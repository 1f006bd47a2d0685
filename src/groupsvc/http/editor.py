"""The group editor in the browser: files that were built from ``ui/`` and lie in the package.

They refer to one another and to the API by relative addresses, so they work behind any prefix.
"""

import json
import mimetypes
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from groupsvc.http.compressed import Compressed
from groupsvc.http.documents import gateway_prefix
from groupsvc.settings import Settings

PATH: Final = "/ui"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src {origins}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Their names change with their bytes.
_FOREVER: Final = "public, max-age=31536000, immutable"


class DemoAccount(NamedTuple):
    """Whose secret everybody may know: it reaches courses that are made up."""

    account: str
    secret: str


DEMO_ACCOUNT: Final = DemoAccount("editor", "demonstration")


class Provider(NamedTuple):
    """By whom people can be known, and as which client the editor asks there."""

    issuer: str
    client_id: str
    scope: str
    resource: str | None

    @property
    def origin(self) -> str:
        return "{0.scheme}://{0.netloc}".format(urlsplit(self.issuer))


def install_editor(app: FastAPI, settings: Settings, *, demo: bool) -> None:
    """Serve the editor; with ``demo`` it offers the account of the demonstration.

    ``settings`` are those of requests that are at no institution.
    """
    page = Compressed(_built("index.html").read_bytes(), "text/html; charset=utf-8")

    async def show(request: Request) -> Response:
        provider = _provider(_settings_at(request, settings))
        origins = "'self'" if provider is None else f"'self' {provider.origin}"
        return page.answer(request, **{"content-security-policy": _POLICY.format(origins=origins)})

    async def tell(request: Request) -> Response:
        return _said(_provider(_settings_at(request, settings)), demo).answer(request)

    routes = app.router.routes
    routes.append(Route(PATH, _to_page, include_in_schema=False))
    routes.append(Route(f"{PATH}/", show, include_in_schema=False))
    routes.append(Route(f"{PATH}/settings.json", tell, include_in_schema=False))
    routes.append(Route(f"{PATH}/assets/{{file}}", _asset, include_in_schema=False))


def _settings_at(request: Request, default: Settings) -> Settings:
    """Those of the institution, where there are several: each has its own provider."""
    state: Any = request.scope.get("state", {}).get("app_state")
    return default if state is None else state.settings


def _provider(settings: Settings) -> Provider | None:
    if not settings.jwt_issuer or not settings.oidc_client_id:
        return None
    asked = settings.oidc_scope, settings.oidc_resource
    return Provider(settings.jwt_issuer, settings.oidc_client_id, *asked)


@lru_cache(maxsize=1_000)
def _said(provider: Provider | None, demo: bool) -> Compressed:
    told = {
        "demo": DEMO_ACCOUNT._asdict() if demo else None,
        "provider": provider and provider._asdict(),
    }
    return Compressed(json.dumps(told).encode(), "application/json")


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
