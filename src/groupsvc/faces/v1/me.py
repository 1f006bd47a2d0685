"""The caller himself."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.accounts.me import CallerService
from groupsvc.faces.v1.account_schemas import MeOut
from groupsvc.faces.v1.schemas import MyGroup
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import MembershipServiceDep
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["me"])

ANY_CALLER = Depends(Requires(None))


async def caller_service(request: Request) -> CallerService:
    return CallerService(request.state.uow, request.state.principal)


CallerServiceDep = Annotated[CallerService, Depends(caller_service)]


@router.get(
    "/me",
    operation_id="get_me",
    summary="Who am I?",
    response_model=MeOut,
    responses=problem_responses(401, 503),
    dependencies=[ANY_CALLER],
)
async def get_me(request: Request, callers: CallerServiceDep) -> Response:
    """The caller, his grants, and his entry in the roster if his token names one."""
    return resource_response(request, await callers.me())


@router.get(
    "/me/groups",
    operation_id="list_my_groups",
    summary="My groups",
    response_model=list[MyGroup],
    responses=problem_responses(401, 503),
    dependencies=[ANY_CALLER],
)
async def list_my_groups(request: Request, memberships: MembershipServiceDep) -> Response:
    """The caller's groups over all courses, by course and partition."""
    return resource_response(request, await memberships.mine())
