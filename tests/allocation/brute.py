"""Small problems by chance, and all their placements: what engines are held against."""

import itertools
import random
from collections.abc import Iterator

from groupsvc.allocation import rules
from groupsvc.allocation.instance import Instance, rank_in
from groupsvc.allocation.problem import Group, Participant, Problem
from groupsvc.allocation.scores import scores_of
from groupsvc.allocation.wishes.ranks import cost_of

TRACKS = ("A", "B")


def wishes_problem(seed: int) -> Problem:
    """Ranks, points or yes and no; minimums, optional groups, eligibility, pins, who stays."""
    draw = random.Random(seed)
    groups = [f"g{at}" for at in range(draw.randint(2, 4))]
    scale = draw.choice(["ranks", "points", "approval"])
    aim = draw.choice(["fair", "total", "limit", "smallest"])
    people = tuple(_wishing(draw, at, groups, scale) for at in range(draw.randint(1, 6)))
    wishes = rules.Wishes(
        scale=scale,  # type: ignore[arg-type]
        aim=aim,  # type: ignore[arg-type]
        limit=draw.randint(1, 3) if aim == "limit" else None,
        outside=draw.random() < 0.5,
    )
    stay: tuple[rules.Rule, ...] = (rules.Stay(),) if draw.random() < 0.5 else ()
    order = (wishes, *stay) if draw.random() < 0.7 else (*stay, wishes)
    pins = {people[0].id: draw.choice(groups)} if draw.random() < 0.2 else {}
    return Problem(
        participants=people,
        groups=tuple(_group(draw, each, len(people)) for each in groups),
        rules=order,
        pins=pins,
        only_unassigned=draw.random() < 0.1,
        seed=draw.randrange(1000),
    )


def _wishing(draw: random.Random, at: int, groups: list[str], scale: str) -> Participant:
    wished = draw.sample(groups, draw.randint(0, len(groups)))
    values = {
        "ranks": list(range(1, len(wished) + 1)),
        "points": [draw.randint(0, 4) for _ in wished],
        "approval": [draw.randint(0, 1) for _ in wished],
    }[scale]
    current = draw.choice(groups) if draw.random() < 0.4 else None
    return Participant(
        id=f"p{at}",
        attributes={"track": draw.choice(TRACKS)},
        wishes=dict(zip(wished, values, strict=True)),
        current=current,
    )


def _group(draw: random.Random, name: str, people: int) -> Group:
    least = draw.choice([0, 0, 1, 2])
    return Group(
        id=name,
        min=least,
        max=max(1, least + draw.randint(0, people)) if draw.random() < 0.8 else None,
        optional=draw.random() < 0.4,
        eligible={"track": (draw.choice(TRACKS),)} if draw.random() < 0.15 else {},
    )


def teams_problem(seed: int) -> Problem:
    """Any three rules, hard or soft."""
    draw = random.Random(seed)
    people = tuple(
        Participant(
            id=f"p{at}",
            attributes={"track": draw.choice(TRACKS), "lab": draw.choice(["x", "y", "z"])},
            numbers={"grade": draw.randint(0, 20)},
            free=tuple(slot for slot in range(4) if draw.random() < 0.7),
            wishes={f"g{group}": group + 1 for group in range(2)} if draw.random() < 0.5 else {},
            current=draw.choice(["g0", "g1", None]),
        )
        for at in range(draw.randint(3, 7))
    )
    count = draw.randint(2, 3)
    groups = tuple(
        Group(id=f"g{at}", min=draw.choice([0, 1, 2]), max=draw.randint(2, 4), optional=at == 2)
        for at in range(count)
    )
    chosen = draw.sample(_rules(draw, [each.id for each in people]), 3)
    return Problem(
        participants=people, groups=groups, rules=tuple(chosen), seed=seed, starts=2, steps=1500
    )


def _rules(draw: random.Random, ids: list[str]) -> list[rules.Rule]:
    def pairs() -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(draw.sample(ids, draw.choice([2, 2, 3]))) for _ in range(2))

    def hard() -> bool:
        return draw.random() < 0.35

    return [
        rules.Together(hard=hard(), parties=pairs()),
        rules.Apart(hard=hard(), sets=pairs()),
        rules.Spread(hard=hard(), attribute="track"),
        rules.Cluster(hard=hard(), attribute="lab"),
        rules.Balance(number="grade", of=draw.choice(["mean", "variance"])),
        rules.NeverAlone(hard=hard(), attribute="track", values=draw.choice([(), ("A",)])),
        rules.Quota(hard=hard(), attribute="lab", value="x", least=draw.randint(0, 1), most=2),
        rules.Overlap(hard=hard(), slots=draw.randint(1, 2)),
        rules.MeetNew(hard=hard(), past=pairs()),
        rules.Stay(),
        rules.Wishes(outside=True),
    ]


def placements(instance: Instance) -> Iterator[tuple[int, ...]]:
    """Every placement that keeps sizes, pins and eligibility."""
    allowed = [
        (instance.pinned[at],) if at in instance.pinned else instance.eligible[at]
        for at in range(len(instance.people))
    ]
    if any(group not in instance.eligible[at] for at, group in instance.pinned.items()):
        return
    for each in itertools.product(*allowed):
        sizes = [each.count(at) for at in range(len(instance.groups))]
        if all(
            (size == 0 and group.optional) or group.min <= size <= most
            for size, group, most in zip(sizes, instance.groups, instance.most, strict=True)
        ):
            yield each


def ranks(instance: Instance, placement: tuple[int, ...]) -> list[int] | None:
    """What rank each gets; None if somebody must not be where they are."""
    found: list[int] = []
    for at, group in enumerate(placement):
        rank = rank_in(instance.ranks[at], group)
        if rank is None and at not in instance.pinned:
            return None
        found.append(rank or 0)
    return found


def best_wishes(instance: Instance) -> tuple[int, ...] | None:
    """The least of what the rules of ``wishes_problem`` count, in their order."""
    assert instance.wishes is not None
    known = [
        (told, placement)
        for placement in placements(instance)
        if (told := ranks(instance, placement)) is not None
    ]
    free = [at for at in range(len(instance.people)) if at not in instance.pinned]
    limit = instance.wishes.limit
    if instance.wishes.aim == "smallest" and known:
        limit = min(max((told[at] for at in free), default=0) for told, _ in known)
    within = [
        (told, placement)
        for told, placement in known
        if limit is None or all(told[at] <= limit for at in free)
    ]
    return min((_counted(instance, *each) for each in within), default=None)


def _counted(instance: Instance, told: list[int], placement: tuple[int, ...]) -> tuple[int, ...]:
    cost = sum(cost_of(instance.wishes, rank) for rank in told)
    moved = sum(
        now is not None and now != group
        for now, group in zip(instance.current, placement, strict=True)
    )
    of_kind = {"wishes": cost, "stay": moved}
    return tuple(of_kind[rule.kind] for rule in instance.problem.rules)


def best_teams(instance: Instance) -> tuple[int, ...] | None:
    """The least that soft rules break, in their order, where all hard ones hold."""
    best: tuple[int, ...] | None = None
    for placement in placements(instance):
        scores = scores_of(instance, placement)
        if any(each.hard and each.broken for each in scores):
            continue
        soft = tuple(each.broken for each in scores if not each.hard)
        best = soft if best is None else min(best, soft)
    return best
