"""Who may call what, decided before the method is looked at.

Callers and addresses are in docs/compat/openedx.md, "Permissions". Course staff hold
``groups:write`` on the course itself, moderators ``groups:read``, and global staff
``groups:write`` everywhere. Grants in a whole department count in v2 alone.
"""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request

from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import ForbiddenError, NotFoundError
from groupsvc.domain.principal import Permission, Place, Principal, forbidden
from groupsvc.faces.openedx.credentials import caller
from groupsvc.faces.openedx.errors import ApiError, require_course_key
from groupsvc.faces.openedx.keys import is_course_key
from groupsvc.faces.openedx.negotiation import negotiate
from groupsvc.http.routing import Requires

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who asks for what, in which course."""

    principal: Principal
    key: str
    is_reading: bool
    cohorts: CohortService

    def holds(self, permission: Permission) -> bool:
        """Whether a permission is held everywhere, or in this very course."""
        return any(
            grant.permission is permission
            and grant.department is None
            and grant.course in (None, self.key)
            for grant in self.principal.grants
        )

    async def place(self) -> Place:
        """Raises NotFoundError."""
        found = (await self.cohorts.find_settings(self.key)).course
        return Place(found.department, found.course)


class DialectAccess(Requires):
    """Any caller who is known. ``negotiates`` where the original uses the REST framework."""

    negotiates: ClassVar[bool] = True
    sends_strangers = False

    def __init__(self) -> None:
        super().__init__(None)

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        """Raises ApiError 406 for what is accepted, 401 for who is calling, 404 for the course, and
        ForbiddenError, in order.
        """
        if self.negotiates:
            negotiate(request)
        principal = await caller(request, uow)
        key: str = request.path_params["key"]
        require_course_key(key)
        cohorts = CohortService(uow, principal)
        if not await self.may(AccessRequest(principal, key, request.method in SAFE, cohorts)):
            raise forbidden()
        return principal

    async def may(self, request: AccessRequest) -> bool:
        raise NotImplementedError


class StaffOrModerator(DialectAccess):
    """Course staff; for reading, moderators as well."""

    async def may(self, request: AccessRequest) -> bool:
        if request.holds(Permission.GROUPS_WRITE):
            return True
        return request.is_reading and request.holds(Permission.GROUPS_READ)


class GlobalStaff(DialectAccess):
    async def may(self, request: AccessRequest) -> bool:
        return request.principal.may(Permission.GROUPS_WRITE)


class Dashboard(DialectAccess):
    """Whoever may see the instructor's dashboard; the course is looked up for everybody."""

    async def may(self, request: AccessRequest) -> bool:
        return request.principal.may(Permission.GROUPS_WRITE, await request.place())


class Manager(StaffOrModerator):
    """Staff and moderators of the course or its whole department.

    Everybody gets 404 for a key that is none, only global staff for an unknown course.
    """

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        key: str = request.path_params["key"]
        if not is_course_key(key):
            raise ApiError(404, f"{key} is not a valid course key.")
        return await super().authenticate_and_authorize(request, uow)

    async def may(self, request: AccessRequest) -> bool:
        if request.principal.may(Permission.GROUPS_WRITE):
            return True
        try:
            here = await request.place()
        except NotFoundError:
            return False
        reads = request.is_reading and request.principal.may(Permission.GROUPS_READ, here)
        return reads or request.principal.may(Permission.GROUPS_WRITE, here)


class Author(DialectAccess):
    """Course staff, for whom pages are that others do not find; ``login`` sends strangers there."""

    negotiates = False

    def __init__(self, *, login: bool = False) -> None:
        super().__init__()
        self.sends_strangers = login

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        """Raises HTTPException 302 or 404."""
        try:
            return await super().authenticate_and_authorize(request, uow)
        except ForbiddenError as error:
            raise HTTPException(404) from error
        except ApiError as error:
            if error.status_code != 401 or not self.sends_strangers:
                raise HTTPException(404) from error
            raise HTTPException(302, headers={"location": _login(request)}) from error

    async def may(self, request: AccessRequest) -> bool:
        return request.holds(Permission.GROUPS_WRITE)


def _login(request: Request) -> str:
    """Where to log in, and where to come back to: a plus sign would be read as a space."""
    path = quote(request.scope["path"], safe="/:@&+$,-_.!~*'()")
    query = f"?{request.url.query}" if request.url.query else ""
    return f"/login?next={quote(path + query, safe='/')}"


class Instructor(DialectAccess):
    """Course staff; the course is looked up for everybody."""

    async def may(self, request: AccessRequest) -> bool:
        await request.place()
        return request.holds(Permission.GROUPS_WRITE)
