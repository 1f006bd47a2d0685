"""The caller themself."""

from groupsvc.faces.v1.account_schemas import MeOut
from groupsvc.faces.v1.endpoints import Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import MyGroup
from groupsvc.http.dependencies import CallerServiceDep, MembershipServiceDep

routes = Routes("me")


@routes.get("/me", "The caller", MeOut, permission=None)
async def get_me(callers: CallerServiceDep) -> Resource:
    """The caller, their grants, and their entry in the roster if the token names one."""
    return await callers.me()


@routes.get("/me/groups", "My groups", list[MyGroup], permission=None)
async def list_my_groups(memberships: MembershipServiceDep) -> Resource:
    """The caller's groups over all courses, by course and partition."""
    return await memberships.mine()
