"""Partitions and groups that rows name otherwise than they are called now."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field

from groupsvc.core.naming.names import Match, Names
from groupsvc.core.naming.repository import FormerName, NamingRepository
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import GroupsvcError
from groupsvc.domain.lookalikes import lookalike
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.dangers import ALLOWED_BY, Accepted, Note, ambiguous, note, reused
from groupsvc.import_export.records import Course, PartitionState

PartitionKey = tuple[int, str]  # course, name
GroupKey = tuple[int, str, str]  # course, partition, name
Sees = Callable[[str, str | None], bool]  # department, course


@dataclass(slots=True)
class Meant:
    """What names stand for: the name that is meant, with what is to be said of it.

    Names that stand for themselves are left out. ``refusals`` are those of names that may mean
    several.
    """

    names: dict[str, str] = field(default_factory=dict[str, str])
    notes: dict[str, Note] = field(default_factory=dict[str, Note])
    refusals: dict[str, GroupsvcError] = field(default_factory=dict[str, GroupsvcError])


class Naming:
    """Finds what is meant. ``creates`` is whether names that mean nothing make something new.

    Of new names that look alike the first is meant by all. What is ``accepted`` is taken literally
    where it can be made.
    """

    def __init__(self, uow: UnitOfWork, *, creates: bool, accept: Accepted) -> None:
        self._uow = uow
        self._creates = creates
        self._accept = accept
        self._former: dict[int, list[FormerName]] = {}

    async def courses(
        self, keys: Collection[str], sees: Sees, *, ids: Container[str] = ()
    ) -> tuple[Meant, dict[str, Course]]:
        """Of courses that the caller may see; those that are meant come with it, by key.

        What are ``ids`` of another system look like nothing.
        """
        found = await self._uow.repository(BatchRepository).similar_courses(keys) if keys else []
        seen = [each for each in found if sees(each.department, each.key)]
        known = {each.key: each for each in seen}
        former = [(each.former, each.id) for each in seen if each.former is not None]
        names = Names({key: each.id for key, each in known.items()}, former)
        return self._meant("course", keys, names, ids), known

    async def departments(self, acronyms: Collection[str], sees: Sees) -> Meant:
        found = await self._uow.repository(BatchRepository).similar_departments(acronyms)
        ids = {acronym: each for acronym, each in found.items() if sees(acronym, None)}
        return self._meant("department", acronyms, Names(ids))

    async def partitions(
        self, keys: Iterable[PartitionKey], known: Iterable[PartitionState] | None = None
    ) -> dict[int, Meant]:
        """By course; reads the partitions of the courses unless they are ``known``."""
        by_course: dict[int, list[str]] = {}
        for course_id, name in keys:
            by_course.setdefault(course_id, []).append(name)
        if not by_course:
            return {}
        if known is None:
            known = await self._uow.repository(BatchRepository).partitions(by_course)
        ids: dict[int, dict[str, int]] = {}
        for each in known:
            ids.setdefault(each.course_id, {})[each.name] = each.id
        former = await self.former(by_course)
        return {
            course_id: self._meant(
                "partition",
                names,
                Names(
                    ids.get(course_id, {}),
                    [(each.name, each.partition_id) for each in former if each.group_id is None],
                ),
            )
            for course_id, names in by_course.items()
        }

    async def groups(
        self, keys: Iterable[GroupKey], partitions: Mapping[PartitionKey, int]
    ) -> dict[PartitionKey, Meant]:
        """``partitions`` are ids of those that there are."""
        by_partition: dict[PartitionKey, list[str]] = {}
        for course_id, partition, name in keys:
            by_partition.setdefault((course_id, partition), []).append(name)
        places = {(key[0], partitions[key]) for key in by_partition if key in partitions}
        ids: dict[int, dict[str, int]] = {}
        former: list[FormerName] = []
        if places:
            ids = await self._uow.repository(NamingRepository).group_names(places)
            former = await self.former({course_id for course_id, _ in places})
        bearers = [(each.name, each.group_id) for each in former if each.group_id is not None]
        return {
            key: self._meant("group", names, Names(ids.get(partitions.get(key, 0), {}), bearers))
            for key, names in by_partition.items()
        }

    async def reused(
        self, keys: Iterable[GroupKey], partitions: Mapping[PartitionKey, int]
    ) -> dict[GroupKey, Note]:
        """What is to be said of names of groups that others had before."""
        named = [key for key in keys if key[:2] in partitions]
        if not named:
            return {}
        former = {
            (each.partition_id, each.name): each.bearer
            for each in await self.former({key[0] for key in named})
            if each.group_id is not None
        }
        bearers = {key: former.get((partitions[key[:2]], key[2])) for key in named}
        return {
            key: reused(bearer)
            for key, bearer in bearers.items()
            if bearer is not None and bearer != key[2]
        }

    async def former(self, course_ids: Collection[int]) -> list[FormerName]:
        """What partitions and groups of the courses were called; each course is read once."""
        if unread := set(course_ids) - self._former.keys():
            found = await self._uow.repository(NamingRepository).former_names(unread)
            self._former |= {course_id: [] for course_id in unread}
            for each in found:
                self._former[each.course_id].append(each)
        return [each for course_id in course_ids for each in self._former[course_id]]

    def _meant(
        self, what: str, texts: Iterable[str], names: Names, ids: Container[str] = ()
    ) -> Meant:
        meant, new = Meant(), dict[str, str]()
        for text in dict.fromkeys(texts):
            match = names.find_id(text) if text in ids else names.find(text)
            if match is None or self._is_literal(match):
                if text not in ids:
                    self._add_new(meant, new, text)
            elif match.name is None:
                meant.refusals[text] = ambiguous(what, match.near)
            elif match.how != "exact":
                meant.names[text] = match.name
                meant.notes[text] = note(match.how, match.name)
        return meant

    def _is_literal(self, match: Match) -> bool:
        return self._creates and ALLOWED_BY.get(match.how) in self._accept

    def _add_new(self, meant: Meant, new: dict[str, str], text: str) -> None:
        if not self._creates or "lookalike" in self._accept:
            return
        first = new.setdefault(lookalike(text), text)
        if first != text:
            meant.names[text] = first
            meant.notes[text] = note("lookalike", first)
