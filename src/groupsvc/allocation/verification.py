"""Checks an outcome against its problem, without any solver: what it finds wrong, in words."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from groupsvc.allocation.counting import count
from groupsvc.allocation.instance import Instance
from groupsvc.allocation.outcome import Outcome, Proof
from groupsvc.allocation.problem import Problem
from groupsvc.allocation.scores import scores_of
from groupsvc.allocation.transport import Transport
from groupsvc.allocation.wishes.certificate import Branch, bounds_in, cover, lower_bound
from groupsvc.allocation.wishes.choices import Choices, choices_of


def faults(problem: Problem, outcome: Outcome) -> list[str]:
    """Nothing, if the outcome is one of this problem and as good as it says."""
    if outcome.problem != problem.sha256:
        return ["it is the outcome of another problem"]
    instance = Instance(problem)
    if outcome.status == "impossible":
        return _impossible(instance, outcome)
    if set(outcome.assignment) != set(instance.person) or not (
        set(outcome.assignment.values()) <= set(instance.group)
    ):
        return ["it does not place each participant in a group"]
    assignment = [instance.group[outcome.assignment[each.id]] for each in instance.people]
    found = _misplaced(instance, assignment, outcome.limit)
    scores = scores_of(instance, assignment)
    told = [(each.kind, each.broken, each.groups, each.measured) for each in outcome.scores]
    if told != [(each.kind, each.broken, each.groups, each.measured) for each in scores]:
        found.append("its scores are not those of its assignment")
    if outcome.status != "broken" and any(each.hard and each.broken for each in scores):
        found.append("it breaks a hard rule")
    if outcome.engine == "flow" and not found:
        found += _certificate(instance, outcome, assignment)
    return found


def _impossible(instance: Instance, outcome: Outcome) -> list[str]:
    if outcome.clash is None:
        return ["it does not say what clashes"]
    limit = instance.wishes.limit if instance.wishes else None
    if outcome.clash.proof == "counted" and count(instance, limit) != outcome.clash:
        return ["counting does not find what it says"]
    return []


def _misplaced(instance: Instance, assignment: Sequence[int], limit: int | None) -> list[str]:
    return [
        f"{instance.people[who].id} may not be in {instance.groups[group].id}"
        for who, group in enumerate(assignment)
        if group not in instance.may_be(who, limit)[0]
    ]


def _certificate(instance: Instance, outcome: Outcome, assignment: list[int]) -> list[str]:
    choices = choices_of(instance, outcome.limit)
    if int(choices.costs(np.array(assignment, np.int64)).sum()) != outcome.cost:
        return ["it has another cost than it says"]
    branches = [_branch(instance, each) for each in outcome.proofs]
    if not cover(branches):
        return ["its proofs leave out a way to open groups"]
    least = min(
        (bound for each in branches if (bound := _bound(instance, choices, each)) is not None),
        default=None,
    )
    if least is None or outcome.bound is None or least < outcome.bound:
        return ["its prices do not prove its bound"]
    if outcome.status == "optimal" and outcome.cost != outcome.bound:
        return ["it is not proved to be optimal"]
    return []


def _branch(instance: Instance, proof: Proof) -> Branch:
    opened, closed = (
        frozenset(instance.group[name] for name in names) for names in (proof.opened, proof.closed)
    )
    prices = proof.prices
    told = None if prices is None else tuple(prices[group.id] for group in instance.groups)
    return Branch(opened, closed, told)


def _bound(instance: Instance, choices: Choices, branch: Branch) -> int | None:
    """What the prices of a branch prove; None where nobody can be placed at all."""
    optional = [group.optional for group in instance.groups]
    low, high = bounds_in(branch, instance.least, instance.most, optional)
    if branch.prices is not None:
        return lower_bound(choices, branch.prices, low, high)
    return None if _is_impossible(choices, low, high) else -1


def _is_impossible(choices: Choices, low: list[int], high: list[int]) -> bool:
    """Too few places, or too few people for the minimums: there is no third reason."""
    pools = [list(map(int, groups)) for groups in choices.pools]
    allowed: list[set[int]] = [
        set(pools[pool] if pool >= 0 else ()) for pool in map(int, choices.pool)
    ]
    people: list[int] = choices.person.tolist()
    groups: list[int] = choices.group.tolist()
    for who, group in zip(people, groups, strict=True):
        allowed[who].add(group)
    classes = Counter(tuple(sorted(each)) for each in allowed)
    seats = Transport(list(classes.items()), high).shortage()
    open_to = [
        tuple(at for at, groups in enumerate(classes) if group in groups)
        for group in range(len(low))
    ]
    minimums = Transport(list(zip(open_to, low, strict=True)), list(classes.values())).shortage()
    too_narrow = any(need > most for need, most in zip(low, high, strict=True))
    return seats is not None or minimums is not None or too_narrow
