"""Users: find, declare, change, delete."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from groupsvc.core.departments.service import known_as
from groupsvc.core.service import IfMatch, Service
from groupsvc.core.users.external_ids import checked_ids
from groupsvc.core.users.repository import LockedUser
from groupsvc.core.users.search import Search
from groupsvc.domain.errors import ForbiddenError, NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.names import normalise, sort_key
from groupsvc.domain.principal import GrantScope, Permission, Place, forbidden

LONGEST_USERNAME = 150
EVERYWHERE = GrantScope(everywhere=True, departments=(), courses=())
READERS = (Permission.GROUPS_READ, Permission.ROSTER_WRITE)
TEXTS = ("family_name", "given_name", "usual_name", "email", "student_number", "national_number")


class UserService(Service):
    """A user is read by whoever reads the groups or writes the roster of a place where they are.

    They are in their department and in each course that they are enrolled in; who is in neither is
    for callers whose reach is everywhere.
    """

    async def read(self, user_id: int) -> JsonResource[dict[str, Any]]:
        document = await self._uow.users.read(user_id, self._readers_reach)
        if document is None:
            raise _refusal(await self._uow.users.read(user_id, self._principal.visible_scope))
        return document

    async def read_name(self, username: str) -> JsonResource[dict[str, Any]]:
        tidy = known_as(username, "user", longest=LONGEST_USERNAME)
        document = await self._uow.users.read_name(tidy, self._readers_reach)
        if document is None:
            raise _refusal(await self._uow.users.read_name(tidy, self._principal.visible_scope))
        return document

    async def page(
        self,
        *,
        search: str | None,
        department: str | None,
        after: tuple[str, int] = ("", 0),
        limit: int,
    ) -> Page:
        """Users that the caller may read, by name.

        Every word searched for begins a word of the name, whatever its case and accents, or all
        of it begins a username, an e-mail address or a number.
        """
        if not any(map(self._principal.holds, READERS)):
            raise forbidden(READERS[0], where="here")
        return await self._uow.users.page(
            self._readers_reach,
            search=searched(search),
            department=department,
            after=after,
            limit=limit,
        )

    async def declare(
        self, username: object, values: Mapping[str, Any], *, expected: IfMatch | None = None
    ) -> tuple[JsonResource[dict[str, Any]], bool]:
        """Create or update a user by username; returns whether it is new.

        Who moves a user to another department needs the permission in both.
        """
        tidy = normalise(username, field="username", longest=LONGEST_USERNAME)
        await self._uow.begin()
        held = await self._uow.users.get_named_for_update(tidy, self._principal.visible_scope)
        if held is None:
            created = await self._create(tidy, values, expected)
            if created is not None:
                return created, True
            held = await self._uow.users.get_named_for_update(tidy, self._principal.visible_scope)
        return await self._change(held, values, expected), False

    async def edit(
        self, user_id: int, changes: Mapping[str, Any], *, expected: IfMatch | None = None
    ) -> JsonResource[dict[str, Any]]:
        """Change what is named; a user may be renamed and moved to another department."""
        await self._uow.begin()
        held = await self._uow.users.get_for_update(user_id, self._principal.visible_scope)
        return await self._change(held, changes, expected)

    async def delete(self, user_id: int, *, expected: IfMatch | None = None) -> None:
        """Delete a user with all enrollments and memberships.

        Raises LockedError when one of the memberships is in a locked course.
        """
        await self._uow.begin()
        held = await self._uow.users.get_for_update(user_id, self._principal.visible_scope)
        held = await self._opened(held, Permission.ADMIN, expected)
        await self._uow.users.delete(held.id)

    async def _create(
        self, username: str, values: Mapping[str, Any], expected: IfMatch | None
    ) -> JsonResource[dict[str, Any]] | None:
        """None when somebody else was faster."""
        columns = _columns(values)
        external_ids = checked_ids(
            columns.pop("external_ids", {}), self._uow.vocabulary.numbering_systems
        )
        columns["department_id"] = await self._place(columns.pop("department"))
        await self._check_if_match(expected, None)
        key = sort_key(columns["family_name"], columns["given_name"], username)
        created = await self._uow.users.create({**columns, "username": username, "sort_key": key})
        if created is None:
            return None
        return await self._read_own(await self._set_external_ids(created, external_ids))

    async def _change(
        self, found: LockedUser | None, values: Mapping[str, Any], expected: IfMatch | None
    ) -> JsonResource[dict[str, Any]]:
        held = await self._opened(found, Permission.ROSTER_WRITE, expected)
        columns = _columns(values)
        if columns.get("username", held.username) != held.username:
            await self._check_rename(held)
        external_ids = checked_ids(
            columns.pop("external_ids", {}), self._uow.vocabulary.numbering_systems
        )
        if "department" in columns:
            department = columns.pop("department")
            if department != held.department:
                columns["department_id"] = await self._place(department)
        names = [
            columns.get(name, getattr(held, name))
            for name in ("family_name", "given_name", "username")
        ]
        await self._uow.users.update(held.id, {**columns, "sort_key": sort_key(*names)})
        return await self._read_own(await self._set_external_ids(held.id, external_ids))

    async def _check_rename(self, held: LockedUser) -> None:
        """Roles follow the person, and a token finds the person by username: whoever could rename
        one with roles could act by them.
        """
        document = await self._uow.roles.of_user(held.id)
        if document is not None and document.data["roles"]:
            self._require(Permission.ADMIN)

    async def _set_external_ids(self, user_id: int, ids: Mapping[str, str | None]) -> int:
        if ids:
            await self._uow.users.set_external_ids(user_id, ids)
        return user_id

    async def _opened(
        self, held: LockedUser | None, permission: Permission, expected: IfMatch | None
    ) -> LockedUser:
        """A user who may be changed.

        Raises NotFoundError, ForbiddenError or PreconditionFailedError, in this order.
        """
        if held is None or not held.in_sight:
            raise NotFoundError("no such user")
        place = Place(held.department) if held.department is not None else None
        if not self._principal.may(permission, place):
            raise forbidden(permission, where="here")
        if expected is not None:
            document = await self._read_own(held.id)
            await self._check_if_match(expected, document, "user", user_id=held.id)
        return held

    async def _place(self, department: str | None) -> int | None:
        """The department that a user is put into, or none at all."""
        self._require(Permission.ROSTER_WRITE, department, what="department")
        if department is None:
            return None
        department_id = await self._uow.departments.id_of(department)
        if department_id is None:
            raise NotFoundError("no such department")
        return department_id

    async def _read_own(self, user_id: int) -> JsonResource[dict[str, Any]]:
        """What this unit of work holds, whatever the caller may read."""
        document = await self._uow.users.read(user_id, EVERYWHERE)
        assert document is not None
        return document

    @property
    def _readers_reach(self) -> GrantScope:
        scopes = [self._principal.scope(permission) for permission in READERS]
        return GrantScope(
            everywhere=any(scope.everywhere for scope in scopes),
            departments=tuple({name for scope in scopes for name in scope.departments}),
            courses=tuple({key for scope in scopes for key in scope.courses}),
        )


def searched(text: str | None) -> Search:
    """What to look for, folded as sort keys are. Blank text looks for nothing in particular."""
    if text is None or not text.strip():
        return Search()
    tidy = unicodedata.normalize("NFC", text.strip())
    return Search(tidy, sort_key(tidy, "", "").replace("-", " ").replace("'", " ").split())


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """Trimmed and NFC, so that what looks the same is the same."""
    columns = dict(values)
    for name in TEXTS:
        if isinstance(columns.get(name), str):
            columns[name] = unicodedata.normalize("NFC", columns[name].strip())
    if "username" in columns:
        columns["username"] = normalise(
            columns["username"], field="username", longest=LONGEST_USERNAME
        )
    return columns


def _refusal(seen: JsonResource[Any] | None) -> NotFoundError | ForbiddenError:
    """For a user whom the caller may not read, and who is in sight or not."""
    return NotFoundError("no such user") if seen is None else forbidden(READERS[0], where="here")
