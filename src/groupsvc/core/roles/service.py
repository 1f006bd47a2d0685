"""Who acts by which role where: the team of a course, and all roles of a person."""

from collections.abc import Sequence
from typing import Any

from groupsvc.core.courses.repository import LockedCourse
from groupsvc.core.service import OUTSIDE, IfMatch, Service
from groupsvc.core.users.service import LONGEST_USERNAME
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.names import normalise
from groupsvc.domain.principal import GrantScope, Permission
from groupsvc.domain.roles import HeldRole, Role, parse_role

ANYWHERE = GrantScope(everywhere=True, departments=(), courses=())

Team = JsonResource[dict[str, Any]]


class RoleService(Service):
    """Whoever may administer a course decides about its team; whoever may everywhere, about all.

    What a role lets a person do holds for the tokens of the identity provider that name them.
    """

    async def team(self, course_id: int) -> Team:
        document = await self._uow.roles.team(course_id)
        return self._authorize_read(document, "course", Permission.ADMIN)

    async def replace_team(
        self,
        course_id: int,
        members: Sequence[tuple[str, Sequence[Role]]],
        *,
        expected: IfMatch | None = None,
    ) -> Team:
        """Give a course just these members. Raises InvalidError for a username of nobody."""
        course = await self._get_for_update(course_id)
        await self._check_team(course, expected)
        lines = [
            (number, _username(username, number), role)
            for number, (username, roles) in enumerate(members)
            for role in roles
        ]
        lost = await self._uow.roles.replace_team(course.id, [line[1:] for line in lines])
        if lost is not None:
            raise InvalidError(
                "there is no such user",
                code="unknown_user",
                pointer=f"#/members/{lines[lost - 1][0]}/username",
            )
        return await self.team(course.id)

    async def set_member(
        self,
        course_id: int,
        user_id: int,
        roles: Sequence[Role],
        *,
        expected: IfMatch | None = None,
    ) -> Team:
        """Give one user just these roles in a course; none takes them out of the team."""
        course = await self._get_for_update(course_id)
        await self._check_team(course, expected)
        user = await self._uow.users.get_for_update(user_id, ANYWHERE)
        if user is None:
            raise NotFoundError("no such user")
        wanted = [(user.username, role) for role in roles]
        await self._uow.roles.replace_team(course.id, wanted, user.id)
        return await self.team(course.id)

    async def of_user(self, user_id: int) -> JsonResource[dict[str, Any]]:
        self._require(Permission.ADMIN)
        return await self._of_user(user_id)

    async def replace_of_user(
        self, user_id: int, texts: Sequence[str], *, expected: IfMatch | None = None
    ) -> JsonResource[dict[str, Any]]:
        """Replace all roles of a user. Raises InvalidError, which points at the first wrong one."""
        self._require(Permission.ADMIN)
        wanted = [_parsed(text, line) for line, text in enumerate(texts)]
        await self._uow.begin()
        user = await self._uow.users.get_for_update(user_id, ANYWHERE)
        if user is None:
            raise NotFoundError("no such user")
        if expected is not None:
            document = await self._of_user(user.id)
            about = {"course_id": OUTSIDE, "user_id": user.id}
            await self._check_if_match(expected, document, "role", **about)
        lost = await self._uow.roles.replace_of_user(user.id, wanted)
        if lost is not None:
            raise InvalidError(
                "there is no such department or course",
                code="unknown_place",
                pointer=f"#/roles/{lost - 1}",
            )
        return await self._of_user(user.id)

    async def _get_for_update(self, course_id: int) -> LockedCourse:
        await self._uow.begin()
        course = await self._uow.courses.get_for_update(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.ADMIN, course.department, course.key)
        return course

    async def _check_team(self, course: LockedCourse, expected: IfMatch | None) -> None:
        if expected is not None:
            document = await self._uow.roles.team(course.id)
            await self._check_if_match(expected, document, "role", course_id=OUTSIDE)

    async def _of_user(self, user_id: int) -> JsonResource[dict[str, Any]]:
        document = await self._uow.roles.of_user(user_id)
        if document is None:
            raise NotFoundError("no such user")
        return document


def _username(text: str, number: int) -> str:
    return normalise(text, field=f"members/{number}/username", longest=LONGEST_USERNAME)


def _parsed(text: str, line: int) -> HeldRole:
    try:
        return parse_role(text)
    except InvalidError as error:
        raise InvalidError(error.message, code="invalid_role", pointer=f"#/roles/{line}") from error
