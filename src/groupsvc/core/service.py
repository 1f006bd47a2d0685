"""What every service shares: its unit of work, its caller, and what the caller expects."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import NotFoundError, PreconditionFailedError
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.principal import Permission, Place, Principal

T = TypeVar("T")

OUTSIDE: Final = 0  # the course of what is in none, in the change log


@dataclass(frozen=True, slots=True)
class IfMatch:
    """What the caller last saw: entity tags, of which one must still be right; ``None`` is any."""

    etags: frozenset[str] | None = None


class Service:
    def __init__(self, uow: UnitOfWork, principal: Principal) -> None:
        self._uow = uow
        self._principal = principal

    def _require(
        self,
        permission: Permission,
        department: str | None = None,
        course: str | None = None,
        *,
        what: str = "course",
    ) -> None:
        """Refuse what is not granted in the place, or everywhere when none is given.

        Raises NotFoundError out of sight, in the same words as for what is not there, and
        ForbiddenError in sight.
        """
        place = Place(department, course) if department is not None else None
        self._principal.require(permission, place, what=what)
        self._uow.decisions.append((permission.value, department, course))

    def _authorize_read(
        self,
        document: JsonResource[T] | None,
        what: str,
        permission: Permission = Permission.GROUPS_READ,
    ) -> JsonResource[T]:
        if document is None:
            raise NotFoundError(f"no such {what}")
        self._require(permission, document.department, document.course, what=what)
        return document

    async def _seen_users(self, user_ids: Collection[int]) -> Collection[int]:
        """Those whom the caller sees. Others are not there, where nobody takes them as they are."""
        return await self._uow.users.seen(user_ids, self._principal.visible_scope)

    async def _check_if_match(
        self,
        expected: IfMatch | None,
        document: JsonResource[Any] | None,
        *nouns: str,
        **about: int,
    ) -> None:
        """Refuse to overwrite what the caller has not seen; tell what it is, and who changed it.

        ``nouns`` begin the kinds of changes that show in the document.
        """
        if expected is None or (document is not None and expected.etags is None):
            return
        if document is not None and expected.etags and document.etag in expected.etags:
            return
        raise PreconditionFailedError(
            "the resource has changed since",
            etag=document.etag if document else None,
            current=document.data if document else None,
            changes=await self._uow.changes.latest(nouns, **about),
        )

    @staticmethod
    def _refuse_if_locked(is_locked: bool) -> None:
        """The database refuses as well; asked first, the refusal comes before other ones."""
        rules.refuse_if_locked(is_locked)
