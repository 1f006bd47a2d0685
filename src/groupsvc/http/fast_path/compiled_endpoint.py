"""Endpoints that are called with what a plain request holds, without FastAPI's general solver.

Parameters are validated by FastAPI's own fields. Whatever is unusual, such as a parameter that is
not valid, is left to the stock route, which answers as it always does.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction, signature
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from groupsvc.http.declared_query import DeclaredQuery

JSON: Final = "application/json"
_PLAIN: Final = (type(None), bool, int, float, str)
_COMPOUND: Final = (list, set, frozenset, tuple, dict, BaseModel)
SOURCES: Final = ("path_params", "query_params", "header_params")
OTHERS: Final = (
    "cookie_params",
    "body_params",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)

NO_QUERY: Final = QueryParams()
NO_HEADERS: Final = Headers()
VALUES: Final = "groupsvc.values"

Values = dict[str, Any]
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class _NotPlainError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    alias: str
    field: Any
    default: Any
    required: bool

    def read(self, given: Mapping[str, Any]) -> Any:
        value = given.get(self.alias)
        if value is None:
            if self.required:
                raise _NotPlainError
            return self.default
        valid, errors = self.field.validate(value, {}, loc=())
        if errors:
            raise _NotPlainError
        return valid


@dataclass(frozen=True, slots=True)
class _Call:
    """One endpoint or dependency, and what it is called with."""

    call: Callable[..., Awaitable[Any]]
    path: tuple[_Parameter, ...]
    query: tuple[_Parameter, ...]
    headers: tuple[_Parameter, ...]
    request: str | None
    without_query: Values | None  # what a request without one has; None when it must have one
    needs: "tuple[tuple[str | None, _Call], ...]"

    def reads_headers(self) -> bool:
        return bool(self.headers) or any(need.reads_headers() for _, need in self.needs)

    def read(self, path: Mapping[str, Any], query: QueryParams, headers: Headers) -> list[Values]:
        """The parameters of this call and of all those below it, in the order of their use.

        Raises _NotPlainError.
        """
        own: Values = {each.name: each.read(path) for each in self.path}
        if query is NO_QUERY and self.without_query is not None:
            own.update(self.without_query)
        else:
            for each in self.query:
                own[each.name] = each.read(query)
        for each in self.headers:
            own[each.name] = each.read(headers)
        values = [own]
        for _, need in self.needs:
            values += need.read(path, query, headers)
        return values

    async def run(self, request: Request, values: list[Values]) -> Any:
        own = values.pop(0)
        for name, need in self.needs:
            result = await need.run(request, values)
            if name is not None:
                own[name] = result
        if self.request is not None:
            own[self.request] = request
        return await self.call(**own)


class CompiledEndpoint:
    """The endpoint of a route with all it depends on, and ``handle`` to call it in its unit."""

    def __init__(
        self,
        root: _Call,
        status: int,
        wrap: Callable[[Handler], Handler],
        *,
        judges_queries: bool,
    ) -> None:
        self._root, self._status, self._judges_queries = root, status, judges_queries
        self._reads_headers = root.reads_headers()
        self.handle = wrap(self._answer)

    def read(self, scope: Scope, path: Mapping[str, Any]) -> list[Values] | None:
        """The parameters of a request; None when FastAPI has to look at them."""
        query = NO_QUERY
        if scope["query_string"]:
            if self._judges_queries:
                return None
            query = QueryParams(scope["query_string"])
        headers = Headers(scope=scope) if self._reads_headers else NO_HEADERS
        try:
            return self._root.read(path, query, headers)
        except _NotPlainError:
            return None

    async def _answer(self, request: Request) -> Response:
        # A unit of work may run again.
        values = [dict(each) for each in request.scope[VALUES]]
        result = await self._root.run(request, values)
        if isinstance(result, Response):
            return result
        content = None if result is None else result.model_dump_json(by_alias=True)
        return Response(content, self._status, media_type=JSON)


def compile_endpoint(
    route: APIRoute, wrap: Callable[[Handler], Handler]
) -> CompiledEndpoint | None:
    """None when an endpoint needs more of FastAPI than there is here."""
    answers = signature(route.endpoint, eval_str=True).return_annotation
    plain = isinstance(answers, type) and issubclass(answers, (Response, BaseModel))
    if route.body_field is not None or not (plain or answers is None):
        return None
    try:
        return CompiledEndpoint(
            _call(route.dependant),
            route.status_code or 200,
            wrap,
            judges_queries=any(map(_judges_queries, route.dependant.dependencies)),
        )
    except _NotPlainError:
        return None


def _call(dependant: Dependant) -> _Call:
    call = dependant.call
    if call is None or any(getattr(dependant, name) for name in OTHERS):
        raise _NotPlainError
    if not (iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__)):
        raise _NotPlainError
    path, query, headers = (
        tuple(_parameter(field) for field in getattr(dependant, source)) for source in SOURCES
    )
    # What only declares something has been acted upon by the time that an endpoint is called.
    needs = tuple(
        (each.name, _call(each))
        for each in dependant.dependencies
        if each.name is not None
        or not (hasattr(each.call, "authenticate_and_authorize") or _judges_queries(each))
    )
    without = None if any(each.required for each in query) else _defaults(query)
    return _Call(call, path, query, headers, dependant.request_param_name, without, needs)


def _defaults(parameters: tuple[_Parameter, ...]) -> Values:
    return {each.name: each.default for each in parameters}


def _judges_queries(dependant: Dependant) -> bool:
    return isinstance(dependant.call, DeclaredQuery)


def _is_scalar(annotation: Any) -> bool:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_scalar(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return all(map(_is_scalar, get_args(annotation)))
    kind = origin or annotation
    return not (isinstance(kind, type) and issubclass(kind, _COMPOUND))


def _parameter(field: Any) -> _Parameter:
    info: FieldInfo = field.field_info
    required = info.is_required()
    default = None if required else field.default
    if info.validate_default or type(default) not in _PLAIN or not _is_scalar(info.annotation):
        raise _NotPlainError
    alias = info.validation_alias or field.alias
    if not isinstance(alias, str):
        raise _NotPlainError
    return _Parameter(field.name, alias, field, default, required)
