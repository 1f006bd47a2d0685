"""A flow of least cost from participants to groups, by OR-Tools, and prices that prove it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from groupsvc.allocation.instance import FAR
from groupsvc.allocation.wishes.choices import Choices


class FlowError(Exception):
    """The solver has failed, which is not the same as a problem without an answer."""


def order_of(count: int, seed: int) -> NDArray[np.int64]:
    """Participants in the order of a draw: whom ties favour."""
    # Of this generator, only random() is the same in every version of Python.
    draw = random.Random(seed).random  # noqa: S311 - reproducible, not secret
    return np.argsort([draw() for _ in range(count)], kind="stable")


@dataclass(frozen=True, slots=True)
class _Network:
    """Nodes: participants as drawn, groups, pools, sink. Arcs: choices, into pools, out of pools,
    to the sink. ``single`` is the number of the former two, each of which one participant takes.
    """

    tails: NDArray[np.int64]
    heads: NDArray[np.int64]
    costs: NDArray[np.int64]
    single: int


def _network(choices: Choices, groups: int, order: NDArray[np.int64]) -> _Network:
    count = choices.count
    node = np.empty(count, np.int64)
    node[order] = np.arange(count)
    tails = node[choices.person]
    drawn = np.argsort(tails, kind="stable")
    pooled = order[choices.pool[order] >= 0]
    used = [number for number in range(len(choices.pools)) if np.any(choices.pool == number)]
    out = [choices.pools[number] for number in used]
    pool_tails = [np.full(len(each), count + groups + n) for n, each in zip(used, out, strict=True)]
    sink = count + groups + len(choices.pools)
    single = len(tails) + len(pooled)
    several = sum(len(each) for each in out) + groups
    return _Network(
        np.concatenate([tails[drawn], node[pooled], *pool_tails, count + np.arange(groups)]),
        np.concatenate(
            [
                count + choices.group[drawn],
                count + groups + choices.pool[pooled],
                *[count + each for each in out],
                np.full(groups, sink),
            ]
        ),
        np.concatenate(
            [choices.cost[drawn], choices.pool_cost[pooled], np.zeros(several, np.int64)]
        ),
        single,
    )


def solve_flow(
    choices: Choices, least: Sequence[int], most: Sequence[int], seed: int
) -> NDArray[np.int64] | None:
    """The group of each participant, or None if there is no place for all."""
    count, groups = choices.count, len(least)
    # Minimums are demands of the groups themselves: no bonus has to outweigh the costs.
    room = np.array(most, np.int64) - np.array(least, np.int64)
    rest = count - sum(least)
    if rest < 0 or room.min() < 0:
        return None
    order = order_of(count, seed)
    network = _network(choices, groups, order)
    capacities = np.ones(len(network.tails), np.int64)
    capacities[network.single :] = count
    capacities[-groups:] = room
    supplies = np.zeros(count + groups + len(choices.pools) + 1, np.int64)
    supplies[:count] = 1
    supplies[count : count + groups] = -np.array(least, np.int64)
    supplies[-1] = -rest
    solver = SimpleMinCostFlow()
    solver.add_arcs_with_capacity_and_unit_cost(
        network.tails.astype(np.int32), network.heads.astype(np.int32), capacities, network.costs
    )
    solver.set_nodes_supplies(np.arange(len(supplies), dtype=np.int32), supplies)
    status = solver.solve()
    if status == SimpleMinCostFlow.INFEASIBLE:
        return None
    if status != SimpleMinCostFlow.OPTIMAL:
        raise FlowError(f"the flow was not solved: {status}")
    flows = np.asarray(solver.flows(np.arange(len(network.tails) - groups, dtype=np.int32)))
    return _decode(network, order, flows, groups)


def _decode(
    network: _Network, order: NDArray[np.int64], flows: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Seats that a pool has go to its participants as they were drawn."""
    count = len(order)
    taken = np.flatnonzero(flows[: network.single])
    people, heads = order[network.tails[taken]], network.heads[taken] - count
    assignment = np.empty(count, np.int64)
    direct = heads < groups
    assignment[people[direct]] = heads[direct]
    outgoing = np.arange(network.single, len(flows))
    for pool in np.unique(heads[~direct]):
        arcs = outgoing[network.tails[outgoing] == count + pool]
        assignment[people[heads == pool]] = np.repeat(network.heads[arcs] - count, flows[arcs])
    return assignment


def prices_of(
    choices: Choices, assignment: NDArray[np.int64], least: Sequence[int], most: Sequence[int]
) -> tuple[int, ...]:
    """Prices under which nobody would rather have another group; raises FlowError if some would."""
    groups = len(least)
    costs = choices.costs(assignment)
    rise = np.full((groups + 1, groups + 1), FAR * FAR, np.int64)
    differences = choices.cost - costs[choices.person]
    np.minimum.at(rise, (assignment[choices.person], choices.group), differences)
    for number, others in enumerate(choices.pools):
        inside = np.flatnonzero(choices.pool == number)
        to_pool = np.full(groups, FAR * FAR, np.int64)
        np.minimum.at(to_pool, assignment[inside], choices.pool_cost[inside] - costs[inside])
        rise[:groups, others] = np.minimum(rise[:groups, others], to_pool[:, None])
    taken = np.bincount(assignment, minlength=groups)
    rise[groups, :groups][taken > np.array(least)] = 0
    rise[:groups, groups][taken < np.array(most)] = 0
    distance = np.zeros(groups + 1, np.int64)
    for _ in range(groups + 2):
        nearer = np.minimum(distance, (distance[:, None] + rise).min(axis=0))
        if np.array_equal(nearer, distance):
            return tuple((distance[:groups] - distance[groups]).tolist())
        distance = nearer
    raise FlowError("the flow was not of least cost")
