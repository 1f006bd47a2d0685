"""Partitions of a formsemestre, checked as in docs/compat/scodoc.md, "Order of checks"."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.json_resource import PartitionDoc
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.errors import translate_errors
from groupsvc.faces.scodoc.reading import flag, is_same, numero, read_ids, read_object
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import (
    ORDER,
    DoneOut,
    PartitionEdit,
    PartitionIn,
    PartitionOut,
    PartitionWithGroupsOut,
)
from groupsvc.http.dependencies import PartitionServiceDep

router = DialectRouter("partitions")

LONGEST = 31
FLAGS = {"bul_show_rank": False, "show_in_lists": False, "groups_editable": True}
NATIVE = {"bul_show_rank": "show_rank_on_report"}
NAME_MISSING = "missing partition_name or invalid data format"
NAME_INVALID = "invalid partition_name"
ORDER_INVALID = "paramètre liste des partitions invalide"

# What the refusals of the rules are called here, where a name is checked and where all is written.
NAMING = {
    "invalid_name": NAME_INVALID,
    "name_taken": NAME_INVALID,
    "reserved_name": f"{NAME_INVALID} Parcours",
    "default_partition": NAME_INVALID,
    "cohorts_partition": NAME_INVALID,
    "tracks_partition": "can't rename Parcours",
}
WRITING = {
    "invalid_name": NAME_INVALID,
    "name_taken": NAME_INVALID,
    "tracks_partition": "can't change Parcours",
}
DELETING = {"default_partition": "ne peut pas supprimer la partition par défaut"}


@router.read("/partition/{partition_id:int}", PartitionWithGroupsOut, "A partition with its groups")
async def partition(partition_id: Id, partitions: PartitionServiceDep) -> Response:
    """The default partition too."""
    document = await partitions.read(partition_id)
    return serializers.answer(serializers.partition_with_groups(document.data))


@router.read(
    "/formsemestre/{formsemestre_id:int}/partitions",
    dict[str, PartitionWithGroupsOut],
    "The partitions of a formsemestre",
)
async def formsemestre_partitions(formsemestre_id: Id, partitions: PartitionServiceDep) -> Response:
    """By id, in the order of `numero`, without the default partition."""
    document = await partitions.in_course(formsemestre_id)
    return serializers.answer_partitions(formsemestre_id, document.body)


@router.write(
    "/formsemestre/{formsemestre_id:int}/partition/create",
    PartitionWithGroupsOut,
    "Create a partition",
    body=PartitionIn,
)
async def create_partition(
    request: Request, formsemestre_id: Id, partitions: PartitionServiceDep
) -> Response:
    """The name is trimmed, and unique in the formsemestre. `Parcours` is kept."""
    await partitions.get_editable_course(formsemestre_id)
    given = read_object(request, NAME_MISSING)
    name = given.get("partition_name")
    if name is None:
        raise HTTPException(400, NAME_MISSING)
    with translate_errors(NAMING):
        await partitions.check_name(formsemestre_id, name, longest=LONGEST)
    place = serializers.position(numero(given.get("numero", 0)))
    flags = {each: flag(each, given.get(each, default)) for each, default in FLAGS.items()}
    with translate_errors(WRITING):
        document = await partitions.create(
            formsemestre_id,
            name,
            position=place,
            longest=LONGEST,
            show_rank_on_report=flags["bul_show_rank"],
            show_in_lists=flags["show_in_lists"],
            groups_editable=flags["groups_editable"],
        )
    return serializers.answer(serializers.partition_with_groups(document.data))


@router.write(
    "/formsemestre/{formsemestre_id:int}/partitions/order",
    list[PartitionOut],
    "Put the partitions in order",
    body=ORDER,
)
async def order_partitions(
    request: Request, formsemestre_id: Id, partitions: PartitionServiceDep
) -> Response:
    """Those that are not named follow, in the order they had."""
    await partitions.get_editable_course(formsemestre_id)
    ids = read_ids(request, ORDER_INVALID)
    document = await partitions.order(formsemestre_id, ids, partial=True)
    return serializers.answer([serializers.partition(each) for each in document.data])


@router.write(
    "/partition/{partition_id:int}/edit",
    PartitionWithGroupsOut,
    "Change a partition",
    body=PartitionEdit,
)
async def edit_partition(
    request: Request, partition_id: Id, partitions: PartitionServiceDep
) -> Response:
    """All or nothing; null and what is not named stay as they are."""
    held = await partitions.get_editable(partition_id)
    given = read_object(request)
    document = await partitions.reload(partition_id)
    asked = _asked(document.data, given)
    changes: dict[str, Any] = {}
    if "partition_name" in asked:
        with translate_errors(NAMING):
            changes["name"] = await partitions.check_name(
                held.course_id, asked["partition_name"], own=held, longest=LONGEST
            )
    if "numero" in asked:
        changes["position"] = serializers.position(numero(asked["numero"]))
    changes |= {NATIVE.get(name, name): flag(name, asked[name]) for name in FLAGS if name in asked}
    if changes:
        with translate_errors(WRITING):
            document = await partitions.edit(partition_id, changes, longest=LONGEST)
    return serializers.answer(serializers.partition_with_groups(document.data))


@router.write("/partition/{partition_id:int}/delete", DoneOut, "Delete a partition")
async def delete_partition(partition_id: Id, partitions: PartitionServiceDep) -> Response:
    """With its groups and memberships; the students stay in the formsemestre."""
    with translate_errors(DELETING):
        await partitions.delete(partition_id)
    return serializers.answer({"OK": True})


def _asked(doc: PartitionDoc, given: dict[str, Any]) -> dict[str, Any]:
    """What is to be different from now on; what has the value already is not looked at."""
    shown = serializers.partition(doc)
    return {
        name: given[name]
        for name in ("partition_name", "numero", *FLAGS)
        if given.get(name) is not None and not is_same(given[name], shown[name])
    }
