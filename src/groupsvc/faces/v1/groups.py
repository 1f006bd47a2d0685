"""Groups of a partition."""

from collections import Counter
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from groupsvc.faces.v1.endpoints import JSON, IfMatchDep, Resource
from groupsvc.faces.v1.list_schemas import (
    AnyOrderIn,
    GroupPatternIn,
    GroupPatternOut,
    NewGroups,
    order_of,
)
from groupsvc.faces.v1.routing import Routes, created
from groupsvc.faces.v1.schemas import AsOf, GroupIn, GroupOut, GroupPatch, PartitionOut, PathId
from groupsvc.http.dependencies import GroupPatternServiceDep, GroupServiceDep

routes = Routes("groups")


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """A content link is one member here and two columns in the table."""
    if "content_link" in values:
        link: dict[str, int] = values.pop("content_link") or {}
        values["content_partition_id"] = link.get("content_partition_id")
        values["content_group_id"] = link.get("content_group_id")
    return values


@routes.post(
    "/partitions/{partition_id:int}/groups",
    "Create a group",
    GroupOut,
    status=201,
    location="/v1/groups/{id}",
)
async def create_group(
    partition_id: PathId,
    body: NewGroups,
    groups: GroupServiceDep,
    patterns: GroupPatternServiceDep,
) -> Resource | Response:
    """Create a group at the end, or at a position while the others move back.

    A body with `pattern` instead of `name` makes many groups, and is answered as `create_groups`.
    """
    if isinstance(body, GroupPatternIn):
        return await create_groups(partition_id, body, patterns)
    values = body.model_dump(exclude={"name", "position"})
    return await groups.create(partition_id, body.name, place=body.position, **_columns(values))


@routes.post(
    "/partitions/{partition_id:int}/groups/by-pattern",
    "Create many groups by a pattern",
    GroupPatternOut,
    responses=created(GroupPatternOut),
)
async def create_groups(
    partition_id: PathId, body: GroupPatternIn, patterns: GroupPatternServiceDep
) -> Response:
    """`TD #` with `count` 4 makes TD 1 to TD 4 at the end of the partition; `TP @` takes letters.

    Those that exist already count and stay as they are. `dry_run` answers the same and writes
    nothing.
    """
    given = body.model_dump()
    results, written = await patterns.create(partition_id, **given)
    counts = Counter(each.result for each in results)
    answer = {"written": written, "counts": counts, "groups": results}
    return Response(to_json(answer), 201 if written else 200, media_type=JSON)


@routes.post(
    "/courses/{course_id:int}/cohorts",
    "Create a cohort",
    GroupOut,
    status=201,
    location="/v1/groups/{id}",
)
async def create_cohort(course_id: PathId, body: GroupIn, groups: GroupServiceDep) -> Resource:
    """Create a group of the cohorts of a course, and with the first one their partition."""
    values = body.model_dump(exclude={"name", "position"})
    return await groups.create_cohort(course_id, body.name, place=body.position, **_columns(values))


@routes.put("/partitions/{partition_id:int}/groups/order", "Put the groups in order", PartitionOut)
async def order_groups(
    partition_id: PathId, body: AnyOrderIn, groups: GroupServiceDep, expected: IfMatchDep
) -> Resource:
    """Takes the ids of all groups in the order wanted; positions become 1 to n.

    `{"by": "name"}` puts them in the natural order of their names: TD 2 before TD 10.
    """
    return await groups.order(partition_id, order_of(body), expected=expected)


@routes.get("/groups/{group_id:int}", "A group", GroupOut)
async def get_group(group_id: PathId, groups: GroupServiceDep, as_of: AsOf = None) -> Resource:
    """A group without its members. With `as_of`, what it was then, also of a deleted one."""
    return await groups.read(group_id, as_of=as_of)


@routes.patch("/groups/{group_id:int}", "Rename a group or set its limits", GroupOut)
async def edit_group(
    group_id: PathId, body: GroupPatch, groups: GroupServiceDep, expected: IfMatchDep
) -> Resource:
    """A merge: what is not named stays as it is, null clears.

    A capacity below the number of members is refused.
    """
    return await groups.edit(group_id, _columns(body.given()), expected=expected)


@routes.delete("/groups/{group_id:int}", "Delete a group")
async def delete_group(group_id: PathId, groups: GroupServiceDep, expected: IfMatchDep) -> None:
    """The memberships end, each with its line in the change log; the users stay enrolled."""
    await groups.delete(group_id, expected=expected)
