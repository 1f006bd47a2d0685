"""Those who are not in a file that says who is to be in its courses and groups."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from groupsvc.core.service import Service
from groupsvc.core.users.records import Sought
from groupsvc.domain import rules
from groupsvc.domain.errors import ConflictError, GroupsvcError, InvalidError
from groupsvc.domain.lookalikes import similar
from groupsvc.import_export import dangers
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.kinds import USER, WITHDRAWN
from groupsvc.import_export.list_repository import ListRepository, Missing
from groupsvc.import_export.lists import OF_COURSE, OF_GROUPS, Lists, Place
from groupsvc.import_export.options import Options
from groupsvc.import_export.places import Courses
from groupsvc.import_export.results import MissingAnswer, Result, RowAnswer
from groupsvc.import_export.tables import Row
from groupsvc.import_export.waiting import FULL

NO_LOCKS: Final[Mapping[int, bool]] = {}


class MissingPeople(Service):
    async def spare(
        self,
        lists: Lists,
        rows: Sequence[Row],
        answers: Sequence[RowAnswer],
        columns: Collection[str],
        courses: Courses,
    ) -> None:
        """Nobody is missing whom a refused row may mean. The ``columns`` tell whom.

        Who is meant by a row that finds no room is known, and where.
        """
        meant: dict[Sought, set[int]] = {}
        for row, answer in zip(rows, answers, strict=True):
            if answer.result != "refused" or answer.code == FULL:
                continue
            lists.unreadable |= row.fault is not None
            course = courses.get(next(iter(texts(row, ("course_key",))), None))
            if course is None:
                continue
            for text in texts(row, columns):
                meant.setdefault(Sought(text, similar(text)), set()).add(course.id)
        found = await self._uow.users.candidates(dict.fromkeys(meant)) if meant else {}
        for sought, candidates in found.items():
            for course_id in meant[sought]:
                lists.name((course_id, 0), [each.person.id for each in candidates])

    async def withdraw(self, lists: Lists, options: Options) -> list[MissingAnswer]:
        """Withdraw who is active in the courses of the file and not in it."""
        named = {place[0]: set(lists.named.get(place, ())) for place in lists.listed}
        if not named:
            return []
        missing = await self._uow.repository(ListRepository).missing_from_courses(named)
        before = {place: lists.before.get(place, 0) for place in lists.listed}
        brake = _Brake(lists, options, before, OF_COURSE)
        answers, going = _judged(brake, missing, "withdrawn")
        if going:
            places = [(each.course_id, each.user_id, WITHDRAWN) for each in going]
            await self._uow.repository(BatchRepository).enroll(places)
        return answers

    async def take_out(self, lists: Lists, options: Options) -> list[MissingAnswer]:
        """Take out who is in the groups of the file and not in it."""
        if not lists.listed:
            return []
        course_ids = {course_id for course_id, _ in lists.listed}
        locked = await self._uow.repository(BatchRepository).lock_courses(
            course_ids, for_lists=False
        )
        named = {
            place: {*lists.named.get(place, ()), *lists.named.get((place[0], 0), ())}
            for place in lists.listed
        }
        groups = [(*place, group) for place, listed in lists.listed.items() for group in listed]
        repository = self._uow.repository(ListRepository)
        missing = await repository.missing_from_groups(groups, named)
        before = {
            place: sum(listed.values()) + len(lists.lost.get(place, ()))
            for place, listed in lists.listed.items()
        }
        brake = _Brake(lists, options, before, OF_GROUPS, locked)
        answers, going = _judged(brake, missing, "removed")
        if going:
            await self._uow.memberships.remove_many(
                [(each.course_id, each.partition_id, each.user_id) for each in going]
            )
        return answers


class _Brake:
    """Decides whether those may go who are missing: from a place, and from all of the file."""

    def __init__(
        self,
        lists: Lists,
        options: Options,
        before: Mapping[Place, int],
        words: str,
        locked: Mapping[int, bool] = NO_LOCKS,
    ) -> None:
        self._lists = lists
        self._is_on = "large" not in options.accept
        self._before = before
        self._words = words
        self._locked = locked

    def of_all(self, places: Mapping[Place, Collection[Missing]]) -> GroupsvcError | None:
        """Why nobody goes."""
        if self._lists.unreadable:
            return ConflictError(
                "rows cannot be read, so that nobody can be said to be missing",
                code="incomplete_list",
            )
        lost = sum(self._lost(place, places.get(place, ())) for place in self._before)
        return self._too_large(lost, sum(self._before.values()))

    def of_place(self, place: Place, people: Collection[Missing]) -> GroupsvcError | None:
        """Why nobody goes from there."""
        if self._locked.get(place[0], False):
            return rules.course_locked()
        return self._too_large(self._lost(place, people), self._before[place])

    def _lost(self, place: Place, people: Iterable[Missing]) -> int:
        """With those whom rows take out, who may be back."""
        return len({each.user_id for each in people} | self._lists.lost.get(place, set()))

    def _too_large(self, lost: int, before: int) -> GroupsvcError | None:
        is_large = self._is_on and dangers.is_large(lost, before)
        return dangers.large(lost, before, self._words) if is_large else None


def _judged(
    brake: _Brake, missing: Iterable[Missing], result: Result
) -> tuple[list[MissingAnswer], list[Missing]]:
    """What becomes of everybody, and who goes."""
    places: dict[Place, list[Missing]] = {}
    for each in missing:
        places.setdefault((each.course_id, each.partition_id), []).append(each)
    answers: list[MissingAnswer] = []
    going: list[Missing] = []
    whole = brake.of_all(places)
    for place, people in places.items():
        why = brake.of_place(place, people) or whole
        answers += [_answer(each, "refused" if why is not None else result, why) for each in people]
        going += people if why is None else []
    return answers, going


def _answer(each: Missing, result: Result, why: GroupsvcError | None = None) -> MissingAnswer:
    told = (why.code, why.message) if why is not None else (None, None)
    return MissingAnswer(each.course_key, each.partition, each.group, each.user, result, *told)


def texts(row: Row, columns: Iterable[str]) -> list[str]:
    """Names in the cells of a row, as far as these can be read; the row may be refused."""
    found: list[str] = []
    for column in columns:
        try:
            text = USER.read(column, row.cells.get(column, ""))
        except InvalidError:
            continue
        if text:
            found.append(text)
    return found
