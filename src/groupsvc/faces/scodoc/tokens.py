"""Tokens for accounts. They serve both prefixes, and there is one place to get them."""

import base64
import binascii

from fastapi import APIRouter, Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.accounts.authentication import ACCOUNT
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.access import Everywhere
from groupsvc.faces.scodoc.routing import ScodocRoute, refusals
from groupsvc.faces.scodoc.schemas import TokenOut
from groupsvc.http.application import Document
from groupsvc.http.dependencies import AccountServiceDep
from groupsvc.http.routing import Public, app_state, bearer

router = APIRouter(prefix="/api", route_class=ScodocRoute, tags=["tokens"])


@router.post(
    "/tokens",
    operation_id="get_token",
    summary="Get a token",
    response_model=TokenOut,
    responses=refusals(401, 414, 429, 503),
    dependencies=[Depends(Public())],
    openapi_extra={"security": [{"login": []}]},
)
async def get_token(request: Request, accounts: AccountServiceDep) -> Response:
    """For the login and the secret of an account, by HTTP Basic.

    Tokens that were asked for before stay valid for as long as they live.
    """
    login, secret = _credentials(request)
    token, _ = await accounts.issue(
        login, secret, lifetime=app_state(request).settings.token_lifetime
    )
    return serializers.answer({"token": token})


@router.delete(
    "/tokens",
    operation_id="revoke_token",
    summary="End the token",
    status_code=204,
    responses=refusals(400, 401, 414, 429, 503),
    dependencies=[Depends(Everywhere(None))],
)
async def revoke_token(request: Request, accounts: AccountServiceDep) -> Response:
    """The one that the request itself carries."""
    if not request.state.subject.startswith(ACCOUNT):
        raise HTTPException(400, "ce jeton n'a pas été émis ici")
    await accounts.revoke(bearer(request) or "")
    return Response(status_code=204)


def _credentials(request: Request) -> tuple[str, str]:
    """Raises UnauthenticatedError with code ``invalid_client``."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(given.strip(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    login, colon, secret = _text(decoded).partition(":")
    if scheme.lower() != "basic" or not colon:
        raise UnauthenticatedError("send a login and a secret", code="invalid_client")
    return login, secret


def _text(given: bytes) -> str:
    """Most clients send UTF-8, some what their own system writes."""
    try:
        return given.decode()
    except UnicodeDecodeError:
        return given.decode("latin-1")


def offer_login(document: Document) -> None:
    """Document how to get the token that all other routes ask for."""
    document["components"]["securitySchemes"]["login"] = {
        "type": "http",
        "scheme": "basic",
        "description": "Login and secret of an account, to get a token",
    }
