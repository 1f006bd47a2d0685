"""Who is in which group, checked as in docs/compat/scodoc.md, "Order of checks"."""

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.errors import ConflictError
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import GroupMemberOut, PartitionMemberOut, StudentOut
from groupsvc.faces.scodoc.states import ETAT, ClassListServiceDep, asked_state
from groupsvc.http.dependencies import MembershipServiceDep

router = DialectRouter("members")


@router.write(
    "/group/{group_id:int}/set_etudiant/{etudid:int}", GroupMemberOut, "Put a student into a group"
)
async def set_etudiant(group_id: Id, etudid: Id, memberships: MembershipServiceDep) -> Response:
    """Out of any other group of the partition. In the default group everybody is already."""
    try:
        await memberships.assign(group_id, etudid, visible_users_only=True, by_known_id=True)
    except ConflictError as error:
        if error.code != "default_partition":
            raise
    return serializers.answer({"group_id": group_id, "etudid": etudid})


@router.write(
    "/group/{group_id:int}/remove_etudiant/{etudid:int}",
    GroupMemberOut,
    "Take a student out of a group",
)
async def group_remove_etud(
    group_id: Id, etudid: Id, memberships: MembershipServiceDep
) -> Response:
    """Nothing happens when they are not in it."""
    await memberships.remove(group_id, etudid, visible_users_only=True, by_known_id=True)
    return serializers.answer({"group_id": group_id, "etudid": etudid})


@router.write(
    "/partition/{partition_id:int}/remove_etudiant/{etudid:int}",
    PartitionMemberOut,
    "Take a student out of whatever group they are in",
)
async def partition_remove_etud(
    partition_id: Id, etudid: Id, memberships: MembershipServiceDep
) -> Response:
    """Nothing happens when they are in none."""
    await memberships.leave(partition_id, etudid, visible_users_only=True, by_known_id=True)
    return serializers.answer({"partition_id": partition_id, "etudid": etudid})


@router.read("/group/{group_id:int}/etudiants", list[StudentOut], "The students of a group")
async def group_etudiants(group_id: Id, rolls: ClassListServiceDep) -> Response:
    """By name, whatever the state of their inscription. The default group has them all."""
    document = await rolls.of_group(group_id)
    return serializers.answer([serializers.student(each) for each in document.data])


@router.read(
    "/group/{group_id:int}/etudiants/query",
    list[StudentOut],
    "The students of a group in a state",
    parameters=[ETAT],
)
async def group_etudiants_query(
    request: Request, group_id: Id, rolls: ClassListServiceDep
) -> Response:
    """By name; all of them without `etat`."""
    document = await rolls.of_group(group_id, state=asked_state(request))
    return serializers.answer([serializers.student(each) for each in document.data])
