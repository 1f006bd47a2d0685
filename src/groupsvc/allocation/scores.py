"""How a placement came out: a score for every rule and every group, and what has moved."""

from collections import Counter
from collections.abc import Sequence

from groupsvc.allocation.instance import Instance, rank_in
from groupsvc.allocation.outcome import Move, Score
from groupsvc.allocation.rules import Rule, Wishes
from groupsvc.allocation.teams.board import Sizes
from groupsvc.allocation.teams.measures import Balance, Measure, Overlap, Sets, measure_of
from groupsvc.allocation.wishes.ranks import cost_of


def scores_of(
    instance: Instance, assignment: Sequence[int], bounds: dict[int, int] | None = None
) -> tuple[Score, ...]:
    """Sizes first, then the rules in their order; ``bounds`` by the number of a rule."""
    members: list[list[int]] = [[] for _ in instance.groups]
    for who, group in enumerate(assignment):
        members[group].append(who)
    sizes = _sizes(instance, members)
    rules = [
        _wishes(instance, rule, members, (bounds or {}).get(at))
        if isinstance(rule, Wishes)
        else _score(instance, rule, measure_of(instance, rule), members, (bounds or {}).get(at))
        for at, rule in enumerate(instance.problem.rules)
    ]
    return (sizes, *rules)


def _sizes(instance: Instance, members: list[list[int]]) -> Score:
    measure = Sizes(instance)
    groups = {
        group.id: measure.of(at, members[at]) if members[at] or not group.optional else 0
        for at, group in enumerate(instance.groups)
    }
    sizes = {group.id: len(each) for group, each in zip(instance.groups, members, strict=True)}
    return Score("sizes", True, sum(groups.values()), groups, sizes, 0)


def _wishes(instance: Instance, rule: Wishes, members: list[list[int]], bound: int | None) -> Score:
    """As ``measures`` counts, without a table of all costs; and how many got which rank."""
    got, groups = Counter[int](), dict[str, int]()
    for at, each in enumerate(members):
        if each:
            ranks = [rank_in(instance.ranks[who], at) or 0 for who in each]
            got.update(ranks)
            groups[instance.groups[at].id] = sum(cost_of(rule, rank) for rank in ranks)
    measured = {str(rank): count for rank, count in sorted(got.items())}
    return Score(rule.kind, rule.hard, sum(groups.values()), groups, measured, bound)


def _score(
    instance: Instance,
    rule: Rule,
    measure: Measure,
    members: list[list[int]],
    bound: int | None,
) -> Score:
    parts = [measure.of(at, each) if each else 0 for at, each in enumerate(members)]
    broken = measure.constant + sum(parts)
    if isinstance(measure, Sets) and measure.constant:
        parts = [_torn(measure, each) for each in members]
    groups = {
        group.id: part
        for group, part, each in zip(instance.groups, parts, members, strict=True)
        if each
    }
    measured = _measured(measure, members)
    return Score(rule.kind, rule.hard, broken, groups, measured, bound)


def _torn(measure: Sets, members: list[int]) -> int:
    """Pairs of a party of which one is here and one is not."""
    here = set(members)
    return sum(
        len(inside) * (len(party) - len(inside))
        for party in measure.sets
        if (inside := here & set(party))
    )


def _measured(measure: Measure, members: list[list[int]]) -> dict[str, int]:
    """What people ask about besides: the widest gap, the fewest slots."""
    filled = [each for each in members if each]
    if isinstance(measure, Balance):
        means = [sum(measure.numbers[who] for who in each) * 1000 // len(each) for each in filled]
        return {"widest_gap": (max(means) - min(means)) // measure.range}
    if isinstance(measure, Overlap):
        return {"fewest_slots": min(_shared(measure, each) for each in filled)}
    return {}


def _shared(measure: Overlap, members: list[int]) -> int:
    shared = -1
    for who in members:
        shared &= measure.free[who]
    return shared.bit_count()


def moves_of(instance: Instance, assignment: Sequence[int]) -> tuple[Move, ...]:
    moves: list[Move] = []
    for who, target in enumerate(assignment):
        source = instance.current[who]
        if source == target:
            continue
        before = 0 if source is None else _cost(instance, who, source)
        moves.append(
            Move(
                instance.people[who].id,
                None if source is None else instance.groups[source].id,
                instance.groups[target].id,
                0 if source is None else before - _cost(instance, who, target),
            )
        )
    return tuple(moves)


def _cost(instance: Instance, who: int, group: int) -> int:
    return cost_of(instance.wishes, rank_in(instance.ranks[who], group) or 0)
