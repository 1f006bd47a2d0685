"""The smallest clashing subset of hard rules, by CP-SAT, and what would mend it most cheaply."""

from typing import Final

from ortools.sat.python import cp_model

from groupsvc.allocation import rules
from groupsvc.allocation.clash import Clash, listed
from groupsvc.allocation.teams.board import Board
from groupsvc.allocation.teams.exact import make_solver
from groupsvc.allocation.teams.model import Piece, TeamModel

# Of participants times groups, up to which a core is looked for, and how long each time.
LARGEST: Final = 40_000
EFFORT: Final = 10.0


def explain(board: Board, effort: float = EFFORT) -> Clash | None:
    """None if it was not proved within the effort that the hard rules clash."""
    if len(board.instance.people) * len(board.instance.groups) > LARGEST:
        return None
    return _Explanation(board, effort).clash()


class _Explanation:
    def __init__(self, board: Board, effort: float) -> None:
        self._board, self._effort = board, effort
        self._team = TeamModel(board)
        self._pieces = [
            piece for piece in self._team.pieces if piece.rule < 0 or board.rules[piece.rule].hard
        ]
        self._holds = [self._team.model.new_bool_var("") for _ in self._pieces]
        for piece, holds in zip(self._pieces, self._holds, strict=True):
            self._team.model.add(piece.broken <= 0).only_enforce_if(holds)

    def clash(self) -> Clash | None:
        core = self._core(list(range(len(self._pieces))))
        if core is None:
            return None
        minimal = True
        for at in list(core):
            rest = [other for other in core if other != at]
            status, found = self._try(rest)
            if status == cp_model.INFEASIBLE:
                core = found
            minimal = minimal and status != cp_model.UNKNOWN
        parts = tuple(self._words(self._pieces[at]) for at in core)
        return Clash(parts, self._mend(core), proof="solver", minimal=minimal)

    def _core(self, assumed: list[int]) -> list[int] | None:
        status, core = self._try(assumed)
        return core if status == cp_model.INFEASIBLE else None

    def _try(self, assumed: list[int]) -> tuple[object, list[int]]:
        model = self._team.model
        model.clear_assumptions()
        model.clear_objective()
        model.add_assumptions([self._holds[at] for at in assumed])
        solver = make_solver(self._effort)
        status = solver.solve(model)
        if status != cp_model.INFEASIBLE:
            return status, assumed
        named = set(solver.sufficient_assumptions_for_infeasibility())
        return status, [at for at in assumed if self._holds[at].index in named]

    def _mend(self, core: list[int]) -> str:
        """Everything else holds, and of the core as little as possible is given up."""
        model = self._team.model
        model.clear_assumptions()
        model.add_assumptions([h for at, h in enumerate(self._holds) if at not in core])
        model.minimize(sum(self._pieces[at].broken for at in core))
        solver = make_solver(self._effort)
        if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return "More than one of these has to give way"
        given = [(self._pieces[at], solver.value(self._pieces[at].broken)) for at in core]
        return "; ".join(self._give_way(piece, by) for piece, by in given if by)

    def _names(self, item: int, rule: rules.Together | rules.Apart) -> str:
        sets = rule.parties if isinstance(rule, rules.Together) else rule.sets
        return listed(sorted(set(sets[item])))

    def _words(self, piece: Piece) -> str:
        groups = self._board.instance.groups
        if piece.rule == -1:
            return f"{groups[piece.item].id} holds {self._board.instance.most[piece.item]}"
        if piece.rule == -2:
            return f"{groups[piece.item].id} needs {groups[piece.item].min} at least"
        return self._said(piece)

    def _said(self, piece: Piece) -> str:  # noqa: C901 - a line for each rule
        rule = self._board.rules[piece.rule]
        match rule:
            case rules.Together():
                return f"{self._names(piece.item, rule)} must be together"
            case rules.Apart():
                return f"{self._names(piece.item, rule)} must be apart"
            case rules.Spread() | rules.Cluster():
                return f"{rule.kind} {rule.attribute} in every group"
            case rules.NeverAlone():
                return f"nobody is the only one of their {rule.attribute} in a group"
            case rules.Quota():
                most = "" if rule.most is None else f" and {rule.most} at most"
                return f"every group has {rule.least} of {rule.value} at least{most}"
            case rules.Balance():
                return f"the {rule.of} of {rule.number} is alike in all groups"
            case rules.Overlap():
                return f"every group has {rule.slots} free slots in common"
            case rules.MeetNew():
                return "nobody meets anybody again"
            case rules.Stay():
                return "everyone keeps their group"
            case rules.Wishes():
                return "everyone gets what they wished for"

    def _give_way(self, piece: Piece, by: int) -> str:
        groups = self._board.instance.groups
        if piece.rule == -1:
            most = self._board.instance.most[piece.item]
            return f"Let {groups[piece.item].id} hold {most + by} instead of {most}"
        if piece.rule == -2:
            least = groups[piece.item].min
            return f"Let {groups[piece.item].id} have {least - by} instead of {least} at least"
        return f"Give way by {by}: {self._said(piece)}"
