"""Which rows of a structure move something in its list, judged before the list is put in order."""

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field, replace

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain import rules
from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.list_orders import List, Orders, Wanted, both
from groupsvc.import_export.places import Courses
from groupsvc.import_export.results import ReadRow, RowAnswer, refused
from groupsvc.import_export.structure_plan import StructurePlan


@dataclass(slots=True)
class Moves:
    """What the rows of a batch ask for, and the line that was the first to ask for it."""

    wanted: dict[List, dict[int, int]] = field(default_factory=dict[List, dict[int, int]])
    lines: dict[tuple[List, int], int] = field(default_factory=dict[tuple[List, int], int])

    def add(self, line: int, of: List, member: int, place: int) -> None:
        places = self.wanted.setdefault(of, {})
        if places.get(member) != place:
            places[member] = place
            self.lines[of, member] = line


class StructureOrders:
    def __init__(self, uow: UnitOfWork, courses: Courses, plan: StructurePlan) -> None:
        self._uow = uow
        self._courses = courses
        self._plan = plan

    async def judge(
        self, rows: Sequence[ReadRow], answers: Sequence[RowAnswer], orders: Orders
    ) -> tuple[list[RowAnswer], Orders]:
        """The answers, and what is to become of the lists. A locked course keeps its order."""
        moves = self._moves(zip(rows, answers, strict=True))
        if not moves.wanted:
            return list(answers), orders
        names = await self._uow.repository(BatchRepository).orders(moves.wanted)
        given = {of: Wanted(places) for of, places in moves.wanted.items()}
        merged = both(orders, given)
        moved = {
            of: _moved(orders.get(of, Wanted()).arrange(listed), merged[of].arrange(listed))
            for of, listed in names.items()
        }
        moving: dict[int, list[List]] = {}
        for (of, member), line in moves.lines.items():
            if member in moved[of]:
                moving.setdefault(line, []).append(of)
        locked = {of for of in given if self._courses.is_locked(of.course_id)}
        judged = [_judge(each, moving.get(each.line, ()), locked) for each in answers]
        return judged, both(orders, {of: each for of, each in given.items() if of not in locked})

    def _moves(self, rows: Iterable[tuple[ReadRow, RowAnswer]]) -> Moves:
        moves = Moves()
        for (line, row), answer in rows:
            if isinstance(row, GroupsvcError) or answer.result == "refused":
                continue
            course = self._courses.find(row["course_key"])
            key = (course.id, row["partition"])
            partition_id = self._plan.partition(key).id
            if "partition_position" in row:
                moves.add(line, List(course.id), partition_id, row["partition_position"])
            if "group" in row and "position" in row:
                group_id = self._plan.group(key, row["group"]).id
                moves.add(line, List(course.id, partition_id), group_id, row["position"])
        return moves


def _judge(answer: RowAnswer, moving: Collection[List], locked: Set[List]) -> RowAnswer:
    if answer.result != "unchanged" or not moving:
        return answer
    if not locked.isdisjoint(moving):
        return refused(answer.line, rules.course_locked())
    return replace(answer, result="updated")


def _moved(before: Sequence[int], after: Sequence[int]) -> set[int]:
    return {one for one, other in zip(after, before, strict=True) if one != other}
