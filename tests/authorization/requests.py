"""One request for every operation of the three faces, on a scene or on what there is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.tour import TOUR

from .rules import ADDRESSES
from .scenes import Scene

Make = Callable[[Scene], Any]


@dataclass(frozen=True, slots=True)
class Request:
    """``status`` is that of success. ``more`` is what ``httpx`` sends besides."""

    method: str
    path: str
    status: int = 200
    more: Make = lambda _: {}


def _get(path: str) -> Request:
    return Request("GET", path)


def _json(method: str, path: str, body: Make | Any, status: int = 200) -> Request:
    return Request(method, path, status, lambda s: {"json": body(s) if callable(body) else body})


def _post(path: str, body: Make | Any = None) -> Request:
    return _json("POST", path, body)


# Others than those of the tour, where a scene has more on it.
_OWN: Final = {
    "order_partitions": _json("PUT", "/v1/courses/{course}/partitions/order", {"by": "name"}),
    "list_changes": _get("/v1/changes?course_id={course}&kind=course.updated"),
    "delete_enrollment": Request("DELETE", "/v1/courses/{course}/enrollments/{member}", 204),
}
V1: Final[Mapping[str, Request]] = {
    name: Request(visit.method, visit.path, visit.status, visit.payload)
    for name, visit in TOUR.items()
} | _OWN

SCODOC: Final[Mapping[str, Request]] = {
    "departements": _get("/departements"),
    "departements_ids": _get("/departements_ids"),
    "departement": _get("/departement/{department}"),
    "departement_by_id": _get("/departement/id/{department_id}"),
    "dept_etudiants": _get("/departement/{department}/etudiants"),
    "dept_etudiants_by_id": _get("/departement/id/{department_id}/etudiants"),
    "dept_formsemestres": _get("/departement/{department}/formsemestres"),
    "dept_formsemestres_by_id": _get("/departement/id/{department_id}/formsemestres"),
    "dept_formsemestres_courants": _get("/departement/{department}/formsemestres_courants"),
    "dept_formsemestres_courants_by_id": _get(
        "/departement/id/{department_id}/formsemestres_courants"
    ),
    "formsemestre": _get("/formsemestre/{course}"),
    "formsemestres_query": _get("/formsemestres/query?nip=n-{username}"),
    "etudiants_courants": _get("/etudiants/courants?date_courante=2001-10-01"),
    "etudiants_courants_long": _get("/etudiants/courants/long?date_courante=2001-10-01"),
    "etudiants_by_name": _get("/etudiants/name/{word}"),
    "etudiants_search": _get("/etudiants/search/{word}"),
    "etudiants_etudid": _get("/etudiants/etudid/{member}"),
    "etudiants_nip": _get("/etudiants/nip/n-{username}"),
    "etudiants_ine": _get("/etudiants/ine/i-{username}"),
    "etudiant": _get("/etudiant/etudid/{member}"),
    "etudiant_nip": _get("/etudiant/nip/n-{username}"),
    "etudiant_ine": _get("/etudiant/ine/i-{username}"),
    "etudiant_formsemestres": _get("/etudiant/etudid/{member}/formsemestres"),
    "etudiant_formsemestres_nip": _get("/etudiant/nip/n-{username}/formsemestres"),
    "etudiant_formsemestres_ine": _get("/etudiant/ine/i-{username}/formsemestres"),
    "formsemestre_etudiants": _get("/formsemestre/{course}/etudiants"),
    "formsemestre_etudiants_query": _get("/formsemestre/{course}/etudiants/query?etat=I"),
    "formsemestre_etudiants_long": _get("/formsemestre/{course}/etudiants/long"),
    "formsemestre_etudiants_long_query": _get("/formsemestre/{course}/etudiants/long/query"),
    "etudiant_groups": _get("/etudiant/etudid/{member}/formsemestre/{course}/groups"),
    "etudiant_groups_nip": _get("/etudiant/nip/n-{username}/formsemestre/{course}/groups"),
    "etudiant_groups_ine": _get("/etudiant/ine/i-{username}/formsemestre/{course}/groups"),
    "partition": _get("/partition/{partition}"),
    "formsemestre_partitions": _get("/formsemestre/{course}/partitions"),
    "create_partition": _post("/formsemestre/{course}/partition/create", {"partition_name": "N"}),
    "order_partitions": _post("/formsemestre/{course}/partitions/order", []),
    "edit_partition": _post("/partition/{partition}/edit", {"partition_name": "N"}),
    "delete_partition": _post("/partition/{partition}/delete"),
    "create_group": _post("/partition/{partition}/group/create", {"group_name": "N"}),
    "delete_group": _post("/group/{group}/delete"),
    "edit_group": _post("/group/{group}/edit", {"group_name": "N"}),
    "set_edt_id": _post("/group/{group}/set_edt_id/N"),
    "order_groups": _post("/partition/{partition}/groups/order", []),
    "set_etudiant": _post("/group/{group}/set_etudiant/{loose}"),
    "group_remove_etud": _post("/group/{group}/remove_etudiant/{member}"),
    "partition_remove_etud": _post("/partition/{partition}/remove_etudiant/{member}"),
    "group_etudiants": _get("/group/{group}/etudiants"),
    "group_etudiants_query": _get("/group/{group}/etudiants/query"),
    "get_groups_auto_assignment": _get("/formsemestre/{course}/get_groups_auto_assignment"),
    "save_groups_auto_assignment": _post("/formsemestre/{course}/save_groups_auto_assignment", {}),
}
_PREFIXES: Final = dict(
    zip(ADDRESSES, ("", "/{own_department}", "/{other_department}", "/NOWHERE"), strict=True)
)

_COHORT: Final = {"name": "N", "assignment_type": "manual"}
_FILE: Final = {"files": {"uploaded-file": ("a.csv", b"cohort,email\nA,late@example.org\n")}}
_1, _2, _3 = "/api/cohorts/v1/courses/{key}", "/api/cohorts/v2/courses/{key}", "/courses/{key}"
OPENEDX: Final[Mapping[str, Request]] = {
    "get_settings": _get("/api/cohorts/v1/settings/{key}"),
    "put_settings": _json("PUT", "/api/cohorts/v1/settings/{key}", {"is_cohorted": False}),
    "list_cohorts": _get(f"{_1}/cohorts/"),
    "create_cohort": _post(f"{_1}/cohorts/", _COHORT),
    "get_cohort": _get(f"{_1}/cohorts/{{cohort}}"),
    "edit_cohort": _json("PATCH", f"{_1}/cohorts/{{cohort}}", {"name": "N"}, 204),
    "list_users": _get(f"{_1}/cohorts/{{cohort}}/users/"),
    "list_users_of_any_name": _get(f"{_1}/cohorts/{{cohort}}/users/x"),
    "add_users": _post(f"{_1}/cohorts/{{cohort}}/users/", lambda s: {"users": [s.peer_name]}),
    "add_user": _post(f"{_1}/cohorts/{{cohort}}/users/{{peer_name}}"),
    "remove_user": Request("DELETE", f"{_1}/cohorts/{{cohort}}/users/{{username}}", 204),
    "upload_users": Request("POST", f"{_1}/users", 204, lambda _: _FILE),
    "get_cohort_settings_v2": _get(f"{_2}/cohort_settings/"),
    "put_cohort_settings_v2": _json("PUT", f"{_2}/cohort_settings/", {"is_cohorted": False}),
    "list_cohorts_v2": _get(f"{_2}/cohorts/"),
    "create_cohort_v2": _json("POST", f"{_2}/cohorts/", _COHORT, 201),
    "get_cohort_v2": _get(f"{_2}/cohorts/{{cohort}}/"),
    "edit_cohort_v2": _json("PATCH", f"{_2}/cohorts/{{cohort}}/", {"name": "N"}),
    "list_users_v2": _get(f"{_2}/cohorts/{{cohort}}/users/"),
    "add_users_v2": _post(f"{_2}/cohorts/{{cohort}}/users/", lambda s: {"users": [s.peer_name]}),
    "remove_user_v2": Request("DELETE", f"{_2}/cohorts/{{cohort}}/users/{{username}}/", 204),
    "list_content_groups": _get(f"{_2}/group_configurations"),
    "get_configuration": _get(f"{_2}/group_configurations/50"),
    "get_instructor_settings": _get(f"{_3}/cohorts/settings"),
    "edit_instructor_settings": _json("PATCH", f"{_3}/cohorts/settings", {"is_cohorted": False}),
    "list_instructor_cohorts": _get(f"{_3}/cohorts/"),
    "put_new_instructor_cohort": _json("PUT", f"{_3}/cohorts/", _COHORT),
    "post_new_instructor_cohort": _json("POST", f"{_3}/cohorts/", _COHORT),
    "patch_new_instructor_cohort": _json("PATCH", f"{_3}/cohorts/", _COHORT),
    "get_instructor_cohort": _get(f"{_3}/cohorts/{{cohort}}"),
    "put_instructor_cohort": _json("PUT", f"{_3}/cohorts/{{cohort}}", _COHORT),
    "post_instructor_cohort": _json("POST", f"{_3}/cohorts/{{cohort}}", _COHORT),
    "patch_instructor_cohort": _json("PATCH", f"{_3}/cohorts/{{cohort}}", _COHORT),
    "add_instructor_users": Request(
        "POST", f"{_3}/cohorts/{{cohort}}/add", 200, lambda s: {"data": {"users": s.peer_name}}
    ),
    "remove_instructor_user": Request(
        "POST", f"{_3}/cohorts/{{cohort}}/delete", 200, lambda s: {"data": {"username": s.username}}
    ),
    "upload_instructor_users": Request(
        "POST", f"{_3}/instructor/api/add_users_to_cohorts", 204, lambda _: _FILE
    ),
}
REQUESTS: Final = {"v1": V1, "scodoc": SCODOC, "openedx": OPENEDX}


def path_of(face: str, request: Request, address: str) -> str:
    prefix = f"/ScoDoc{_PREFIXES[address]}/api" if face == "scodoc" else ""
    return prefix + request.path
