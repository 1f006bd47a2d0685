"""What a native route declares; what follows from that is not written again.

An operation is named like its function. The refusals to document follow from ``_refusals``, and
the headers from what the endpoint returns; 422 is left to FastAPI, which knows every parameter.
"""

from collections.abc import Callable, Collection, Iterator
from inspect import signature
from typing import Any, Protocol, TypedDict, TypeVar, Unpack, cast

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse, Response

from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, Endpoint, answering, expected_tags, returned
from groupsvc.http.declared_query import DeclaredQuery
from groupsvc.http.documents import IF_NONE_MATCH, headers
from groupsvc.http.idempotency import IDEMPOTENT
from groupsvc.http.problems import problem_responses
from groupsvc.http.routing import BulkTransactionalRoute, Requires, TransactionalRoute

Responses = dict[int | str, dict[str, Any]]

E = TypeVar("E", bound=Endpoint)


class Options(TypedDict, total=False):
    # Of the operation; that of the function unless it has several.
    name: str
    # None admits every caller who is known.
    permission: Permission | None
    status: int
    # Where the resource is, with its own members to be filled in.
    location: str
    # May bring much and take long.
    bulk: bool
    # Refusals that follow from no rule, and those that follow from one and cannot happen.
    errors: Collection[int]
    never: Collection[int]
    responses: Responses
    response_class: type[Response]
    # Describes a body that the endpoint reads by itself.
    openapi_extra: dict[str, Any]


class Register(Protocol):
    """Registers an endpoint that answers with a model, or with nothing."""

    def __call__(
        self, path: str, summary: str, answers: Any = None, **options: Unpack[Options]
    ) -> Callable[[E], E]: ...


class Routes:
    """The routes of one tag.

    Unless they say otherwise, GET needs ``groups:read`` and all other methods ``groups:write``.
    """

    def __init__(self, tag: str) -> None:
        self.router = APIRouter(prefix="/v1", tags=[tag])
        self.get = self._registers("GET")
        self.post = self._registers("POST")
        self.put = self._registers("PUT")
        self.patch = self._registers("PATCH")
        self.delete = self._registers("DELETE")

    def _registers(self, method: str) -> Register:
        def register(
            path: str, summary: str, answers: Any = None, **options: Unpack[Options]
        ) -> Callable[[E], E]:
            def add(endpoint: E) -> E:
                self._add(method, path, endpoint, summary, answers, options)
                return endpoint

            return add

        return register

    def _add(
        self,
        method: str,
        path: str,
        endpoint: Endpoint,
        summary: str,
        answers: Any,
        options: Options,
    ) -> None:
        status = options.get("status", 204 if method == "DELETE" and answers is None else 200)
        bulk = options.get("bulk", False)
        extra = dict(options.get("openapi_extra", {}))
        if method == "GET" and returned(endpoint) is JsonResource:
            extra["parameters"] = [dict(IF_NONE_MATCH)]
        usual = Permission.GROUPS_READ if method == "GET" else Permission.GROUPS_WRITE
        permission = options.get("permission", usual)
        responses = options.get("responses")
        if responses is None and signature(endpoint).return_annotation is Declared:
            responses = created(answers)
        dependencies = [Depends(Requires(permission))]
        declared_query = DeclaredQuery()
        if method != "GET":
            dependencies.append(Depends(declared_query))
        if method == "POST":
            dependencies.append(IDEMPOTENT)
        self.router.add_api_route(
            path,
            answering(endpoint, status, options.get("location")),
            methods=[method],
            operation_id=options.get("name", endpoint.__name__),
            summary=summary,
            response_model=answers,
            status_code=status,
            response_class=options.get("response_class", JSONResponse),
            responses=responses,
            dependencies=dependencies,
            openapi_extra=extra,
            route_class_override=BulkTransactionalRoute if bulk else TransactionalRoute,
        )
        route = cast("APIRoute", self.router.routes[-1])
        declared_query.read_from(route)
        _document_headers(route, endpoint, status, has_location="location" in options)
        statuses = {*_refusals(route), *options.get("errors", ())}
        if permission is not None:
            statuses.add(403)
        statuses.difference_update(options.get("never", ()))
        route.responses |= problem_responses(*sorted(statuses))


def _refusals(route: APIRoute) -> Iterator[int]:
    """What follows from the declaration of a route."""
    yield from (401, 429, 503)
    if "{" in route.path:
        yield 404
    if "{" in route.path or route.dependant.query_params:
        yield 414
    if route.methods != {"GET"}:
        yield 409
    if any(each.call is expected_tags for each in route.dependant.dependencies):
        yield 412
    if route.body_field is not None or "requestBody" in (route.openapi_extra or {}):
        yield from (400, 413, 415)


def _document_headers(
    route: APIRoute, endpoint: Endpoint, status: int, *, has_location: bool
) -> None:
    """Those that ``answering`` sets, and the one of an answer that is repeated."""
    known: list[str] = []
    returns = returned(endpoint)
    if returns in (JsonResource, tuple):
        known.append("ETag")
    if returns is Page:
        known.append("Link")
    if has_location:
        known.append("Location")
    if route.methods == {"POST"}:
        known.append("Idempotent-Replayed")
    for each in {status, *(code for code in route.responses if code == 201)}:
        route.responses.setdefault(each, {"description": "Successful Response"}).update(
            headers(*known)
        )
    if returns is JsonResource and route.methods == {"GET"}:
        description = "The caller has it already, by `If-None-Match`"
        route.responses[304] = {"description": description, **headers("ETag")}


def created(model: Any, description: str = "Created") -> Responses:
    return {201: {"model": model, "description": description}}
