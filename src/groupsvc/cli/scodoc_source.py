"""Formsemestres of a running ScoDoc, read through its API."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Literal

import httpx
from pydantic import AfterValidator, AliasChoices, BaseModel, Field, TypeAdapter

from groupsvc.cli.remote_import import RemoteSystem
from groupsvc.domain.errors import InvalidError
from groupsvc.domain.names import normalise

ROOT = "/ScoDoc"
TOKENS = f"{ROOT}/api/tokens"
OTHER_STATES = ("D", "DEF")


def _stored(name: str) -> str:
    """As it is stored here, so that names can be compared."""
    try:
        return normalise(name)
    except InvalidError as refusal:
        raise InvalidError(f"{name[:80]!r}: {refusal.message}", code=refusal.code) from None


Name = Annotated[str, AfterValidator(_stored)]
# Servers tell what is missing as null or as nothing.
Code = Annotated[str | None, AfterValidator(lambda code: (code or "").strip() or None)]


class SourceStudent(BaseModel):
    """A student with the numbers and the name by which they are identified here."""

    id: int
    nip: Code = Field(None, validation_alias=AliasChoices("code_nip", "nip"))
    ine: Code = Field(None, validation_alias=AliasChoices("code_ine", "ine"))
    username: Code = None
    nom: str = ""
    prenom: str = ""
    nom_usuel: str | None = None
    civilite: Literal["M", "F", "X"] = "X"
    email: Code = None
    etat: str | None = None

    @property
    def label(self) -> str:
        return self.nip or self.ine or self.username or f"etudid {self.id}"


class SourceGroup(BaseModel):
    id: int
    group_name: Name
    numero: int | None = None
    edt_id: str | None = None
    students: list[SourceStudent] = []


class SourcePartition(BaseModel):
    id: int
    partition_name: Name
    numero: int | None = None
    bul_show_rank: bool = False
    show_in_lists: bool = True
    groups_editable: bool = True
    groups: dict[str, SourceGroup]


class SourceDepartment(BaseModel):
    id: int
    acronym: str
    dept_name: str | None = None


class SourceSemester(BaseModel):
    id: int
    titre: str = ""
    titre_formation: str | None = None
    semestre_id: int | None = None
    modalite: str | None = None
    date_debut_iso: date | None = None
    date_fin_iso: date | None = None
    etat: bool = True
    departement: SourceDepartment
    partitions: list[SourcePartition] = []
    students: list[SourceStudent] = []
    default_partition_id: int | None = None
    default_group_id: int | None = None


class PlacedGroup(BaseModel):
    """One of the groups of a student. The default partition has no name."""

    partition_id: int
    partition_name: str | None
    group_id: int


SEMESTER = TypeAdapter(SourceSemester)
PARTITIONS = TypeAdapter(dict[str, SourcePartition])
PLACED_GROUPS = TypeAdapter(list[PlacedGroup])
STUDENTS = TypeAdapter(list[SourceStudent])


class ScodocSource(RemoteSystem):
    """One department of a ScoDoc, or all that the user may read."""

    name = "ScoDoc"

    def __init__(self, http: httpx.AsyncClient, department: str | None) -> None:
        super().__init__(http)
        self._prefix = f"{ROOT}/{department}/api" if department else f"{ROOT}/api"

    @asynccontextmanager
    async def logged_in(self, user: str, password: str) -> AsyncGenerator[None]:
        """Log in, and log out at the end."""
        login = httpx.BasicAuth(user, password)
        response = await self.request("POST", TOKENS, auth=login)
        try:
            self._http.headers["authorization"] = f"Bearer {response.json()['token']}"
        except (ValueError, LookupError, TypeError):
            raise InvalidError("the server does not give tokens as ScoDoc does") from None
        try:
            yield
        finally:
            await self.request("DELETE", TOKENS)

    async def semester(self, formsemestre_id: int, count: Callable[[int], None]) -> SourceSemester:
        """Return all of it; ``count`` is called with the sizes of groups."""
        path = f"{self._prefix}/formsemestre/{formsemestre_id}"
        semester = await self.get(path, SEMESTER)
        students = await self.get(f"{path}/etudiants/long", STUDENTS)
        semester.students = await self._with_states(path, students)
        semester.partitions = await self.partitions(formsemestre_id, students, count)
        if students:
            await self._find_default(semester, students[0].id)
        return semester

    async def _find_default(self, semester: SourceSemester, etudid: int) -> None:
        """The default partition is in no list, but among the groups of whoever is enrolled."""
        path = f"{self._prefix}/etudiant/etudid/{etudid}/formsemestre/{semester.id}/groups"
        groups = await self.read("GET", path, PLACED_GROUPS, refusals=[404])
        for group in groups or ():
            if group.partition_name is None:
                semester.default_partition_id = group.partition_id
                semester.default_group_id = group.group_id

    async def _with_states(self, path: str, students: list[SourceStudent]) -> list[SourceStudent]:
        """Those whose state is not told are asked for by state; the others are active."""
        if all(student.etat for student in students):
            return students
        for state in OTHER_STATES:
            query = f"{path}/etudiants/query"
            found = await self.read("GET", query, STUDENTS, params={"etat": state}, refusals=[404])
            ids = {student.id for student in found or ()}
            students = [
                each.model_copy(update={"etat": state}) if each.id in ids else each
                for each in students
            ]
        return students

    async def partitions(
        self,
        formsemestre_id: int,
        students: list[SourceStudent] | None,
        count: Callable[[int], None],
    ) -> list[SourcePartition]:
        """Return partitions, groups and students; ``count`` is called with the sizes of groups."""
        semester = f"{self._prefix}/formsemestre/{formsemestre_id}"
        partitions = await self.get(f"{semester}/partitions", PARTITIONS)
        # The students of a group come without some of their numbers.
        if students is None:
            students = await self.get(f"{semester}/etudiants/long", STUDENTS)
        known = {student.id: student for student in students}
        for group in (group for each in partitions.values() for group in each.groups.values()):
            members = await self.get(f"{self._prefix}/group/{group.id}/etudiants", STUDENTS)
            group.students = [known.get(each.id, each) for each in members]
            count(len(members))
        return sorted(partitions.values(), key=lambda each: (each.numero or 0, each.id))
