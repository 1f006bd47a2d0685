"""Partitions of a course."""

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import IfMatchDep, Resource
from groupsvc.faces.v1.list_schemas import AnyOrderIn, order_of
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import (
    AsOf,
    PartitionIn,
    PartitionOut,
    PartitionPatch,
    PathId,
    TracksIn,
)
from groupsvc.http.dependencies import PartitionServiceDep

routes = Routes("partitions")


@routes.get("/courses/{course_id:int}/partitions", "The partitions of a course", list[PartitionOut])
async def list_partitions(course_id: PathId, partitions: PartitionServiceDep) -> Resource:
    """All partitions in order, each with its groups in order; never the default one."""
    return await partitions.in_course(course_id)


@routes.post(
    "/courses/{course_id:int}/partitions",
    "Create a partition",
    PartitionOut,
    status=201,
    location="/v1/partitions/{id}",
)
async def create_partition(
    course_id: PathId, body: PartitionIn, partitions: PartitionServiceDep
) -> Resource:
    """Create a partition at the end, or at a position while the others move back."""
    return await partitions.create(
        course_id,
        body.name,
        place=body.position,
        groups_editable=body.groups_editable,
        show_in_lists=body.show_in_lists,
        show_rank_on_report=body.show_rank_on_report,
    )


@routes.put(
    "/courses/{course_id:int}/partitions/order", "Put the partitions in order", list[PartitionOut]
)
async def order_partitions(
    course_id: PathId, body: AnyOrderIn, partitions: PartitionServiceDep, expected: IfMatchDep
) -> Resource:
    """Takes the ids of all partitions in the order wanted; positions become 1 to n.

    `{"by": "name"}` puts them in the natural order of their names.
    """
    return await partitions.order(course_id, order_of(body), expected=expected)


@routes.put(
    "/courses/{course_id:int}/tracks",
    "Declare the tracks of a course",
    PartitionOut,
    permission=Permission.ROSTER_WRITE,
)
async def put_tracks(
    course_id: PathId, body: TracksIn, partitions: PartitionServiceDep, expected: IfMatchDep
) -> Resource:
    """One group for each code, in the course's one tracks partition.

    Membership in such a group is the track of the enrollment. Codes that are no longer named lose
    their group, and its members their track.
    """
    return await partitions.set_tracks(course_id, body.name, body.codes, expected=expected)


@routes.get(
    "/courses/{course_id:int}/default-partition", "The default partition of a course", PartitionOut
)
async def get_default_partition(course_id: PathId, partitions: PartitionServiceDep) -> Resource:
    """Its one group has everybody who is enrolled. Neither has a name; both stay."""
    return await partitions.default_of(course_id)


@routes.get("/partitions/{partition_id:int}", "A partition with its groups", PartitionOut)
async def get_partition(
    partition_id: PathId, partitions: PartitionServiceDep, as_of: AsOf = None
) -> Resource:
    """A partition with its groups in order. With `as_of`, as it was, also if it is deleted."""
    return await partitions.read(partition_id, as_of=as_of)


@routes.patch("/partitions/{partition_id:int}", "Rename a partition or set its flags", PartitionOut)
async def edit_partition(
    partition_id: PathId,
    body: PartitionPatch,
    partitions: PartitionServiceDep,
    expected: IfMatchDep,
) -> Resource:
    """A merge: what is not named stays as it is."""
    return await partitions.edit(partition_id, body.given(), expected=expected)


@routes.delete("/partitions/{partition_id:int}", "Delete a partition with its groups")
async def delete_partition(
    partition_id: PathId, partitions: PartitionServiceDep, expected: IfMatchDep
) -> None:
    """The memberships end, each with its line in the change log; the users stay enrolled."""
    await partitions.delete(partition_id, expected=expected)
