"""Writes the team of an Open edX course: here it has just the roles that it has there."""

from collections.abc import Iterator

from groupsvc.cli.openedx_people import People
from groupsvc.cli.openedx_team import SourceTeam
from groupsvc.cli.remote_import import CopiedRow
from groupsvc.cli.runtime import OPERATOR
from groupsvc.core.roles.service import RoleService, Team
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.roles import Role

Held = dict[tuple[str, Role], None]  # in order


async def write_team(
    uow: UnitOfWork, people: People, course_id: int, source: SourceTeam
) -> list[CopiedRow]:
    """Return a row per role. Roles of which the platform does not tell all stay as they are."""
    service = RoleService(uow, OPERATOR)
    held = _held(await service.team(course_id))
    found = await people.find_or_create(user for user, _ in source.members)
    wanted: Held = {}
    rows: list[CopiedRow] = []
    for user, role in source.members:
        person = found.get(user.username)
        if person is None:
            rows.append(_row(user.username, role, "refused", "unknown_user"))
            continue
        one = (person.username, role)
        if one not in wanted:
            rows.append(_row(*one, "unchanged" if one in held else "assigned"))
        wanted[one] = None
    lost = [one for one in held if one not in wanted and one[1] in source.known]
    kept = [one for one in held if one[1] not in source.known]
    await service.replace_team(course_id, [(name, [role]) for name, role in (*wanted, *kept)])
    return rows + [_row(*one, "removed") for one in lost]


def _held(team: Team) -> Held:
    def pairs() -> Iterator[tuple[str, Role]]:
        for member in team.data["members"]:
            for role in member["roles"]:
                yield member["username"], Role(role)

    return dict.fromkeys(pairs())


def _row(username: str, role: Role, result: str, code: str | None = None) -> CopiedRow:
    return CopiedRow((f"team: {role}",), username, result, code, "team")
