"""How errors become answers. The order is the same in every face; the words are in its table."""

from collections.abc import Mapping, Sequence
from http.client import responses as phrases
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from groupsvc.domain.errors import GroupsvcError

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Refusal(NamedTuple):
    """In a table, what is None is taken from the error."""

    status: int
    message: Any = None
    code: str | None = None
    headers: Mapping[str, str] = NOTHING
    facts: Mapping[str, Any] = NOTHING


def challenge(scheme: str) -> Mapping[str, str]:
    """The header of a 401."""
    return {"www-authenticate": scheme}


class ErrorFace:
    """What a face says of errors, and in which shape."""

    name: ClassVar[str]
    # By the code of an error, else by its nearest class.
    rules: ClassVar[Mapping[str | type, Refusal]]
    # Of what has no words of its own; ``{method}`` is filled in.
    statuses: ClassVar[Mapping[int, str]]
    not_found: ClassVar[Refusal]
    crashed: ClassVar[Refusal]

    def encode(self, path: str, refusal: Refusal) -> tuple[bytes, str]:
        """The body and its media type; ``path`` is without the prefix of a gateway."""
        raise NotImplementedError

    def invalid(self, errors: Sequence[Mapping[str, Any]]) -> Refusal:
        """Of parameters or a body that are not valid, as FastAPI found."""
        raise NotImplementedError

    def own_words(self, error: GroupsvcError, found: Refusal) -> Refusal:
        """Of a rule for which the table has no message."""
        return found._replace(message=error.message)

    def rule(self, error: GroupsvcError) -> Refusal:
        keys: tuple[str | type, ...] = (error.code, *type(error).__mro__)
        found = next(self.rules[key] for key in keys if key in self.rules)
        if found.message is None:
            found = self.own_words(error, found)
        if found.status == 503 or "retry_after" in error.facts:
            found = found._replace(headers={"retry-after": str(error.facts.get("retry_after", 1))})
        return found

    def http(self, request: Request, error: HTTPException) -> Refusal:
        status, headers, message = error.status_code, dict(error.headers or {}), error.detail
        if status == 405 and (methods := allowed_methods(request)):
            headers["Allow"] = ", ".join(sorted(methods))
        if message == phrases.get(status, "Error") and status in self.statuses:
            message = self.statuses[status].format(method=request.method)
        return Refusal(status, str(message), None, headers)

    def answer(self, request: Request, refusal: Refusal) -> Response:
        status, headers = refusal.status, dict(refusal.headers)
        if status < 200 or status in (204, 205, 304):
            return Response(status_code=status, headers=headers)
        body, media_type = self.encode(local_path(request), refusal)
        return Response(body, status, headers, media_type)

    def render(self, path: str, status: int, code: str, detail: str) -> tuple[bytes, str]:
        """A refusal that was made before this face was asked; as the guard wants it."""
        return self.encode(path, Refusal(status, detail, code))

    def install(self, app: FastAPI) -> None:
        """Answer every refusal and error of an application in this way."""
        app.add_exception_handler(GroupsvcError, self.refused)
        app.add_exception_handler(RequestValidationError, self._invalid)
        app.add_exception_handler(HTTPException, self.failed)
        app.add_exception_handler(Exception, self._crashed)

    async def refused(self, request: Request, error: Exception) -> Response:
        return self.answer(request, self.rule(cast("GroupsvcError", error)))

    async def _invalid(self, request: Request, error: Exception) -> Response:
        found = cast("RequestValidationError", error).errors()
        # A path whose ids cannot be ids names nothing.
        is_lost = any(each["loc"][0] == "path" for each in found)
        return self.answer(request, self.not_found if is_lost else self.invalid(found))

    async def failed(self, request: Request, error: Exception) -> Response:
        return self.answer(request, self.http(request, cast("HTTPException", error)))

    async def _crashed(self, request: Request, _: Exception) -> Response:
        # Logged once and further out, where all faces and what runs after an answer pass.
        return self.answer(request, self.crashed)


def allowed_methods(request: Request) -> set[str]:
    """Every method that some route of the application has for the path of the request."""
    root, path = request.scope.get("root_path", ""), request.scope["path"]
    path = path.removeprefix(root) if path.startswith(root + "/") else path
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            found |= route.methods
    return found


def local_path(request: Request) -> str:
    """The path of a request as this service knows it, without the prefix of a gateway."""
    path: str = request.scope["path"]
    root: str = request.scope.get("app_root_path", "")
    return path.removeprefix(root) if root and path.startswith(root + "/") else path
