"""Every route exists twice: under ``/api`` and under ``/<acronym>/api``."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.scodoc.access import Everywhere, InDepartment
from groupsvc.faces.scodoc.schemas import MOST, ErrorOut
from groupsvc.http.documents import headers
from groupsvc.http.routing import Handler, TransactionalRoute

Endpoint = Callable[..., Coroutine[Any, Any, Response]]
Register = Callable[[Endpoint], Endpoint]
Described = Mapping[str, Any]

ACRONYM: Described = {
    "name": "acronym",
    "in": "path",
    "required": True,
    "description": "Acronym of the department",
    "schema": {"type": "string"},
}

NOBODY = 0  # no row has this id


def _known(number: int) -> int:
    return number if number <= MOST else NOBODY


# Digits that are no id of a row name nothing, when it is their turn to be looked up.
Id = Annotated[int, AfterValidator(_known)]

_WORDS: dict[int, str] = {
    400: "The body or a parameter is not valid",
    401: "No token, or one that is not valid",
    403: "Not permitted, locked or not editable",
    404: "No such department or row in it",
    413: "The body is too large",
    414: "The path or the query is too long",
    415: "The body is compressed",
    429: "Too often: wait",
    503: "Not now",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For ``responses=``."""
    found: dict[int | str, dict[str, Any]] = {
        each: {"model": ErrorOut, "description": _WORDS[each]} for each in statuses
    }
    if 401 in found:
        found[401] |= headers("WWW-Authenticate")
    return found


class ScodocRoute(TransactionalRoute):
    """Takes its body in before a unit of work begins, and leaves reading it to the endpoint.

    So whoever sends slowly holds nothing meanwhile. A body that is not described is left alone.
    """

    def wrap_in_transaction(self, endpoint: Handler) -> Handler:
        handle = super().wrap_in_transaction(endpoint)
        has_body = "requestBody" in (self.openapi_extra or {})

        async def take_in(request: Request) -> Response:
            if has_body:
                request.state.body = await request.body()
            return await handle(request)

        return take_in


class DialectRouter(APIRouter):
    """Registers endpoints under both prefixes, for callers who hold a permission there."""

    def __init__(self, tag: str) -> None:
        super().__init__(route_class=ScodocRoute, tags=[tag])

    def read(
        self, path: str, answers: Any, summary: str, *, parameters: Sequence[Described] = ()
    ) -> Register:
        """A GET for whoever has ScoView; ``parameters`` are those that it reads by itself."""
        extra = {"parameters": list(parameters)}
        return self._both("GET", path, Permission.GROUPS_READ, answers, summary, extra)

    def write(
        self,
        path: str,
        answers: Any,
        summary: str,
        *,
        body: type[BaseModel] | Described | None = None,
    ) -> Register:
        """A POST for whoever has ScoEtudChangeGroups."""
        extra: Described = {"requestBody": _described(body)} if body is not None else {}
        return self._both("POST", path, Permission.GROUPS_WRITE, answers, summary, extra)

    def _both(
        self,
        method: str,
        path: str,
        permission: Permission,
        answers: Any,
        summary: str,
        extra: Described,
    ) -> Register:
        statuses = (
            400,
            401,
            403,
            404,
            414,
            429,
            503,
            *((413, 415) if "requestBody" in extra else ()),
        )

        def register(endpoint: Endpoint) -> Endpoint:
            scoped = {**extra, "parameters": [ACRONYM, *extra.get("parameters", ())]}
            for prefix, access, ending, described in (
                ("/api", Everywhere(permission), "", extra),
                ("/{acronym}/api", InDepartment(permission), "_in_department", scoped),
            ):
                self.add_api_route(
                    prefix + path,
                    endpoint,
                    methods=[method],
                    operation_id=f"{endpoint.__name__}{ending}",
                    summary=summary,
                    response_model=answers,
                    responses=refusals(*sorted(statuses)),
                    dependencies=[Depends(access)],
                    openapi_extra=dict(described),
                )
            return endpoint

        return register


def _described(body: type[BaseModel] | Described) -> dict[str, Any]:
    schema = body if isinstance(body, Mapping) else body.model_json_schema()
    return {"required": True, "content": {"application/json": {"schema": dict(schema)}}}
