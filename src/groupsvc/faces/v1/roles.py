"""Roles of persons: the team of a course, and all roles of one person."""

from typing import Annotated

from pydantic import Field

from groupsvc.domain.principal import Permission
from groupsvc.domain.roles import Role
from groupsvc.faces.v1.endpoints import IfMatchDep, Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Input, Output, PathId
from groupsvc.http.dependencies import RoleServiceDep

routes = Routes("roles")

# Not strict, which would take a member of the enumeration and no text.
RoleName = Annotated[Role, Field(strict=False)]
Roles = Annotated[list[RoleName], Field(max_length=len(Role), examples=[["instructor"]])]
RoleText = Annotated[
    str,
    Field(
        max_length=2000,
        description="`role`, `role@department:ACRONYM` or `role@course:KEY`",
        examples=["staff@department:MATH"],
    ),
]


class MemberIn(Input):
    username: Annotated[str, Field(max_length=2000, examples=["anna"])]
    roles: Annotated[Roles, Field(min_length=1)]


class TeamIn(Input):
    members: Annotated[list[MemberIn], Field(max_length=1000)]


class TeamMemberIn(Input):
    roles: Roles


class TeamMemberOut(Output):
    user_id: Id
    username: str
    family_name: str
    given_name: str
    roles: list[Role]


class TeamOut(Output):
    members: Annotated[list[TeamMemberOut], Field(description="By name")]


class UserRolesIn(Input):
    roles: Annotated[list[RoleText], Field(max_length=1000)]


class UserRolesOut(Output):
    roles: list[RoleText]


@routes.get(
    "/courses/{course_id:int}/team", "The team of a course", TeamOut, permission=Permission.ADMIN
)
async def get_team(course_id: PathId, roles: RoleServiceDep) -> Resource:
    """Persons with a role in this very course; roles in its department are not listed."""
    return await roles.team(course_id)


@routes.put(
    "/courses/{course_id:int}/team",
    "Replace the team of a course",
    TeamOut,
    permission=Permission.ADMIN,
)
async def put_team(
    course_id: PathId, body: TeamIn, roles: RoleServiceDep, expected: IfMatchDep
) -> Resource:
    """The list replaces the one before, so that sending it again changes nothing.

    `staff` and `instructor` read and write the groups of the course, `moderator` reads them. It
    holds at once for tokens of the identity provider that name the person.
    """
    members = [(member.username, member.roles) for member in body.members]
    return await roles.replace_team(course_id, members, expected=expected)


@routes.put(
    "/courses/{course_id:int}/team/{user_id:int}",
    "Set the roles of one member",
    TeamOut,
    permission=Permission.ADMIN,
)
async def put_team_member(
    course_id: PathId,
    user_id: PathId,
    body: TeamMemberIn,
    roles: RoleServiceDep,
    expected: IfMatchDep,
) -> Resource:
    """An empty list takes them out of the team."""
    return await roles.set_member(course_id, user_id, body.roles, expected=expected)


@routes.get(
    "/users/{user_id:int}/roles", "All roles of a user", UserRolesOut, permission=Permission.ADMIN
)
async def get_user_roles(user_id: PathId, roles: RoleServiceDep) -> Resource:
    """In courses, in departments and everywhere. For whoever administers everywhere."""
    return await roles.of_user(user_id)


@routes.put(
    "/users/{user_id:int}/roles",
    "Replace all roles of a user",
    UserRolesOut,
    permission=Permission.ADMIN,
)
async def put_user_roles(
    user_id: PathId, body: UserRolesIn, roles: RoleServiceDep, expected: IfMatchDep
) -> Resource:
    """A role without a place holds everywhere."""
    return await roles.replace_of_user(user_id, body.roles, expected=expected)
