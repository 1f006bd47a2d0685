"""From our representations to ScoDoc's objects.

``numero`` counts from 0 where ``position`` counts from 1. The default partition has no place in
the list: it and its group are always 0.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from cachetools import LRUCache
from pydantic_core import from_json, to_json
from starlette.responses import Response

from groupsvc.domain.json_resource import (
    CourseEntry,
    DepartmentEntry,
    GroupDoc,
    PartitionDoc,
    PersonDoc,
    PersonEntry,
    PlacedGroupDoc,
    State,
)

Json = dict[str, Any]

STATES: dict[str, State] = {"I": "active", "D": "withdrawn", "DEF": "defaulted"}
ETATS: dict[State | None, str | None] = {state: etat for etat, state in STATES.items()}


def answer(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")


def answer_partitions(course_id: int, body: bytes) -> Response:
    """The partitions of a course, from our own list of them."""
    kept = _translated.get(course_id)
    if kept is None or kept.body != body:
        kept = Translation(body, to_json(partitions_by_id(from_json(body))))
        _translated.pop(course_id, None)
        if kept.size <= _translated.maxsize:
            _translated[course_id] = kept
    return Response(kept.translated, media_type="application/json")


class Translation(NamedTuple):
    body: bytes
    translated: bytes

    @property
    def size(self) -> int:
        return len(self.body) + len(self.translated)


# Clients ask again and again for what has not changed: the last version of each course, in bytes.
_translated: Final = LRUCache[int, Translation](6_291_456, getsizeof=lambda each: each.size)


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
        "boursier": None,
        "date_naissance": None,
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


def department(doc: DepartmentEntry) -> Json:
    return {
        "id": doc["id"],
        "acronym": doc["acronym"],
        "description": None,
        "dept_name": doc["name"] or None,
        "visible": True,
        "date_creation": doc["created_at"],
    }


def course(doc: CourseEntry) -> Json:
    title = doc["title"] or doc["key"]
    start, end, term = doc["starts_on"], doc["ends_on"], doc["term"]
    return {
        **dict.fromkeys(NOT_OURS),
        "id": doc["id"],
        "formsemestre_id": doc["id"],
        "dept_id": doc["department"]["id"],
        "dept_acronym": doc["department"]["acronym"],
        "departement": department(doc["department"]),
        "etat": not doc["is_locked"],
        "titre": title,
        "titre_num": f"{title} semestre {term}" if term is not None and term > 0 else title,
        "titre_formation": doc["programme"] or title,
        "titre_court": doc["programme"] or title,
        "semestre_id": term,
        "modalite": doc["modality"],
        "date_debut": _french(start),
        "date_debut_iso": start,
        "date_fin": _french(end),
        "date_fin_iso": end,
        "annee_scolaire": int(start[:4]) - (start[5:7] < "08") if start else None,
    }


# Members of a formsemestre that nobody keeps here.
NOT_OURS = (
    *("block_moyennes", "bul_bgcolor", "bul_hide_xml", "elt_annee_apo", "elt_sem_apo"),
    *("ens_can_edit_eval", "etape_apo", "formation", "formation_id", "gestion_compensation"),
    *("gestion_semestrielle", "parcours", "resp_can_change_ens", "resp_can_edit", "responsables"),
    *("scodoc7_id", "session_id"),
)


def person(doc: PersonEntry) -> Json:
    return {
        "id": doc["id"],
        "etudid": doc["id"],
        "civilite": doc["civility"],
        "civilite_etat_civil": doc["civility"],
        "code_nip": doc["student_number"],
        "code_ine": doc["national_number"],
        "dept_id": doc["department_id"],
        "dept_acronym": doc["department"],
        "nom": doc["family_name"],
        "nom_usuel": doc["usual_name"],
        "prenom": doc["given_name"],
        "prenom_etat_civil": doc["given_name"],
        "sort_key": doc["sort_key"],
        "username": doc["username"],
        "email": doc["email"],
        "boursier": None,
        "date_naissance": None,
    }


def _french(day: str | None) -> str | None:
    return "/".join(reversed(day.split("-"))) if day else None
