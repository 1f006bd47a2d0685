"""What the group editor keeps for a formsemestre: stored and returned as it is."""

from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.courses.auto_assignment_service import AutoAssignmentService
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.reading import read_text
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import DOCUMENT, DoneOut
from groupsvc.http.routing import bound

router = DialectRouter("auto assignment")

LARGEST: Final = 1_048_576


AutoAssignmentServiceDep = Annotated[AutoAssignmentService, Depends(bound(AutoAssignmentService))]


@router.read(
    "/formsemestre/{formsemestre_id:int}/get_groups_auto_assignment",
    Any,
    "What the group editor has saved",
)
async def get_groups_auto_assignment(
    formsemestre_id: Id, documents: AutoAssignmentServiceDep
) -> Response:
    """As it was saved, to the byte; an empty object before that."""
    document = await documents.read(formsemestre_id)
    return Response(document.body, media_type="application/json")


@router.write(
    "/formsemestre/{formsemestre_id:int}/save_groups_auto_assignment",
    DoneOut,
    "Keep something for the group editor",
    body=DOCUMENT,
)
async def save_groups_auto_assignment(
    request: Request, formsemestre_id: Id, documents: AutoAssignmentServiceDep
) -> Response:
    """Any JSON of at most one mebibyte."""
    await documents.check_editable(formsemestre_id)
    if len(request.state.body) > LARGEST:
        raise HTTPException(413, "data too large")
    text, _ = read_text(request)
    await documents.save(formsemestre_id, text)
    return serializers.answer({"OK": True})
