"""Tokens for local accounts, by OAuth2's client credentials."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from groupsvc.core.accounts.authentication import ACCOUNT
from groupsvc.core.accounts.service import AccountService
from groupsvc.domain.principal import Principal
from groupsvc.faces.v1.account_schemas import OAuthErrorOut, TokenOut
from groupsvc.http import oauth
from groupsvc.http.dependencies import AccountServiceDep
from groupsvc.http.documents import headers
from groupsvc.http.oauth import (
    CLIENT,
    NOT_KEPT,
    OAuthError,
    OAuthRoute,
    credentials,
    first_right,
    form_body,
    read_form,
    require_client_credentials,
)
from groupsvc.http.problems import problem_responses
from groupsvc.http.routing import Public, app_state, bearer

router = APIRouter(prefix="/v1", route_class=OAuthRoute, tags=["tokens"])

ANYBODY = Depends(Public())
ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthErrorOut, "description": "Not a request that OAuth2 knows"},
    401: {
        "model": OAuthErrorOut,
        "description": "Not an account, or not its secret",
        **headers("WWW-Authenticate"),
    },
    **problem_responses(413, 414, 415, 429, 503),
}


@router.post(
    "/token",
    operation_id="issue_token",
    summary="A token for an account",
    response_model=TokenOut,
    responses=ERRORS,
    dependencies=[ANYBODY],
    openapi_extra=form_body(
        grant_type={"required": True, "enum": ["client_credentials"]}, **CLIENT
    ),
)
async def issue_token(request: Request, accounts: AccountServiceDep) -> Response:
    """OAuth2 client credentials (RFC 6749, section 4.4): a form, never JSON.

    The name and the secret of the account go into the form or into HTTP Basic. A token carries
    all grants of its account, so no scope can be asked for. Tokens issued before stay valid.
    """
    form = await read_form(request)
    require_client_credentials(form)
    if "scope" in form:
        raise OAuthError("invalid_scope", "a token carries all grants of its account")
    token, seconds = await oauth.issue_token(request, form, accounts)
    answer = TokenOut(access_token=token, token_type="Bearer", expires_in=seconds)  # noqa: S106 - no secret
    return JSONResponse(answer.model_dump(), headers=NOT_KEPT)


@router.post(
    "/token/revoke",
    operation_id="revoke_token",
    summary="End a token",
    response_class=Response,
    responses=ERRORS,
    dependencies=[ANYBODY],
    openapi_extra=form_body(
        token={"required": True}, token_type_hint={"description": "Not looked at"}, **CLIENT
    ),
)
async def revoke_token(request: Request) -> Response:
    """RFC 7009. The caller is the token's account, by its secret or by one of its tokens.

    A token that is unknown, over or another account's is no error, and nothing is done.
    """
    form = await read_form(request)
    if "token" not in form:
        raise OAuthError("invalid_request", "token is missing")
    caller = await _account(request, form)
    if form["token"].count(".") == 2:
        raise OAuthError("unsupported_token_type", "only its issuer can end a signed token")
    await AccountService(request.state.uow, caller).revoke(form["token"])
    return Response(headers=NOT_KEPT)


async def _account(request: Request, form: Mapping[str, str]) -> Principal:
    authenticator, uow = app_state(request).authenticator, request.state.uow
    token = bearer(request)
    if token is None:

        async def check(name: str, secret: str, *, counts: bool) -> Principal:
            return await authenticator.account(uow, name, secret, counts=counts)

        return await first_right(credentials(request, form), check)
    caller = await authenticator.principal(uow, token)
    if not caller.subject.startswith(ACCOUNT):
        raise OAuthError("invalid_client", "the caller is not an account")
    return caller
