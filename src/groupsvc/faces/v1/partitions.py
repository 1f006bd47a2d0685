"""Partitions of a course."""

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import (
    OrderIn,
    PartitionIn,
    PartitionOut,
    PartitionPatch,
    PathId,
    TracksIn,
)
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import IDEMPOTENT, IfMatchDep, PartitionServiceDep
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["partitions"])

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))
ROSTER = Depends(Requires(Permission.ROSTER_WRITE))
WRITE_ERRORS = problem_responses(400, 401, 403, 404, 409, 415, 422, 503)


@router.get(
    "/courses/{course_id:int}/partitions",
    operation_id="list_partitions",
    summary="The partitions of a course",
    response_model=list[PartitionOut],
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[READER],
)
async def list_partitions(
    request: Request, course_id: PathId, partitions: PartitionServiceDep
) -> Response:
    """All partitions in order, each with its groups in order; never the default one."""
    return resource_response(request, await partitions.in_course(course_id))


@router.post(
    "/courses/{course_id:int}/partitions",
    operation_id="create_partition",
    summary="Create a partition",
    response_model=PartitionOut,
    status_code=201,
    responses=WRITE_ERRORS,
    dependencies=[WRITER, IDEMPOTENT],
)
async def create_partition(
    request: Request, course_id: PathId, body: PartitionIn, partitions: PartitionServiceDep
) -> Response:
    """Create a partition at the end, or at a position while the others move back."""
    document = await partitions.create(
        course_id,
        body.name,
        place=body.position,
        groups_editable=body.groups_editable,
        show_in_lists=body.show_in_lists,
        show_rank_on_report=body.show_rank_on_report,
    )
    location = f"/v1/partitions/{document.data['id']}"
    return resource_response(request, document, status=201, location=location)


@router.put(
    "/courses/{course_id:int}/partitions/order",
    operation_id="order_partitions",
    summary="Put the partitions in order",
    response_model=list[PartitionOut],
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[WRITER],
)
async def order_partitions(
    request: Request,
    course_id: PathId,
    body: OrderIn,
    partitions: PartitionServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Takes the ids of all partitions in the order wanted; positions become 1 to n."""
    document = await partitions.order(course_id, body.ids, expected=expected)
    return resource_response(request, document)


@router.put(
    "/courses/{course_id:int}/tracks",
    operation_id="put_tracks",
    summary="Declare the tracks of a course",
    response_model=PartitionOut,
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[ROSTER],
)
async def put_tracks(
    request: Request,
    course_id: PathId,
    body: TracksIn,
    partitions: PartitionServiceDep,
    expected: IfMatchDep,
) -> Response:
    """One group for each code, in the course's one tracks partition.

    Membership in such a group is the track of the enrollment. Codes that are no longer named lose
    their group, and its members their track.
    """
    document = await partitions.set_tracks(course_id, body.name, body.codes, expected=expected)
    return resource_response(request, document)


@router.get(
    "/partitions/{partition_id:int}",
    operation_id="get_partition",
    summary="A partition with its groups",
    response_model=PartitionOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[READER],
)
async def get_partition(
    request: Request, partition_id: PathId, partitions: PartitionServiceDep
) -> Response:
    """A partition with its groups in order."""
    return resource_response(request, await partitions.read(partition_id))


@router.patch(
    "/partitions/{partition_id:int}",
    operation_id="edit_partition",
    summary="Rename a partition or set its flags",
    response_model=PartitionOut,
    responses=WRITE_ERRORS | problem_responses(412),
    dependencies=[WRITER],
)
async def edit_partition(
    request: Request,
    partition_id: PathId,
    body: PartitionPatch,
    partitions: PartitionServiceDep,
    expected: IfMatchDep,
) -> Response:
    """A merge: what is not named stays as it is."""
    document = await partitions.edit(partition_id, body.given(), expected=expected)
    return resource_response(request, document)


@router.delete(
    "/partitions/{partition_id:int}",
    operation_id="delete_partition",
    summary="Delete a partition with its groups",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[WRITER],
)
async def delete_partition(
    partition_id: PathId, partitions: PartitionServiceDep, expected: IfMatchDep
) -> None:
    """The memberships end, each with its line in the change log; the users stay enrolled."""
    await partitions.delete(partition_id, expected=expected)
