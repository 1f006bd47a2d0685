"""Tokens where the clients of the platform ask for them."""

from typing import Final

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from groupsvc.faces.openedx.errors import OAUTH
from groupsvc.faces.openedx.refusals import refusal
from groupsvc.faces.openedx.schemas import OAuthErrorOut, TokenOut
from groupsvc.http import oauth
from groupsvc.http.dependencies import AccountServiceDep
from groupsvc.http.documents import headers
from groupsvc.http.routing import Public

router = APIRouter(route_class=oauth.OAuthRoute, tags=["tokens"])

DEFAULT_SCOPE: Final = "read write"


async def access_token(request: Request, accounts: AccountServiceDep) -> Response:
    """OAuth2 client credentials: the name and the secret of an account, in a form.

    With `token_type=jwt` the answer names the scheme `JWT`; both schemes take the same token. A
    token carries all grants of its account, whatever `scope` asks for.
    """
    form = await oauth.read_form(request)
    oauth.require_client_credentials(form)
    token, seconds = await oauth.issue_token(request, form, accounts)
    answer = TokenOut(
        access_token=token,
        token_type="JWT" if form.get("token_type", "").lower() == "jwt" else "Bearer",
        expires_in=seconds,
        scope=form.get("scope", DEFAULT_SCOPE),
    )
    return JSONResponse(answer.model_dump(), headers=oauth.NOT_KEPT)


for path in ("/access_token", "/access_token/"):
    router.add_api_route(
        path,
        access_token,
        methods=["POST"],
        operation_id="access_token",
        summary="A token for an account",
        response_model=TokenOut,
        responses={
            400: {"model": OAuthErrorOut, "description": "Not a request that OAuth2 knows"},
            401: {
                "model": OAuthErrorOut,
                "description": "Not an account, or not its secret",
                **headers("WWW-Authenticate"),
            },
            **{each: refusal(f"{OAUTH}{path}", each) for each in (413, 414, 415, 429, 503)},
        },
        dependencies=[Depends(Public())],
        include_in_schema=not path.endswith("/"),
        openapi_extra=oauth.form_body(
            grant_type={"required": True, "enum": ["client_credentials"]},
            token_type={"enum": ["jwt", "bearer"]},
            scope={"description": "Returned as it comes"},
            **oauth.CLIENT,
        ),
    )
