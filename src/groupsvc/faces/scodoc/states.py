"""Rolls restricted to a state of inscription, as ScoDoc asks for them: ``?etat=``."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from groupsvc.core.class_lists.service import ClassListService
from groupsvc.domain.json_resource import State
from groupsvc.faces.scodoc.serializers import STATES
from groupsvc.http.routing import bound

ETAT: dict[str, Any] = {
    "name": "etat",
    "in": "query",
    "description": "Enrolled, resigned or defaulting; all of them without",
    "schema": {"type": "string", "enum": list(STATES)},
}


ClassListServiceDep = Annotated[ClassListService, Depends(bound(ClassListService))]


def asked_state(request: Request) -> State | None:
    """Raises HTTPException 400 for anything but a state, nothing at all excepted."""
    given = request.query_params.getlist("etat")
    if not given:
        return None
    if given[0] not in STATES:
        raise HTTPException(400, "etat: valeur invalide")
    return STATES[given[0]]
