"""Checks that only count. What they find is proved, smallest, and said in words."""

from collections import Counter

from groupsvc.allocation.clash import Clash, listed, people, places
from groupsvc.allocation.instance import ANYWHERE, ELIGIBLE, PINNED, WISHED, Instance
from groupsvc.allocation.rules import Apart, Together
from groupsvc.allocation.transport import Shortage, Transport

_BECAUSE = {
    PINNED: "are pinned there",
    ELIGIBLE: "are not eligible elsewhere",
    WISHED: "wished for nothing else",
    ANYWHERE: "may be anywhere",
}


def count(instance: Instance, limit: int | None = None) -> Clash | None:
    """The first clash that counting finds; for sizes, eligibility, pins and wishes it finds all."""
    return count_rows(instance, limit) or _seats(instance, limit) or _minimums(instance, limit)


def count_rows(instance: Instance, limit: int | None = None) -> Clash | None:
    """What single participants and sets ask for that cannot be, whatever the others do."""
    return (
        count_pins(instance)
        or _nowhere(instance, limit)
        or _parties(instance)
        or _cliques(instance)
    )


def count_pins(instance: Instance) -> Clash | None:
    for at, group in sorted(instance.pinned.items()):
        if group not in instance.eligible[at]:
            who, where = instance.people[at].id, instance.groups[group].id
            parts = (f"{who} is pinned to {where}", f"{who} is not eligible for {where}")
            return Clash(parts, f"Give up the pin of {who}", (who,))
    return None


def _nowhere(instance: Instance, limit: int | None) -> Clash | None:
    for at, each in enumerate(instance.people):
        allowed, reason = instance.may_be(at, limit)
        if not allowed:
            told = "is eligible for no group"
            if reason == WISHED:
                told = "wished for no group that is open to them"
                told += "" if limit is None else f" at rank {limit} or better"
            return Clash((f"{each.id} {told}",), f"Let {each.id} into a group", (each.id,))
    return None


def _parties(instance: Instance) -> Clash | None:
    largest = max(instance.most)
    for rule in instance.problem.rules:
        if not (isinstance(rule, Together) and rule.hard):
            continue
        for party in instance.indices("", rule.parties):
            names = [instance.people[at].id for at in party]
            if len(party) > largest:
                parts = (
                    f"{listed(names)} must be together, {len(party)} in all",
                    f"no group holds more than {largest}",
                )
                return Clash(parts, f"Let a group hold {len(party)}", tuple(names))
            common = set[int](range(len(instance.groups)))
            for at in party:
                common &= set(instance.may_be(at)[0])
            if not common:
                parts = (f"{listed(names)} must be together", "no group may have all of them")
                return Clash(parts, "Give up this party", tuple(names))
            if max(instance.most[at] for at in common) < len(party):
                where = listed([instance.groups[at].id for at in sorted(common)])
                parts = (
                    f"{listed(names)} must be together, {len(party)} in all",
                    f"they may only be in {where}",
                )
                return Clash(parts, f"Let one of these hold {len(party)}", tuple(names))
    return None


def _cliques(instance: Instance) -> Clash | None:
    together = [
        set(party)
        for rule in instance.problem.rules
        if isinstance(rule, Together) and rule.hard
        for party in instance.indices("", rule.parties)
    ]
    for rule in instance.problem.rules:
        if not (isinstance(rule, Apart) and rule.hard):
            continue
        for each in instance.indices("", rule.sets):
            names = [instance.people[at].id for at in each]
            if len(each) > len(instance.groups):
                parts = (
                    f"{listed(names)} must be apart, {len(each)} in all",
                    f"there are {len(instance.groups)} groups",
                )
                return Clash(parts, f"Make {len(each) - len(instance.groups)} more", tuple(names))
            for party in together:
                both = [instance.people[at].id for at in sorted(party & set(each))]
                if len(both) > 1:
                    parts = (f"{listed(both)} must be together", f"{listed(both)} must be apart")
                    return Clash(parts, "Give up one of the two", tuple(both))
    return None


def _classes(instance: Instance, limit: int | None) -> dict[tuple[tuple[int, ...], str], list[int]]:
    classes: dict[tuple[tuple[int, ...], str], list[int]] = {}
    for at in range(len(instance.people)):
        classes.setdefault(instance.may_be(at, limit), []).append(at)
    return classes


def _seats(instance: Instance, limit: int | None) -> Clash | None:
    classes = _classes(instance, limit)
    demands = [(allowed, len(members)) for (allowed, _), members in classes.items()]
    short = Transport(demands, instance.most).shortage()
    if short is None:
        return None
    return _too_few_places(instance, list(classes.items()), short)


def _too_few_places(
    instance: Instance,
    classes: list[tuple[tuple[tuple[int, ...], str], list[int]]],
    short: Shortage,
) -> Clash:
    groups = [instance.groups[at].id for at in short.places]
    seats = sum(instance.most[at] for at in short.places)
    everything = len(groups) == len(instance.groups) > 1
    name = "all groups" if everything else listed(groups)
    reasons = Counter[str]()
    members: list[int] = []
    for at in short.demands:
        (_, reason), who = classes[at]
        reasons[reason] += len(who)
        members += who
    holds = f"{name} {'holds' if len(groups) == 1 else 'hold'} {seats}"
    because = listed([f"{many} {_BECAUSE[reason]}" for reason, many in sorted(reasons.items())])
    must = f"{len(members)} must be in {'it' if len(groups) == 1 else 'them'}: {because}"
    mend = f"Add {places(short.missing)}"
    if not everything:
        mend += f", or let {short.missing} of them be elsewhere"
    return Clash((holds, must), mend, tuple(sorted(instance.people[at].id for at in members)))


def _minimums(instance: Instance, limit: int | None) -> Clash | None:
    classes = list(_classes(instance, limit).items())
    required = [
        0 if group.optional else least
        for group, least in zip(instance.groups, instance.least, strict=True)
    ]
    open_to: list[list[int]] = [[] for _ in instance.groups]
    for at, ((allowed, _), _) in enumerate(classes):
        for group in allowed:
            open_to[group].append(at)
    demands = [(tuple(to), need) for to, need in zip(open_to, required, strict=True)]
    short = Transport(demands, [len(members) for _, members in classes]).shortage()
    if short is None:
        return None
    groups = [instance.groups[at].id for at in short.demands]
    needed = sum(required[at] for at in short.demands)
    members = [at for place in short.places for at in classes[place][1]]
    needs = f"{listed(groups)} {'needs' if len(groups) == 1 else 'need'} {needed} at least"
    can = f"only {people(len(members))} can be in {'it' if len(groups) == 1 else 'them'}"
    mend = f"Lower minimums by {short.missing}, or let {short.missing} more in"
    return Clash((needs, can), mend, tuple(sorted(instance.people[at].id for at in members)))
