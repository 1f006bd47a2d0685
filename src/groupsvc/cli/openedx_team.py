"""The team of a course of a running Open edX: staff, instructors and moderators.

The newest platform lists a team by version 2 of its instructor API, older ones role by role by the
API of their instructor dashboard. Not every platform gives it to every token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, TypeAdapter

from groupsvc.cli.remote_import import RemoteSystem
from groupsvc.domain.roles import Role

PAGE = 100
# A token that may not, a login page instead of an answer, a platform without the route or the role.
NOT_GIVEN: Final = frozenset({301, 302, 400, 401, 403, 404, 405})

ROLES: Final[Mapping[str, Role]] = {
    "staff": Role.STAFF,
    "limited_staff": Role.STAFF,
    "instructor": Role.INSTRUCTOR,
    "Administrator": Role.MODERATOR,
    "Moderator": Role.MODERATOR,
    "Community TA": Role.MODERATOR,
}
FORUM_ROLES: Final = ("Administrator", "Moderator", "Community TA")
YOUNG_ROLES: Final = ("limited_staff",)  # platforms that can be asked by role may not have them


class SourceUser(BaseModel):
    """A person there. Cohorts tell the whole name, teams its parts."""

    username: str
    email: str = ""
    name: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class SourceTeam:
    """Members with their roles here, and the roles about which the platform says everything."""

    members: Sequence[tuple[SourceUser, Role]] = ()
    known: frozenset[Role] = frozenset()


class _HeldRole(BaseModel):
    role: str


class _TeamMember(SourceUser):
    roles: list[_HeldRole]


class _TeamPage(BaseModel):
    next: str | None
    results: list[_TeamMember]


PAGES: Final = TypeAdapter(_TeamPage)
LISTS: Final = TypeAdapter(dict[str, list[SourceUser] | str])


async def read_team(system: RemoteSystem, path: str) -> SourceTeam:
    """Return the team of the course whose quoted key is ``path``."""
    members = await _listed(system, f"/api/instructor/v2/courses/{path}/team")
    if members is not None:
        return SourceTeam(members, frozenset(Role))
    lists = {name: await _with_role(system, path, name) for name in ROLES}
    unknown = {
        ROLES[name] for name, found in lists.items() if found is None and name not in YOUNG_ROLES
    }
    held = [(member, ROLES[name]) for name, found in lists.items() for member in found or ()]
    return SourceTeam(
        [(member, role) for member, role in held if role not in unknown],
        frozenset(Role) - unknown,
    )


async def _listed(system: RemoteSystem, path: str) -> list[tuple[SourceUser, Role]] | None:
    found: list[tuple[SourceUser, Role]] = []
    number, has_next = 1, True
    while has_next:
        params = {"page": number, "page_size": PAGE}
        page = await system.read("GET", path, PAGES, params=params, refusals=NOT_GIVEN)
        if page is None:
            return None
        for member in page.results:
            roles = {ROLES[held.role] for held in member.roles if held.role in ROLES}
            found += [(member, role) for role in sorted(roles)]
        number, has_next = number + 1, page.next is not None
    return found


async def _with_role(system: RemoteSystem, path: str, name: str) -> Sequence[SourceUser] | None:
    route = "list_forum_members" if name in FORUM_ROLES else "list_course_role_members"
    path = f"/courses/{path}/instructor/api/{route}"
    form = {"rolename": name}
    lists = await system.read("POST", path, LISTS, data=form, refusals=NOT_GIVEN)
    members = None if lists is None else lists.get(name)
    return None if isinstance(members, str) else members
