"""Who may call: a permission counts in the department of the address, and in none but for all.

Under ``/ScoDoc/api`` only grants that hold everywhere count; under ``/ScoDoc/<acronym>/api`` those
of that department as well, and rows of other departments do not exist. Grants of one course do
not count in this dialect.
"""

from functools import lru_cache

from starlette.exceptions import HTTPException
from starlette.requests import Request

from groupsvc.core.accounts.authentication import ACCOUNT
from groupsvc.core.departments.service import DepartmentService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import UnauthenticatedError
from groupsvc.domain.principal import Grant, Permission, Place, Principal, forbidden
from groupsvc.http.routing import Requires, app_state, bearer


class Everywhere(Requires):
    """A caller who holds a permission everywhere, or with ``None`` any caller who is known."""

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        """Raises UnauthenticatedError or ForbiddenError."""
        return self._admitted(await _caller(request, uow), None)

    def _admitted(self, principal: Principal, acronym: str | None) -> Principal:
        place = Place(acronym) if acronym is not None else None
        if self.permission is not None and not principal.may(self.permission, place):
            raise forbidden(self.permission)
        return _narrowed(principal, acronym)


class InDepartment(Everywhere):
    """The same in the department of the address, which a grant for all departments covers too."""

    async def authenticate_and_authorize(self, request: Request, uow: UnitOfWork) -> Principal:
        """Raises UnauthenticatedError, HTTPException 404 for the department, ForbiddenError."""
        principal = await _caller(request, uow)
        acronym: str = request.path_params["acronym"]
        # A grant that is stored refers to its department, which is therefore there.
        stored = principal.subject.startswith(ACCOUNT) and any(
            grant.department == acronym for grant in principal.grants
        )
        if not stored and not await DepartmentService(uow, principal).exists(acronym):
            raise HTTPException(404, f"Invalid dept: {acronym}")
        return self._admitted(principal, acronym)


async def _caller(request: Request, uow: UnitOfWork) -> Principal:
    token = bearer(request)
    if token is None:
        raise UnauthenticatedError("send a bearer token")
    return await app_state(request).authenticator.principal(uow, token)


@lru_cache(maxsize=1_000)
def _narrowed(principal: Principal, acronym: str | None) -> Principal:
    """What the caller may do at this address: all that services come to know of them."""
    place = Place(acronym) if acronym is not None else None
    held: list[Permission] = [each for each in Permission if principal.may(each, place)]
    grants = frozenset(Grant(permission, department=acronym) for permission in held)
    return Principal(principal.subject, principal.username, grants)
