"""Departments: declare, show, delete."""

from typing import Any

from groupsvc.core.service import IfMatch, Service
from groupsvc.domain.errors import InvalidError, NotFoundError, PreconditionFailedError
from groupsvc.domain.grants import is_name
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import Permission

LONGEST_ACRONYM = 64


class DepartmentService(Service):
    async def read(self, acronym: str) -> JsonResource[dict[str, Any]]:
        tidy = known_as(acronym, "department", longest=LONGEST_ACRONYM)
        return self._authorize_read(await self._uow.departments.read(tidy), "department")

    async def ids(self, acronym: str) -> JsonResource[dict[str, Any]]:
        """Its own id, and where that is another one, the id by which another server knows it."""
        tidy = known_as(acronym, "department", longest=LONGEST_ACRONYM)
        return self._authorize_read(await self._uow.departments.ids(tidy), "department")

    async def exists(self, acronym: str) -> bool:
        """Whether there is such a department: known to every caller, whatever they may read."""
        return is_name(acronym) and await self._uow.departments.exists(acronym)

    async def page(self, *, after: str = "", limit: int) -> Page:
        """Departments that the caller may read as a whole, by acronym."""
        scope = self._principal.scope(Permission.GROUPS_READ)
        return await self._uow.departments.page(scope, after=after, limit=limit)

    async def declare(
        self, acronym: object, *, name: str, expected: IfMatch | None = None
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Create or update a department by acronym; returns whether it was created."""
        tidy = normalise(acronym, field="acronym", longest=LONGEST_ACRONYM)
        if not is_name(tidy):
            raise InvalidError(
                "an acronym that cannot be printed cannot be granted anything",
                code="invalid_name",
                pointer="#/acronym",
            )
        await self._get_for_update(tidy, expected)
        created = await self._uow.departments.upsert(tidy, name)
        document = await self._uow.departments.read(tidy)
        assert document is not None
        return document, created

    async def delete(self, acronym: str, *, expected: IfMatch | None = None) -> None:
        """Delete a department that has neither users nor courses any more.

        Raises ConflictError while it has.
        """
        tidy = known_as(acronym, "department", longest=LONGEST_ACRONYM)
        if not await self._get_for_update(tidy, expected):
            raise NotFoundError("no such department")
        await self._uow.departments.delete(tidy)

    async def _get_for_update(self, acronym: str, expected: IfMatch | None) -> bool:
        """Lock a department that may be changed; returns whether there is one.

        Departments come and go by whoever is admin everywhere; to be admin of one is not enough.
        """
        self._require(Permission.ADMIN, acronym, what="department")
        self._require(Permission.ADMIN)
        await self._uow.begin()
        exists = await self._uow.departments.get_for_update(acronym)
        if expected is not None:
            await self._expect_of(acronym, expected)
        return exists

    async def _expect_of(self, acronym: str, expected: IfMatch) -> None:
        try:
            await self._check_if_match(expected, await self._uow.departments.read(acronym))
        except PreconditionFailedError as refusal:
            raise PreconditionFailedError(
                refusal.message,
                etag=refusal.facts["etag"],
                current=refusal.facts["current"],
                changes=await self._uow.departments.latest(acronym),
            ) from None


def known_as(name: str, what: str, *, longest: int) -> str:
    """The form in which a name is stored. Raises NotFoundError for what nothing is named."""
    try:
        return normalise(name, longest=longest)
    except InvalidError:
        raise NotFoundError(f"no such {what}") from None
