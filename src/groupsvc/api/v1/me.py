"""The caller himself."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.api.access import Requires
from groupsvc.api.answers import document_answer
from groupsvc.api.deps import MembershipServiceDep
from groupsvc.api.problems import problem_responses
from groupsvc.api.units import UnitRoute
from groupsvc.api.v1.account_schemas import MeOut
from groupsvc.api.v1.schemas import MyGroup
from groupsvc.services.callers import CallerService

router = APIRouter(prefix="/v1", route_class=UnitRoute, tags=["me"])

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
    return document_answer(request, await callers.me())


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
    return document_answer(request, await memberships.mine())
