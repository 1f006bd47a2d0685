"""From our representations to ScoDoc's objects.

``numero`` counts from 0 where ``position`` counts from 1. The default partition has no place in
the list: it and its group are always 0.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json
from starlette.responses import Response

from groupsvc.domain.json_resource import GroupDoc, PartitionDoc, PersonDoc, PlacedGroupDoc, State

Json = dict[str, Any]

STATES: dict[str, State] = {"I": "active", "D": "withdrawn", "DEF": "defaulted"}
ETATS: dict[State | None, str | None] = {state: etat for etat, state in STATES.items()}


def answer(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


def answer_partitions(body: bytes) -> Response:
    """The partitions of a course, from our own list of them."""
    return Response(_translated(body), media_type="application/json")


# Clients ask again and again for what has not changed, and the same bytes mean the same.
@lru_cache(maxsize=500)
def _translated(body: bytes) -> bytes:
    return to_json(partitions_by_id(from_json(body)))


def position(numero: int) -> int:
    return numero + 1


def _numero(name: str | None, position: int) -> int:
    return position - 1 if name is not None else 0


def partition(doc: PartitionDoc) -> Json:
    """A partition without its groups."""
    return {
        "id": doc["id"],
        "partition_id": doc["id"],
        "formsemestre_id": doc["course_id"],
        "partition_name": doc["name"],
        "numero": _numero(doc["name"], doc["position"]),
        "bul_show_rank": doc["show_rank_on_report"],
        "show_in_lists": doc["show_in_lists"],
        "groups_editable": doc["groups_editable"],
    }


def group(doc: GroupDoc) -> Json:
    """A group without its partition."""
    return {
        "id": doc["id"],
        "partition_id": doc["partition_id"],
        "group_name": doc["name"],
        "name": doc["name"],
        "numero": _numero(doc["name"], doc["position"]),
        "edt_id": doc["timetable_id"],
    }


def partition_with_groups(doc: PartitionDoc) -> Json:
    return {**partition(doc), "groups": {str(each["id"]): group(each) for each in doc["groups"]}}


def partitions_by_id(docs: Iterable[PartitionDoc]) -> Json:
    return {str(doc["id"]): partition_with_groups(doc) for doc in docs}


def group_with_partition(doc: GroupDoc, within: PartitionDoc) -> Json:
    return {**group(doc), "partition": partition(within)}


def student(doc: PersonDoc) -> Json:
    """The short form."""
    return {
        "id": doc["id"],
        "civilite": doc["civility"],
        "code_nip": doc["student_number"],
        "code_ine": doc["national_number"],
        "nip": doc["student_number"],
        "ine": doc["national_number"],
        "dept_id": doc["department_id"],
        "nom": doc["family_name"],
        "prenom": doc["given_name"],
        "nom_usuel": doc["usual_name"],
        "sort_key": doc["sort_key"],
    }


def student_with_groups(doc: PersonDoc, course_id: int) -> Json:
    own = [placed_group(each, course_id) for each in doc.get("groups", ())]
    return {**student(doc), "groups": own}


def student_at_length(doc: PersonDoc, course_id: int) -> Json:
    """The long form, with the groups: what is known here of a student."""
    return {
        **student(doc),
        "etudid": doc["id"],
        "civilite_etat_civil": doc["civility"],
        "prenom_etat_civil": doc["given_name"],
        "username": doc["username"],
        "email": doc["email"],
        "etat": ETATS.get(doc["state"]),
        "parcours": doc["track"],
        "groups": [placed_group(each, course_id) for each in doc.get("groups", ())],
    }


def placed_group(doc: PlacedGroupDoc, course_id: int) -> Json:
    """A group in a list of somebody's groups: with what tells its partition."""
    return {
        "id": doc["group_id"],
        "group_id": doc["group_id"],
        "group_name": doc["group_name"],
        "partition_id": doc["partition_id"],
        "partition_name": doc["partition_name"],
        "formsemestre_id": course_id,
        "numero": _numero(doc["partition_name"], doc["partition_position"]),
        "bul_show_rank": doc["show_rank_on_report"],
        "show_in_lists": doc["show_in_lists"],
        "groups_editable": doc["groups_editable"],
        "edt_id": doc["timetable_id"],
    }
