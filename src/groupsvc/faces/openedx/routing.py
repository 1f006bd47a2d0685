"""Addresses in every spelling of docs/compat/openedx.md, "Addresses and spellings".

The caller is admitted before the method is looked at, so each address has a route for the methods
that it does not have.
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from groupsvc.faces.openedx.access import DialectAccess
from groupsvc.faces.openedx.credentials import credentials
from groupsvc.faces.openedx.errors import COHORTS, COURSES, ApiError, not_allowed
from groupsvc.faces.openedx.reading import FORMS
from groupsvc.faces.openedx.refusals import deprecated, refusal
from groupsvc.http.documents import headers
from groupsvc.http.routing import BulkTransactionalRoute, Handler, TransactionalRoute

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
Register = Callable[[Endpoint], Endpoint]
Described = Mapping[str, Any]
NO_OTHERS: Final[Mapping[int, type[BaseModel]]] = MappingProxyType({})

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")


class DialectRoute(TransactionalRoute):
    """Takes its body in before a unit of work begins, and leaves reading it to the endpoint.

    So whoever sends slowly holds nothing meanwhile; strangers are not listened to.
    """

    def wrap_in_transaction(self, endpoint: Handler) -> Handler:
        handle = super().wrap_in_transaction(endpoint)
        takes = "requestBody" in (self.openapi_extra or {})

        async def take_in(request: Request) -> Response:
            known = takes and credentials(request) != ""
            request.state.body = await request.body() if known else b""
            return await handle(request)

        return take_in


class BulkDialectRoute(DialectRoute, BulkTransactionalRoute):
    """The same for what may take long."""


class Address:
    """One address of a router, for callers whom ``access`` admits.

    ``view`` is the name of an address that says on OPTIONS what it is.
    """

    def __init__(
        self,
        router: APIRouter,
        path: str,
        access: DialectAccess,
        *,
        spellings: Sequence[str] | None = None,
        view: str | None = None,
    ) -> None:
        toggled = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        self._router, self._path = router, path
        self._paths = (path, *((toggled,) if spellings is None else spellings))
        self._access, self._view = access, view
        self._whole = f"{COHORTS if path.startswith('/v') else COURSES}{path}"
        self._methods: list[str] = []
        self._refusals: dict[str, ApiError] = {}

    def on(
        self,
        method: str,
        answers: Any,
        summary: str,
        *,
        status: int = 200,
        body: Described | None = None,
        refusals: Sequence[int] = (400, 401, 403, 404),
        other_errors: Mapping[int, type[BaseModel]] = NO_OTHERS,
        name: str | None = None,
        bulk: bool = False,
        parameters: Sequence[Described] = (),
    ) -> Register:
        """Register an endpoint; it is documented under the spelling that the platform uses.

        ``other_errors`` are bodies of the endpoint's own, beside those of the face.
        """
        self._methods.append(method)
        extra: dict[str, Any] = {"parameters": list(parameters)} if parameters else {}
        if body is not None:
            extra["requestBody"] = dict(body)
        statuses = {*refusals, 404, 405, 414, 429, 503, *((413, 415) if body is not None else ())}
        if method != "GET":
            statuses.add(400)

        def register(endpoint: Endpoint) -> Endpoint:
            for path in self._paths:
                self._router.add_api_route(
                    path,
                    endpoint,
                    methods=[method],
                    operation_id=name or endpoint.__name__,
                    summary=summary,
                    response_model=answers,
                    status_code=status,
                    responses=self._documented(status, sorted(statuses), other_errors),
                    dependencies=[Depends(self._access)],
                    include_in_schema=path == self._path,
                    openapi_extra=extra,
                    route_class_override=BulkDialectRoute if bulk else DialectRoute,
                )
            return endpoint

        return register

    def _documented(
        self, status: int, statuses: Sequence[int], others: Mapping[int, type[BaseModel]]
    ) -> dict[int | str, dict[str, Any]]:
        known = {*statuses, 406} if self._access.negotiates else statuses
        found: dict[int | str, dict[str, Any]] = {status: {}}
        if self._access.sends_strangers:
            found[302] = {"description": "Not logged in", **headers("Location")}
        for each in sorted(known):
            more = (others[each],) if each in others else ()
            found[each] = refusal(self._whole, each, *more)
        for response in found.values():
            response.setdefault("headers", {}).update(deprecated(self._whole).get("headers", {}))
        return found

    def refuse(self, method: str, message: str, code: str) -> None:
        """Have a method refused in words of its own."""
        self._refusals[method] = ApiError(405, message, code)

    def close(self) -> None:
        """Refuse all other methods, to callers who are admitted."""
        allow = {"allow": ", ".join(self._allowed())}
        about = {
            "name": self._view,
            "description": "",
            "renders": ["application/json"],
            "parses": ["application/json", *FORMS],
        }
        refusals = {
            method: self._refusals.get(method) or ApiError(405, not_allowed(method))
            for method in METHODS
        }

        async def refuse(request: Request) -> Response:
            if self._view is not None and request.method == "OPTIONS":
                return JSONResponse(about, headers=allow)
            refusal = refusals[request.method]
            raise ApiError(405, refusal.message, refusal.code, allow)

        for path in self._paths:
            self._router.add_api_route(
                path,
                refuse,
                methods=[method for method in METHODS if method not in self._methods],
                dependencies=[Depends(self._access)],
                include_in_schema=False,
                route_class_override=DialectRoute,
            )

    def _allowed(self) -> list[str]:
        """In the order in which the platform lists them."""
        allowed = set(self._methods)
        if self._view is not None:
            allowed |= {"OPTIONS", *(["HEAD"] if "GET" in allowed else [])}
        return [method for method in METHODS if method in allowed]


def json_body(model: type[BaseModel], *, required: bool = True) -> Described:
    """A body that is JSON or a form."""
    schema = model.model_json_schema()
    kinds = ("application/json", *FORMS)
    return {"required": required, "content": {kind: {"schema": schema} for kind in kinds}}


def json_only(model: type[BaseModel]) -> Described:
    return {
        "required": True,
        "content": {"application/json": {"schema": model.model_json_schema()}},
    }


def form_body(model: type[BaseModel]) -> Described:
    return {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": model.model_json_schema()}},
    }


def file_body(field: str) -> Described:
    """A multipart body with one file."""
    schema = {
        "type": "object",
        "required": [field],
        "properties": {field: {"type": "string", "format": "binary"}},
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}
