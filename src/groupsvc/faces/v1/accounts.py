"""Local accounts of machines."""

import json

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.accounts.service import Declared
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.account_schemas import AccountIn, AccountOut, NewAccountOut
from groupsvc.faces.v1.endpoints import IfMatchDep, Paging, Resource, resource_response
from groupsvc.faces.v1.routing import Routes, created
from groupsvc.faces.v1.schemas import PageOut
from groupsvc.http.dependencies import AccountServiceDep

routes = Routes("accounts")


@routes.get("/accounts", "Accounts", PageOut[AccountOut], permission=Permission.ADMIN)
async def list_accounts(accounts: AccountServiceDep, page: Paging) -> Page:
    """By name. Accounts are for whoever administers everywhere."""
    (after,) = page.after("")
    return await accounts.page(after=after, limit=page.limit)


@routes.get("/accounts/{name}", "An account", AccountOut, permission=Permission.ADMIN)
async def get_account(name: str, accounts: AccountServiceDep) -> Resource:
    """What it may do; nobody can read its secret."""
    return await accounts.read(name)


@routes.put(
    "/accounts/{name}",
    "Create or replace an account",
    AccountOut,
    permission=Permission.ADMIN,
    responses=created(NewAccountOut),
    never=(404,),
)
async def put_account(
    request: Request,
    name: str,
    body: AccountIn,
    accounts: AccountServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Its grants hold for its tokens at once.

    Another secret, or `is_active` false, ends its tokens.
    """
    declared = await accounts.declare(
        name,
        grants=body.grants,
        secret=body.secret.get_secret_value() if body.secret is not None else None,
        username=body.username,
        is_active=body.is_active,
        expected=expected,
    )
    return _declared_answer(request, declared)


@routes.delete("/accounts/{name}", "Delete an account", permission=Permission.ADMIN, never=(409,))
async def delete_account(name: str, accounts: AccountServiceDep, expected: IfMatchDep) -> None:
    """Its tokens are dead at once. What it has changed stays in the journal under its name."""
    await accounts.delete(name, expected=expected)


def _declared_answer(request: Request, declared: Declared) -> Response:
    document = declared.document
    answer = resource_response(
        request,
        document,
        status=201 if declared.created else 200,
        location=f"/v1/accounts/{document.data['name']}",
    )
    if declared.secret is None:
        return answer
    # The tag is the account's, as it will be read: the secret is no part of it.
    body = json.dumps({**document.data, "secret": declared.secret}, ensure_ascii=False)
    headers = {name: answer.headers[name] for name in ("etag", "location")}
    return Response(body, answer.status_code, headers, "application/json")
