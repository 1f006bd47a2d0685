"""A ScoDoc of a few formsemestres, as far as the import reads one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

Json = dict[str, Any]


class Semester:
    def __init__(self, number: int, department: Json, title: str) -> None:
        self.number, self.department, self.title = number, department, title
        self.is_open = True
        self.default: tuple[int, int] | None = None
        self.students: list[Json] = []
        self.partitions: dict[int, Json] = {}
        self.members: dict[int, list[int]] = {}

    def student(self, etudid: int, nip: str | None, **more: Any) -> None:
        own = {"code_nip": nip, "code_ine": None, "nom": f"NOM{etudid}", "prenom": "Zoé"}
        self.students.append({"id": etudid, "civilite": "F", **own, **more})

    def partition(self, number: int, name: str, groups: dict[int, str], **more: Any) -> None:
        self.partitions[number] = {
            "id": number,
            "partition_name": name,
            "numero": len(self.partitions),
            "bul_show_rank": False,
            "show_in_lists": True,
            "groups_editable": name != "Parcours",
            "groups": {
                str(group): {"id": group, "group_name": text, "numero": at, "edt_id": None}
                for at, (group, text) in enumerate(groups.items())
            },
            **more,
        }

    def put(self, group: int, *etudids: int) -> None:
        self.members[group] = list(etudids)

    def document(self) -> Json:
        return {
            "id": self.number,
            "formsemestre_id": self.number,
            "dept_id": self.department["id"],
            "departement": self.department,
            "titre": self.title,
            "titre_formation": "BUT R&T",
            "semestre_id": 1,
            "modalite": "FI",
            "date_debut": "01/09/2026",
            "date_debut_iso": "2026-09-01",
            "date_fin_iso": "2027-01-31",
            "etat": self.is_open,
        }


class OldServer:
    def __init__(self) -> None:
        self.semesters: dict[int, Semester] = {}

    def semester(self, number: int, department: Json, title: str) -> Semester:
        self.semesters[number] = Semester(number, department, title)
        return self.semesters[number]

    def find(self, number: int) -> Semester:
        if number not in self.semesters:
            raise HTTPException(404)
        return self.semesters[number]

    def application(self) -> FastAPI:
        app, api = FastAPI(), APIRouter()

        @api.post("/tokens")
        def log_in(_: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> Json:
            return {"token": "t"}

        @api.delete("/tokens", status_code=204)
        def log_out() -> None:
            """Nothing to forget."""

        @api.get("/formsemestre/{number}")
        def semester(number: int) -> Json:
            return self.find(number).document()

        @api.get("/formsemestre/{number}/partitions")
        def partitions(number: int) -> dict[int, Json]:
            return self.find(number).partitions

        @api.get("/formsemestre/{number}/etudiants/long")
        def students(number: int) -> list[Json]:
            """As it tells them: without their states."""
            known = self.find(number).students
            return [{k: v for k, v in student.items() if k != "state"} for student in known]

        @api.get("/formsemestre/{number}/etudiants/query")
        def in_state(number: int, etat: str) -> list[Json]:
            return [s for s in self.find(number).students if s.get("state") == etat]

        @api.get("/etudiant/etudid/{etudid}/formsemestre/{number}/groups")
        def placed(etudid: int, number: int) -> list[Json]:
            default = self.find(number).default
            if default is None:
                raise HTTPException(404)
            partition, group = default
            return [{"partition_id": partition, "partition_name": None, "group_id": group}]

        @api.get("/group/{group}/etudiants")
        def members(group: int) -> list[Json]:
            semester = next(s for s in self.semesters.values() if group in s.members)
            return [
                {"id": s["id"]} for s in semester.students if s["id"] in semester.members[group]
            ]

        app.include_router(api, prefix="/ScoDoc/api")
        app.include_router(api, prefix="/ScoDoc/{department}/api")
        return app
