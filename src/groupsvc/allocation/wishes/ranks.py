"""Wishes of any scale as ranks, 1 the best, and what a rank costs."""

from typing import Final

from groupsvc.allocation.problem import Participant
from groupsvc.allocation.rules import Wishes

OTHERS: Final = -1


def ranks_of(
    wishes: Wishes | None, participant: Participant, group: dict[str, int]
) -> dict[int, int]:
    """Ranks by group; where other groups are allowed, theirs is at ``OTHERS``."""
    told = participant.wishes
    if wishes is None or not told:
        return {}
    if wishes.scale == "points":
        best = max(told.values())
        ranks = {group[name]: 1 + best - points for name, points in told.items()}
    elif wishes.scale == "approval":
        ranks = {group[name]: 1 for name, said in told.items() if said > 0}
        if not ranks:
            return {}
    else:
        ranks = {group[name]: rank for name, rank in told.items()}
    if wishes.outside:
        ranks[OTHERS] = max(ranks.values()) + 1
    return ranks


def cost_of(wishes: Wishes | None, rank: int) -> int:
    """Squares: one person's bad rank weighs more than several good ones gain."""
    return rank if wishes is not None and wishes.aim == "total" else rank * rank
