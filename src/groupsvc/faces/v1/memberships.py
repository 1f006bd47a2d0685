"""Who is in which group, now and then."""

from typing import Annotated

from fastapi import Query

from groupsvc.domain.json_resource import Page
from groupsvc.faces.v1.endpoints import Paging, Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import (
    AsOf,
    AssignmentOut,
    GroupOfUser,
    MemberOut,
    MyGroup,
    PageOut,
    PastGroupOfUser,
    PastMemberOut,
    PathId,
    State,
)
from groupsvc.http.dependencies import MembershipServiceDep

routes = Routes("memberships")

InState = Annotated[State | None, Query(description="Only users enrolled in this state")]


@routes.get(
    "/groups/{group_id:int}/members",
    "The members of a group",
    PageOut[MemberOut] | PageOut[PastMemberOut],
)
async def list_members(
    group_id: PathId,
    memberships: MembershipServiceDep,
    page: Paging,
    state: InState = None,
    as_of: AsOf = None,
) -> Page:
    """By user id. With `as_of`, those who were members at that time, also of a deleted group."""
    (after,) = page.after(0)
    return await memberships.in_group(
        group_id, state=state, as_of=as_of, after=after, limit=page.limit
    )


@routes.put(
    "/groups/{group_id:int}/members/{user_id:int}", "Put a user into a group", AssignmentOut
)
async def assign_member(
    group_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> AssignmentOut:
    """Assigns the user, or moves them from another group of the partition and says from which."""
    outcome = await memberships.assign(group_id, user_id)
    return AssignmentOut(
        course_id=outcome.course_id,
        partition_id=outcome.partition_id,
        group_id=group_id,
        user_id=user_id,
        changed=outcome.changed,
        previous_group_id=outcome.previous_group_id,
    )


@routes.delete("/groups/{group_id:int}/members/{user_id:int}", "Take a user out of a group")
async def remove_member(
    group_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> None:
    """No error and no change when the user is not in it."""
    await memberships.remove(group_id, user_id)


@routes.delete(
    "/partitions/{partition_id:int}/members/{user_id:int}",
    "Take a user out of a partition",
)
async def leave_partition(
    partition_id: PathId, user_id: PathId, memberships: MembershipServiceDep
) -> None:
    """No error and no change when the user is in none."""
    await memberships.leave(partition_id, user_id)


@routes.get(
    "/partitions/{partition_id:int}/unassigned",
    "Enrolled users who are in no group",
    PageOut[MemberOut],
)
async def list_unassigned(
    partition_id: PathId, memberships: MembershipServiceDep, page: Paging, state: InState = None
) -> Page:
    """By user id."""
    (after,) = page.after(0)
    return await memberships.in_no_group(partition_id, state=state, after=after, limit=page.limit)


@routes.get(
    "/courses/{course_id:int}/users/{user_id:int}/groups",
    "The groups of a user in a course",
    list[GroupOfUser] | list[PastGroupOfUser],
)
async def list_user_course_groups(
    course_id: PathId, user_id: PathId, memberships: MembershipServiceDep, as_of: AsOf = None
) -> Resource:
    """In the order of the partitions. With `as_of`, as they were, under the names of that time."""
    return await memberships.of_user_in_course(course_id, user_id, as_of)


@routes.get("/users/{user_id:int}/groups", "The groups of a user over all courses", list[MyGroup])
async def list_user_groups(user_id: PathId, memberships: MembershipServiceDep) -> Resource:
    """Those in courses that the caller may read, by course key."""
    return await memberships.of_user(user_id)
