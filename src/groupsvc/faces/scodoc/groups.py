"""Groups of a partition, checked as in docs/compat/scodoc.md, "Order of checks"."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.partitions.service import PartitionService
from groupsvc.domain.errors import InvalidError, NameTakenError
from groupsvc.domain.json_resource import GroupDoc
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.reading import read_ids, read_object
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import (
    ORDER,
    DoneOut,
    GroupEdit,
    GroupIn,
    GroupWithPartitionOut,
    PartitionWithGroupsOut,
)
from groupsvc.http.dependencies import GroupServiceDep, PartitionServiceDep

router = DialectRouter("groups")

LONGEST = 63
NAME_MISSING = "missing group name or invalid data format"
NAME_INVALID = "invalid group_name"
EDT_ID_INVALID = "invalid edt_id"
ORDER_INVALID = "paramètre liste de groupe invalide"


@router.write(
    "/partition/{partition_id:int}/group/create",
    GroupWithPartitionOut,
    "Create a group",
    body=GroupIn,
)
async def create_group(
    request: Request, partition_id: Id, groups: GroupServiceDep, partitions: PartitionServiceDep
) -> Response:
    """The name is trimmed, and unique in the partition."""
    await groups.open_partition(partition_id)
    given = read_object(request, NAME_MISSING)
    if given.get("group_name") is None:
        raise HTTPException(400, NAME_MISSING)
    with _naming():
        document = await groups.create(
            partition_id,
            given["group_name"],
            position=serializers.position(0),
            longest=LONGEST,
            timetable_id=given.get("edt_id") if given.get("edt_id") != "" else None,
        )
    return await _answer(document.data, partitions)


@router.write("/group/{group_id:int}/delete", DoneOut, "Delete a group")
async def delete_group(group_id: Id, groups: GroupServiceDep) -> Response:
    """With its memberships; the students stay in the formsemestre."""
    await groups.delete(group_id)
    return serializers.answer({"OK": True})


@router.write("/group/{group_id:int}/edit", GroupWithPartitionOut, "Rename a group", body=GroupEdit)
async def edit_group(
    request: Request, group_id: Id, groups: GroupServiceDep, partitions: PartitionServiceDep
) -> Response:
    """Null and what is not named stay as they are."""
    await groups.get_editable(group_id, to_rename=True)
    given = read_object(request)
    changes: dict[str, Any] = {}
    if given.get("group_name") is not None:
        changes["name"] = given["group_name"]
    if given.get("edt_id") is not None:
        changes["timetable_id"] = given["edt_id"] if given["edt_id"] != "" else None
    with _naming():
        document = await groups.edit(group_id, changes, longest=LONGEST)
    return await _answer(document.data, partitions)


@router.write(
    "/group/{group_id:int}/set_edt_id/{edt_id}",
    GroupWithPartitionOut,
    "Give a group its id in the timetable system",
)
async def set_edt_id(
    group_id: Id, edt_id: str, groups: GroupServiceDep, partitions: PartitionServiceDep
) -> Response:
    """Whether or not the groups of the partition are editable."""
    await groups.get_editable(group_id)
    with _naming():
        document = await groups.edit(group_id, {"timetable_id": edt_id}, longest=LONGEST)
    return await _answer(document.data, partitions)


@router.write(
    "/partition/{partition_id:int}/groups/order",
    PartitionWithGroupsOut,
    "Put the groups in order",
    body=ORDER,
)
async def order_groups(
    request: Request, partition_id: Id, groups: GroupServiceDep, partitions: PartitionServiceDep
) -> Response:
    """Those that are not named follow, in the order they had."""
    await partitions.get_editable(partition_id)
    ids = read_ids(request, ORDER_INVALID)
    document = await groups.order(partition_id, ids, partial=True)
    return serializers.answer(serializers.partition_with_groups(document.data))


async def _answer(doc: GroupDoc, partitions: PartitionService) -> Response:
    within = await partitions.reload(doc["partition_id"])
    return serializers.answer(serializers.group_with_partition(doc, within.data))


@contextmanager
def _naming() -> Generator[None]:
    """Refusals of the name and of the timetable id in ScoDoc's words."""
    try:
        yield
    except NameTakenError as error:
        raise HTTPException(400, NAME_INVALID) from error
    except InvalidError as error:
        is_edt_id = error.facts.get("pointer") == "#/timetable_id"
        raise HTTPException(400, EDT_ID_INVALID if is_edt_id else NAME_INVALID) from error
