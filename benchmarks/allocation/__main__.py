"""Seconds of a processor and quality, all in one run. ``--quick``: small sizes only."""

import random
import resource
import sys
import time
from collections.abc import Callable

from benchmarks.allocation import contenders
from groupsvc.allocation.instance import Instance
from groupsvc.allocation.problem import Group, Participant, Problem
from groupsvc.allocation.rules import Apart, Balance, NeverAlone, Overlap, Quota, Together, Wishes
from groupsvc.allocation.sizes import by_size, groups_of
from groupsvc.allocation.solve import solve
from groupsvc.allocation.verification import faults
from groupsvc.allocation.wishes.engine import place

SIZES = ((500, 21, 8), (1000, 40, 8), (5000, 100, 10), (20_000, 300, 10), (50_000, 500, 10))
LARGEST = {"ratingallocate": 500, "networkx": 1000, "scipy milp": 1000}


def popular_wishes(people: int, groups: int, each: int) -> list[list[int]]:
    """Some groups are wished for more often than others."""
    draw, weights = random.Random(people), [(at + 1) ** -0.5 for at in range(groups)]
    wishes: list[list[int]] = []
    while len(wishes) < people:
        told = dict.fromkeys(draw.choices(range(groups), weights, k=4 * each))
        wishes.append(list(told)[:each])
    return wishes


def timed(call: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def cost_of(wishes: list[list[int]], placed: list[int]) -> int:
    outside = max(map(len, wishes)) + 1
    ranks = (
        told.index(at) + 1 if at in told else outside
        for told, at in zip(wishes, placed, strict=True)
    )
    return sum(rank * rank for rank in ranks)


def compare_wishes(people: int, groups: int, each: int) -> None:
    wishes, room = popular_wishes(people, groups, each), int(people * 1.1 / groups) + 1
    print(f"\n{people} participants, {groups} groups, {each} wishes")
    problem = Problem(
        participants=tuple(
            Participant(id=f"p{at}", wishes={f"g{g}": rank for rank, g in enumerate(told, 1)})
            for at, told in enumerate(wishes)
        ),
        groups=tuple(Group(id=f"g{at}", max=room) for at in range(groups)),
        rules=(Wishes(),),
    )
    ours, outcome = timed(lambda: solve(problem))
    assert faults(problem, outcome) == []  # type: ignore[arg-type]
    exact, _ = timed(lambda: place(Instance(problem), lambda: False))
    bare = contenders.BareFlow(wishes, groups, room)
    alone, best = timed(bare.solve)
    print(f"  {'groupsvc':<16}{ours:8.2f} s  cost {outcome.cost}, {outcome.status}")  # type: ignore[attr-defined]
    print(f"  {'  placed, proved':<16}{exact:8.2f} s")
    print(f"  {'OR-Tools alone':<16}{alone:8.2f} s  cost {best}")
    print(f"  in calls of it: {ours / alone:.1f}, placed and proved {exact / alone:.1f}")
    others = {
        "random fill": contenders.random_fill,
        "ratingallocate": contenders.augmenting_paths,
        "networkx": contenders.networkx_flow,
        "scipy milp": contenders.scipy_milp,
    }
    for name, run in others.items():
        if people <= LARGEST.get(name, people):
            seconds, placed = timed(lambda run=run: run(wishes, groups, room))
            print(f"  {name:<16}{seconds:8.2f} s  cost {cost_of(wishes, placed)}")  # type: ignore[arg-type]


def teams_problem(people: int, steps: int) -> Problem:
    draw = random.Random(5)
    members = tuple(
        Participant(
            id=f"p{at:04}",
            attributes={
                "gender": "w" if draw.random() < 0.25 else "m",
                "skill": "yes" if draw.random() < 0.4 else "no",
            },
            numbers={"grade": draw.randint(0, 200)},
            free=tuple(slot for slot in range(20) if draw.random() < 0.6),
        )
        for at in range(people)
    )
    drawn = draw.sample([each.id for each in members], people)
    pairs = tuple(zip(drawn[::2], drawn[1::2], strict=False))
    return Problem(
        participants=members,
        groups=groups_of(by_size(people, 5, "larger")),
        rules=(
            Apart(hard=True, sets=pairs[: people // 10]),
            NeverAlone(attribute="gender", values=("w",)),
            Quota(attribute="skill", value="yes", least=1),
            Together(parties=pairs[-people // 20 :]),
            Overlap(slots=2),
            Balance(number="grade"),
        ),
        starts=1,
        steps=steps,
    )


def measure_teams(people: int) -> None:
    problem = teams_problem(people, 300 * people)
    seconds, outcome = timed(lambda: solve(problem))
    assert faults(problem, outcome) == []  # type: ignore[arg-type]
    told = ", ".join(f"{each.kind} {each.broken}" for each in outcome.scores)  # type: ignore[attr-defined]
    print(f"\nteams of 5 of {people}: {seconds:.1f} s on one core; broken: {told}")


def main() -> None:
    quick = "--quick" in sys.argv
    for people, groups, each in SIZES[:2] if quick else SIZES:
        compare_wishes(people, groups, each)
    for people in (100, 200) if quick else (200, 1000):
        measure_teams(people)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\nmemory of all this: {peak} MB at most")


if __name__ == "__main__":
    main()
