"""Groups of a partition."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import GroupIn, GroupOut, GroupPatch, OrderIn, PartitionOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import IDEMPOTENT, GroupServiceDep, IfMatchDep
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["groups"])

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 415, 422, 503)


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """A content link is one member here and two columns in the table."""
    if "content_link" in values:
        link: dict[str, int] = values.pop("content_link") or {}
        values["content_partition_id"] = link.get("content_partition_id")
        values["content_group_id"] = link.get("content_group_id")
    return values


@router.post(
    "/partitions/{partition_id:int}/groups",
    operation_id="create_group",
    summary="Create a group",
    response_model=GroupOut,
    status_code=201,
    responses=WRITE_ERRORS,
    dependencies=[WRITER, IDEMPOTENT],
)
async def create_group(
    request: Request, partition_id: PathId, body: GroupIn, groups: GroupServiceDep
) -> Response:
    """Create a group at the end, or at a position while the others move back."""
    values = body.model_dump(exclude={"name", "position"})
    document = await groups.create(partition_id, body.name, place=body.position, **_columns(values))
    location = f"/v1/groups/{document.data['id']}"
    return resource_response(request, document, status=201, location=location)


@router.put(
    "/partitions/{partition_id:int}/groups/order",
    operation_id="order_groups",
    summary="Put the groups in order",
    response_model=PartitionOut,
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[WRITER],
)
async def order_groups(
    request: Request,
    partition_id: PathId,
    body: OrderIn,
    groups: GroupServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Takes the ids of all groups in the order wanted; positions become 1 to n."""
    document = await groups.order(partition_id, body.ids, expected=expected)
    return resource_response(request, document)


@router.get(
    "/groups/{group_id:int}",
    operation_id="get_group",
    summary="A group",
    response_model=GroupOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[READER],
)
async def get_group(request: Request, group_id: PathId, groups: GroupServiceDep) -> Response:
    """A group without its members."""
    return resource_response(request, await groups.read(group_id))


@router.patch(
    "/groups/{group_id:int}",
    operation_id="edit_group",
    summary="Rename a group or set its limits",
    response_model=GroupOut,
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[WRITER],
)
async def edit_group(
    request: Request,
    group_id: PathId,
    body: GroupPatch,
    groups: GroupServiceDep,
    expected: IfMatchDep,
) -> Response:
    """A merge: what is not named stays as it is, null clears.

    A capacity below the number of members is refused.
    """
    document = await groups.edit(group_id, _columns(body.given()), expected=expected)
    return resource_response(request, document)


@router.delete(
    "/groups/{group_id:int}",
    operation_id="delete_group",
    summary="Delete a group",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[WRITER],
)
async def delete_group(group_id: PathId, groups: GroupServiceDep, expected: IfMatchDep) -> None:
    """The memberships end, each with its line in the change log; the users stay enrolled."""
    await groups.delete(group_id, expected=expected)
