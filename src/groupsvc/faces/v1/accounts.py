"""Local accounts of machines."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.accounts.service import AccountService, Declared
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.account_schemas import AccountIn, AccountOut, NewAccountOut
from groupsvc.faces.v1.schemas import PageOut
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import Cursor, IfMatchDep, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["accounts"])

ADMIN = Depends(Requires(Permission.ADMIN))
WRITE_ERRORS = problem_responses(400, 401, 403, 409, 412, 415, 422, 503)


async def account_service(request: Request) -> AccountService:
    return AccountService(request.state.uow, request.state.principal)


AccountServiceDep = Annotated[AccountService, Depends(account_service)]


@router.get(
    "/accounts",
    operation_id="list_accounts",
    summary="Accounts",
    response_model=PageOut[AccountOut],
    responses=problem_responses(401, 403, 422, 503),
    dependencies=[ADMIN],
)
async def list_accounts(
    request: Request, accounts: AccountServiceDep, limit: Limit = None, cursor: Cursor = None
) -> Response:
    """By name. Accounts are for whoever administers everywhere."""
    (after,) = decode_cursor(cursor, (str,)) or ("",)
    return page_response(request, await accounts.page(after=after, limit=page_size(request, limit)))


@router.get(
    "/accounts/{name}",
    operation_id="get_account",
    summary="An account",
    response_model=AccountOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[ADMIN],
)
async def get_account(request: Request, name: str, accounts: AccountServiceDep) -> Response:
    """What it may do; nobody can read its secret."""
    return resource_response(request, await accounts.read(name))


@router.put(
    "/accounts/{name}",
    operation_id="put_account",
    summary="Create or replace an account",
    response_model=AccountOut,
    responses=WRITE_ERRORS | {201: {"model": NewAccountOut, "description": "Created"}},
    dependencies=[ADMIN],
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


@router.delete(
    "/accounts/{name}",
    operation_id="delete_account",
    summary="Delete an account",
    status_code=204,
    responses=problem_responses(401, 403, 404, 412, 503),
    dependencies=[ADMIN],
)
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
