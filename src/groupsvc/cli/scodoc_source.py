"""Formsemestres of a running ScoDoc, read through its API."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import httpx
from pydantic import AliasChoices, BaseModel, Field, TypeAdapter

from groupsvc.cli.remote_import import RemoteSystem
from groupsvc.domain.errors import InvalidError

ROOT = "/ScoDoc"
TOKENS = f"{ROOT}/api/tokens"


class SourceStudent(BaseModel):
    """A student with the numbers and the name by which they are identified here."""

    id: int
    nip: str | None = Field(None, validation_alias=AliasChoices("code_nip", "nip"))
    ine: str | None = Field(None, validation_alias=AliasChoices("code_ine", "ine"))
    username: str | None = None

    @property
    def label(self) -> str:
        return self.nip or self.ine or self.username or f"etudid {self.id}"


class SourceGroup(BaseModel):
    id: int
    group_name: str
    numero: int | None = None
    edt_id: str | None = None
    students: list[SourceStudent] = []


class SourcePartition(BaseModel):
    id: int
    partition_name: str
    numero: int | None = None
    bul_show_rank: bool = False
    show_in_lists: bool = True
    groups_editable: bool = True
    groups: dict[str, SourceGroup]


PARTITIONS = TypeAdapter(dict[str, SourcePartition])
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

    async def partitions(
        self, formsemestre_id: int, count: Callable[[int], None]
    ) -> list[SourcePartition]:
        """Return partitions, groups and students; ``count`` is called with the sizes of groups."""
        semester = f"{self._prefix}/formsemestre/{formsemestre_id}"
        partitions = await self.get(f"{semester}/partitions", PARTITIONS)
        # The students of a group come without some of their numbers.
        students = await self.get(f"{semester}/etudiants/long", STUDENTS)
        known = {student.id: student for student in students}
        for group in (group for each in partitions.values() for group in each.groups.values()):
            members = await self.get(f"{self._prefix}/group/{group.id}/etudiants", STUDENTS)
            group.students = [known.get(each.id, each) for each in members]
            count(len(members))
        return sorted(partitions.values(), key=lambda each: (each.numero or 0, each.id))
