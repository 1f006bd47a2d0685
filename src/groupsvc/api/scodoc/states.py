"""Rolls restricted to a state of inscription, as ScoDoc asks for them: ``?etat=``."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from groupsvc.api.scodoc.objects import STATES
from groupsvc.documents import State
from groupsvc.services.rolls import RollService

ETAT: dict[str, Any] = {
    "name": "etat",
    "in": "query",
    "description": "Enrolled, resigned or defaulting; all of them without",
    "schema": {"type": "string", "enum": list(STATES)},
}


async def roll_service(request: Request) -> RollService:
    return RollService(request.state.uow, request.state.principal)


RollServiceDep = Annotated[RollService, Depends(roll_service)]


def asked_state(request: Request) -> State | None:
    """Raises HTTPException 400 for anything but a state, nothing at all excepted."""
    given = request.query_params.getlist("etat")
    if not given:
        return None
    if given[0] not in STATES:
        raise HTTPException(400, "etat: valeur invalide")
    return STATES[given[0]]
