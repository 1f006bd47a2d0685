"""A running ScoDoc, read through its API."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from pydantic import AliasChoices, BaseModel, Field, TypeAdapter, ValidationError

from groupsvc.domain.errors import InvalidError

T = TypeVar("T")

SECONDS = 60.0
ROOT = "/ScoDoc"


class SourceStudent(BaseModel):
    """A student by what he is called there, and what he may be recognised by here."""

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


class ScodocSource:
    """One department of a ScoDoc, or all that the login sees of it.

    Raises InvalidError for whatever it does not answer as ScoDoc would.
    """

    def __init__(self, http: httpx.AsyncClient, department: str | None) -> None:
        self._http = http
        self._prefix = f"{ROOT}/{department}/api" if department else f"{ROOT}/api"

    async def partitions(self, formsemestre_id: int) -> list[SourcePartition]:
        """In order, with their groups in order, and these still without students."""
        found = await self._get(f"/formsemestre/{formsemestre_id}/partitions", PARTITIONS)
        return sorted(found.values(), key=lambda each: (each.numero or 0, each.id))

    async def students(self, formsemestre_id: int) -> dict[int, SourceStudent]:
        """All of a formsemestre with all that is known of each, by id."""
        found = await self._get(f"/formsemestre/{formsemestre_id}/etudiants/long", STUDENTS)
        return {student.id: student for student in found}

    async def students_of(self, group: SourceGroup) -> list[SourceStudent]:
        return await self._get(f"/group/{group.id}/etudiants", STUDENTS)

    async def _get(self, path: str, answers: TypeAdapter[T]) -> T:
        response = await _answer(self._http, "GET", self._prefix + path)
        try:
            return answers.validate_json(response.content)
        except ValidationError:
            raise InvalidError(f"{path} is not answered as ScoDoc does") from None


@asynccontextmanager
async def open_source(
    url: str, user: str, password: str, department: str | None
) -> AsyncGenerator[ScodocSource]:
    """Log in, and out again at the end. Raises InvalidError when that does not work."""
    try:
        http = httpx.AsyncClient(base_url=url, timeout=SECONDS)
    except httpx.InvalidURL:
        raise InvalidError("this is not the address of a ScoDoc") from None
    async with http:
        login = httpx.BasicAuth(user, password)
        response = await _answer(http, "POST", f"{ROOT}/api/tokens", auth=login)
        try:
            http.headers["authorization"] = f"Bearer {response.json()['token']}"
        except (ValueError, LookupError, TypeError):
            raise InvalidError("the server does not give tokens as ScoDoc does") from None
        try:
            yield ScodocSource(http, department)
        finally:
            await _answer(http, "DELETE", f"{ROOT}/api/tokens")


async def _answer(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> httpx.Response:
    try:
        response = await http.request(method, path, **more)
    except httpx.HTTPError as error:
        raise InvalidError(f"ScoDoc does not answer: {type(error).__name__}") from error
    if not response.is_success:
        raise InvalidError(f"ScoDoc answers {response.status_code} to {method} {path}")
    return response
