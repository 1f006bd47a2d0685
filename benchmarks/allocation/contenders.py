"""What others do with wishes, as small programs of ours. Each returns the group of everyone.

``wishes[who]`` are groups, best first; every group holds ``room``; costs are squared ranks.
"""

import random
from collections.abc import Sequence
from itertools import pairwise

import networkx
import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

Wishes = Sequence[Sequence[int]]


def random_fill(wishes: Wishes, groups: int, room: int) -> list[int]:
    """In a drawn order, each the best wish that is left, or else any group."""
    draw, left = random.Random(0), [room] * groups
    placed = [0] * len(wishes)
    for who in draw.sample(range(len(wishes)), len(wishes)):
        group = next((g for g in wishes[who] if left[g]), None)
        placed[who] = next(g for g in range(groups) if left[g]) if group is None else group
        left[placed[who]] -= 1
    return placed


def augmenting_paths(wishes: Wishes, groups: int, room: int) -> list[int]:
    """As ratingallocate: for one after the other a cheapest path, by Bellman and Ford, over a graph
    of all participants and groups.
    """
    count = len(wishes)
    source, sink = count + groups, count + groups + 1
    after: list[dict[int, int]] = [{} for _ in range(count + groups + 2)]
    for who, told in enumerate(wishes):
        after[source][who] = 0
        for rank, group in enumerate(told, 1):
            after[who][count + group] = rank * rank
    left = [room] * groups
    for group in range(groups):
        after[count + group][sink] = 0
    for _ in wishes:
        path = _cheapest(after, source, sink)
        for tail, head in pairwise(path):
            if head == sink:
                left[tail - count] -= 1
                if not left[tail - count]:
                    del after[tail][sink]
            else:
                after[head][tail] = -after[tail].pop(head)
    return [
        next(at - count for at in range(count, source) if who in after[at]) for who in range(count)
    ]


def _cheapest(after: list[dict[int, int]], source: int, sink: int) -> list[int]:
    far = 1 << 60
    distance, came = [far] * len(after), [-1] * len(after)
    distance[source], changed = 0, [source]
    while changed:
        reached: set[int] = set()
        for tail in changed:
            for head, cost in after[tail].items():
                if distance[tail] + cost < distance[head]:
                    distance[head], came[head] = distance[tail] + cost, tail
                    reached.add(head)
        changed = sorted(reached)
    path = [sink]
    while path[-1] != source:
        path.append(came[path[-1]])
    return path[::-1]


def networkx_flow(wishes: Wishes, groups: int, room: int) -> list[int]:
    graph = networkx.DiGraph()
    for who, told in enumerate(wishes):
        graph.add_node(("who", who), demand=-1)
        for rank, group in enumerate(told, 1):
            graph.add_edge(("who", who), ("group", group), capacity=1, weight=rank * rank)
    graph.add_node("sink", demand=len(wishes))
    for group in range(groups):
        graph.add_edge(("group", group), "sink", capacity=room, weight=0)
    flow = networkx.min_cost_flow(graph)
    return [
        next(to for (_, to), sent in flow[("who", who)].items() if sent)
        for who in range(len(wishes))
    ]


def scipy_milp(wishes: Wishes, groups: int, room: int) -> list[int]:
    who = np.repeat(np.arange(len(wishes)), [len(told) for told in wishes])
    group = np.concatenate([np.asarray(told) for told in wishes])
    cost = np.concatenate([np.arange(1, len(told) + 1) ** 2 for told in wishes])
    columns, ones = np.arange(len(cost)), np.ones(len(cost))
    each = csr_array((ones, (who, columns)), shape=(len(wishes), len(cost)))
    held = csr_array((ones, (group, columns)), shape=(groups, len(cost)))
    rules = [LinearConstraint(each, 1, 1), LinearConstraint(held, 0, room)]
    found = milp(
        cost,
        integrality=np.ones(len(cost)),
        bounds=Bounds(0, 1),
        constraints=rules,
        options={"mip_rel_gap": 0},
    )
    taken = found.x > 0.5
    placed = np.zeros(len(wishes), int)
    placed[who[taken]] = group[taken]
    return placed.tolist()


class BareFlow:
    """OR-Tools alone, on arrays that are there already: nothing is drawn, proved or told."""

    def __init__(self, wishes: Wishes, groups: int, room: int) -> None:
        count, self._solver = len(wishes), SimpleMinCostFlow()
        who = np.repeat(np.arange(count), [len(told) for told in wishes])
        heads = np.concatenate([np.asarray(told) for told in wishes]) + count
        cost = np.concatenate([np.arange(1, len(told) + 1) ** 2 for told in wishes])
        ends = np.arange(count, count + groups)
        self._solver.add_arcs_with_capacity_and_unit_cost(
            np.concatenate([who, ends]).astype(np.int32),
            np.concatenate([heads, np.full(groups, count + groups)]).astype(np.int32),
            np.concatenate([np.ones(len(who)), np.full(groups, room)]).astype(np.int64),
            np.concatenate([cost, np.zeros(groups)]).astype(np.int64),
        )
        supplies = np.concatenate([np.ones(count), np.zeros(groups), [-count]]).astype(np.int64)
        self._solver.set_nodes_supplies(np.arange(len(supplies), dtype=np.int32), supplies)

    def solve(self) -> int:
        assert self._solver.solve() == SimpleMinCostFlow.OPTIMAL
        return int(self._solver.optimal_cost())
