"""Who and what is meant by the names in the rows of a batch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from groupsvc.core.aside import aside
from groupsvc.core.memberships.planning import AmbiguousRow, Plan
from groupsvc.core.memberships.repository import GroupOccupancy
from groupsvc.core.naming.names import Match, Names
from groupsvc.core.naming.repository import NamingRepository
from groupsvc.core.partitions.repository import LockedPartition
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.identifiers import lookup_text
from groupsvc.core.users.recognition import Recognised, recognise
from groupsvc.domain.lookalikes import MOST_NEAR
from groupsvc.domain.principal import Principal


@dataclass(slots=True)
class NamesInRows:
    """By lookup text: users, and groups that are not called so now."""

    users: Mapping[str, Recognised] = field(default_factory=dict[str, Recognised])
    group_ids: Mapping[str, int] = field(default_factory=dict[str, int])
    groups: Mapping[str, Match] = field(default_factory=dict[str, Match])

    def user(self, name: str) -> tuple[int | None, str | None]:
        """The id of the user, or why there is none."""
        found = self.users.get(lookup_text(name) or "")
        if found is None:
            return None, None
        return (found.person.id, None) if found.person is not None else (None, "ambiguous_user")

    def group(self, name: str) -> tuple[int | None, str | None]:
        text = lookup_text(name) or ""
        match = self.groups.get(text)
        if match is not None and match.name is None:
            return None, "ambiguous_group"
        group_id = self.group_ids.get(match.name if match is not None and match.name else text)
        return group_id, None if group_id is not None else "unknown_group"

    def _near(self, code: str | None, user: str, group: str) -> tuple[str, ...]:
        found: Recognised | Match | None = None
        if code == "ambiguous_user":
            found = self.users.get(user)
        elif code == "ambiguous_group":
            found = self.groups.get(group)
        return tuple(sorted(found.near)[:MOST_NEAR]) if found is not None else ()

    def say(self, made: Plan, rows: Sequence[tuple[object, object]]) -> None:
        """Say of rows that are done how they were read, and of others what they may mean."""
        if not self.groups and all(found.how == "exact" for found in self.users.values()):
            return
        for place, answer in enumerate(made.answers):
            user, group = (lookup_text(text) or "" for text in rows[answer.line - 1])
            near = self._near(answer.code, user, group)
            if near:
                made.answers[place] = AmbiguousRow(**asdict(answer), near=near)
            for found in (self.users.get(user), self.groups.get(group)):
                if answer.code is None and found is not None and found.how != "exact":
                    answer.code = found.how


async def read_names(
    uow: UnitOfWork,
    principal: Principal,
    held: LockedPartition,
    rows: Sequence[tuple[object, object]],
    groups: Mapping[int, GroupOccupancy],
) -> NamesInRows:
    """``rows`` are names of user and group, None where a row has an id."""
    size = len(rows)
    users = await aside(size, _texts, (user for user, _ in rows))
    named = [(text, held.department) for text in users]
    people = await recognise(uow, principal, named) if named else {}
    ids = {group.name: id_ for id_, group in groups.items() if group.name is not None}
    found = NamesInRows({text: each for (text, _), each in people.items()}, ids)
    asked = await aside(size, _texts, (group for _, group in rows))
    unknown = [text for text in asked if text not in ids]
    if unknown:
        former = await uow.repository(NamingRepository).former_names([held.course_id])
        bearers = [(each.name, each.group_id) for each in former if each.group_id is not None]
        names = Names(ids, bearers)
        found.groups = {text: match for text in unknown if (match := names.find(text)) is not None}
    return found


def _texts(names: Iterable[object]) -> list[str]:
    return sorted({text for text in map(lookup_text, names) if text is not None})
