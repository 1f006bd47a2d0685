"""The same rules as a model of CP-SAT: each has pieces, and what breaks one is a variable.

A search and an exact check so count alike; ``tests/allocation`` holds one against the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model
from ortools.sat.python.cp_model import CpModel, IntVar, LinearExpr

from groupsvc.allocation.instance import Instance
from groupsvc.allocation.teams import measures
from groupsvc.allocation.teams.board import Board


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of ``rule`` (-1: most, -2: least members); ``item``: its set or group, if any."""

    rule: int
    item: int
    broken: IntVar | LinearExpr | int


class TeamModel:
    def __init__(self, board: Board) -> None:
        self.board, self.model = board, CpModel()
        self.instance: Instance = board.instance
        self.people, self.groups = len(self.instance.people), len(self.instance.groups)
        self.x: list[dict[int, IntVar]] = [
            {group: self.model.new_bool_var("") for group in allowed} for allowed in board.allowed
        ]
        for each in self.x:
            self.model.add_exactly_one(each.values())
        self.size = [
            self._sum(range(self.people), group, self.people) for group in range(self.groups)
        ]
        self.used = [self.model.new_bool_var("") for _ in range(self.groups)]
        for size, used in zip(self.size, self.used, strict=True):
            self.model.add(size >= 1).only_enforce_if(used)
            self.model.add(size == 0).only_enforce_if(~used)
        self.pieces = self._sizes()
        for at, measure in enumerate(board.measures):
            self.pieces += self._pieces(at, measure)

    def _number(self, most: int) -> IntVar:
        return self.model.new_int_var(0, most, "")

    def _sum(self, people: Sequence[int] | range, group: int, most: int) -> IntVar:
        total = self._number(most)
        self.model.add(total == sum(self.x[who][group] for who in people if group in self.x[who]))
        return total

    def _least(self, most: int, *expressions: LinearExpr | int) -> IntVar:
        """A variable that is no less than any of these, nor than 0."""
        variable = self._number(most)
        for each in expressions:
            self.model.add(variable >= each)
        return variable

    def _sizes(self) -> list[Piece]:
        pieces: list[Piece] = []
        for at, group in enumerate(self.instance.groups):
            over = self._least(self.people, self.size[at] - self.instance.most[at])
            pieces.append(Piece(-1, at, over))
            if group.min:
                under = self._number(group.min)
                lacking = self.model.add(under >= group.min - self.size[at])
                if group.optional:
                    lacking.only_enforce_if(self.used[at])
                pieces.append(Piece(-2, at, under))
        return pieces

    def _pieces(self, rule: int, measure: measures.Measure) -> list[Piece]:
        if isinstance(measure, measures.Sets):
            return self._sets(rule, measure)
        if isinstance(measure, measures.Each):
            total = sum(
                measure.cost(who, group) * variable
                for who, each in enumerate(self.x)
                for group, variable in each.items()
            )
            return [Piece(rule, -1, total)]
        parts = [self._in_group(measure, group) for group in range(self.groups)]
        return [Piece(rule, -1, sum(parts))]

    def _in_group(self, measure: measures.Measure, group: int) -> LinearExpr | int:
        match measure:
            case measures.Spread():
                return self._spread(measure, group)
            case measures.Cluster():
                return self._cluster(measure, group)
            case measures.NeverAlone():
                return self._never_alone(measure, group)
            case measures.Quota():
                return self._quota(measure, group)
            case measures.Balance():
                return self._balance(measure, group)
            case measures.Overlap():
                return self._overlap(measure, group)
            case measures.MeetNew():
                return self._meet_new(measure, group)
            case _:
                raise TypeError(type(measure))

    def _sets(self, rule: int, measure: measures.Sets) -> list[Piece]:
        """Pairs are a table of counts: convex for apart, concave for together."""
        pieces: list[Piece] = []
        for item, each in enumerate(measure.sets):
            count = len(each)
            pairs = [n * (n - 1) // 2 for n in range(count + 1)]
            inside: list[IntVar] = []
            for group in range(self.groups):
                met = self._number(pairs[-1])
                self.model.add_element(self._sum(each, group, count), pairs, met)
                inside.append(met)
            together = measure.constant > 0
            broken = pairs[-1] - sum(inside) if together else sum(inside)
            pieces.append(Piece(rule, item, broken))
        return pieces

    def _having(self, values: Sequence[int], value: int, group: int) -> IntVar:
        people = [who for who, each in enumerate(values) if each == value]
        return self._sum(people, group, len(people))

    def _spread(self, measure: measures.Spread, group: int) -> LinearExpr | int:
        parts: list[IntVar] = []
        for value, total in measure.totals.items():
            shares = [divmod(total * size, self.people) for size in range(self.people + 1)]
            low, high = self._number(self.people), self._number(self.people)
            self.model.add_element(self.size[group], [share for share, _ in shares], low)
            self.model.add_element(self.size[group], [s + (r > 0) for s, r in shares], high)
            have = self._having(measure.values, value, group)
            parts.append(self._least(self.people, low - have, have - high))
        return sum(parts)

    def _cluster(self, measure: measures.Cluster, group: int) -> LinearExpr | int:
        counts = [self._having(measure.values, value, group) for value in measure.number.values()]
        most = self._number(self.people)
        self.model.add_max_equality(most, counts)
        return sum(counts) - most

    def _never_alone(self, measure: measures.NeverAlone, group: int) -> LinearExpr | int:
        several = self.model.new_bool_var("")
        self.model.add(self.size[group] <= 1).only_enforce_if(~several)
        alone: list[IntVar] = []
        for value in sorted({value for value in measure.values if value >= 0}):
            have = self._having(measure.values, value, group)
            one, single = self.model.new_bool_var(""), self.model.new_bool_var("")
            table = [1 if count == 1 else 0 for count in range(self.people + 1)]
            self.model.add_element(have, table, one)
            self.model.add(single >= one + several - 1)
            alone.append(single)
        return sum(alone)

    def _quota(self, measure: measures.Quota, group: int) -> LinearExpr | int:
        have = self._having(measure.has, 1, group)
        over = 0 if measure.most is None else have - measure.most
        broken = self._least(max(self.people, measure.least), over)
        self.model.add(broken >= measure.least - have).only_enforce_if(self.used[group])
        return broken

    def _balance(self, measure: measures.Balance, group: int) -> LinearExpr | int:
        away = sum(
            (self.people * measure.numbers[who] - measure.total) * each[group]
            for who, each in enumerate(self.x)
            if group in each
        )
        broken = self._number(1000 * self.people)
        held = broken + measure.tolerance * self.size[group]
        # Rounded down, as the search does: the least whole number above the thousandths less one.
        for sign in (1, -1):
            self.model.add(held * measure.unit >= sign * 1000 * away - (measure.unit - 1))
        return broken

    def _overlap(self, measure: measures.Overlap, group: int) -> LinearExpr | int:
        slots = max((free.bit_length() for free in measure.free), default=0)
        shared: list[IntVar] = []
        for slot in range(slots):
            all_free = self.model.new_bool_var("")
            for who, free in enumerate(measure.free):
                if not free >> slot & 1 and group in self.x[who]:
                    self.model.add_implication(all_free, ~self.x[who][group])
            shared.append(all_free)
        broken = self._number(measure.slots)
        lacking = self.model.add(broken >= measure.slots - sum(shared))
        lacking.only_enforce_if(self.used[group])
        return broken

    def _meet_new(self, measure: measures.MeetNew, group: int) -> LinearExpr | int:
        again: list[LinearExpr] = []
        for who, met in enumerate(measure.met):
            for other, times in met.items():
                if who < other and group in self.x[who] and group in self.x[other]:
                    both = self.model.new_bool_var("")
                    self.model.add(both >= self.x[who][group] + self.x[other][group] - 1)
                    again.append(both * times)
        return sum(again)

    def broken(self, rule: int) -> LinearExpr | int:
        return sum(piece.broken for piece in self.pieces if piece.rule == rule)

    def hint(self, assignment: Sequence[int]) -> None:
        self.model.clear_hints()
        for who, each in enumerate(self.x):
            for group, variable in each.items():
                self.model.add_hint(variable, assignment[who] == group)

    def assignment(self, solver: cp_model.CpSolver) -> list[int]:
        return [
            next(group for group, variable in each.items() if solver.boolean_value(variable))
            for each in self.x
        ]
