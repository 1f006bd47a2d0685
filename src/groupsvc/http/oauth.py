"""Requests and refusals in the words of OAuth2 (RFC 6749, RFC 7009)."""

import base64
import binascii
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from groupsvc.core.accounts.authentication import ACCOUNT
from groupsvc.core.accounts.service import AccountService
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.http.application import Document
from groupsvc.http.routing import Handler, TransactionalRoute, app_state

T = TypeVar("T")
R = TypeVar("R", covariant=True)

FORM = "application/x-www-form-urlencoded"
MAX_FORM = 8_192
MAX_FIELDS = 20
NOT_KEPT = {"cache-control": "no-store", "pragma": "no-cache"}
CLIENT = {
    "client_id": {"description": "Name of the account, unless HTTP Basic has it"},
    "client_secret": {"description": "Its secret, unless HTTP Basic has it"},
}
CHALLENGE = {"www-authenticate": 'Basic realm="groupsvc", charset="UTF-8"'}


class OAuthError(Exception):
    """A refusal with a code that OAuth2 defines. The description is a constant of ours."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


class OAuthRoute(TransactionalRoute):
    """A unit of work whose refusals and answers are those of OAuth2."""

    def wrap_in_transaction(self, endpoint: Handler) -> Handler:
        handle = super().wrap_in_transaction(endpoint)

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except OAuthError as error:
                return _refusal(error.code, error.description)
            except UnauthenticatedError as error:
                return _refusal("invalid_client", error.message)

        return answer


def _refusal(code: str, description: str) -> Response:
    known = code != "invalid_client"
    return JSONResponse(
        {"error": code, "error_description": description},
        status_code=400 if known else 401,
        headers=NOT_KEPT if known else NOT_KEPT | CHALLENGE,
    )


async def read_form(request: Request) -> dict[str, str]:
    """The parameters of the body that have a value.

    Raises OAuthError for anything but a short form in UTF-8 that names each of them once.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise OAuthError("invalid_request", f"send {FORM}")
    body = await request.body()
    if len(body) > MAX_FORM:
        raise OAuthError("invalid_request", "the form is too long")
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise OAuthError("invalid_request", "the form cannot be read") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthError("invalid_request", "a parameter is repeated")
    return {name: value for name, value in form.items() if value}


def credentials(request: Request, form: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The name and the secret that the client sent, in each way they can be read.

    Raises OAuthError when there are none, when they cannot be read, or when they come twice.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    name, secret = form.get("client_id"), form.get("client_secret")
    if scheme.lower() == "basic":
        readings = _read_basic(given)
        if secret is not None or name not in (None, *(name for name, _ in readings)):
            raise OAuthError("invalid_request", "authenticate in one way")
        return readings
    if name is None or secret is None:
        raise OAuthError("invalid_client", "send the name and the secret of an account")
    return [(name, secret)]


def require_client_credentials(form: Mapping[str, str]) -> None:
    """Raises OAuthError for any other grant type."""
    if "grant_type" not in form:
        raise OAuthError("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise OAuthError("unsupported_grant_type", "grant_type is client_credentials here")


async def issue_token(
    request: Request, form: Mapping[str, str], accounts: AccountService
) -> tuple[str, int]:
    """A new token for the account of the form, and the seconds it lives.

    Raises OAuthError and UnauthenticatedError.
    """
    lifetime = app_state(request).settings.token_lifetime

    async def issue(name: str, secret: str, *, counts: bool) -> tuple[str, int]:
        issued = await accounts.issue(name, secret, lifetime=lifetime, counts=counts)
        request.state.subject = ACCOUNT + name
        return issued

    return await first_right(credentials(request, form), issue)


class Attempt(Protocol[R]):
    def __call__(self, name: str, secret: str, /, *, counts: bool) -> Awaitable[R]: ...


async def first_right(readings: Sequence[tuple[str, str]], attempt: Attempt[T]) -> T:
    """What was sent may be read in several ways: one try, which ``counts`` where the last fails."""
    for name, secret in readings[:-1]:
        with contextlib.suppress(UnauthenticatedError):
            return await attempt(name, secret, counts=False)
    return await attempt(*readings[-1], counts=True)


def _read_basic(given: str) -> Sequence[tuple[str, str]]:
    """RFC 6749 has both parts encoded like a form; most clients send them as they are."""
    try:
        name, colon, secret = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        colon = name = secret = ""
    if not colon:
        raise OAuthError("invalid_client", "the Authorization header cannot be read")
    decoded = unquote_plus(name), unquote_plus(secret)
    return list(dict.fromkeys([(name, secret), decoded]))


def form_body(**parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The description of a form, for ``openapi_extra``; one without ``required`` is optional."""
    properties = {name: {"type": "string", **more} for name, more in parameters.items()}
    required = [name for name, more in properties.items() if more.pop("required", False)]
    schema = {"type": "object", "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


def offer_login(token_url: str) -> Callable[[Document], None]:
    """Document that the login of an account opens whatever a token opens.

    Swagger's dialog can then fetch the token. It is the same bearer token to the routes.
    """
    flow: dict[str, Any] = {"tokenUrl": token_url, "scopes": {}}
    scheme: dict[str, Any] = {
        "type": "oauth2",
        "description": "The name and the secret of a local account",
        "flows": {"clientCredentials": flow},
    }

    def edit(document: Document) -> None:
        document["components"]["securitySchemes"]["account"] = scheme
        for path in document["paths"].values():
            for operation in path.values():
                schemes = operation.get("security", [])
                if {"token": []} in schemes and {"account": []} not in schemes:
                    schemes.append({"account": []})

    return edit
