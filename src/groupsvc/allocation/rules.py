"""The rules of a problem. A hard one must hold; soft ones count in their order, the first most.

What breaks a rule is counted in whole numbers, so that scores are the same on every machine
(``teams/measures.py``).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Sets = Annotated[tuple[tuple[Name, ...], ...], Field(max_length=100_000)]


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    hard: bool = False


class Together(_Rule):
    """Everyone of a party in one group. A hard one is placed whole."""

    kind: Literal["together"] = "together"
    parties: Sets


class Apart(_Rule):
    """No two of a set in one group."""

    kind: Literal["apart"] = "apart"
    sets: Sets


class Spread(_Rule):
    """Each value of an attribute as evenly over the groups as their sizes allow."""

    kind: Literal["spread"] = "spread"
    attribute: Name


class Cluster(_Rule):
    """Groups whose members share the value: counts who differs from the most frequent one."""

    kind: Literal["cluster"] = "cluster"
    attribute: Name


class Balance(_Rule):
    """Means of a number, or its variances, alike in all groups.

    Counted in thousandths of the range of the number, as far as they go beyond ``tolerance``.
    """

    kind: Literal["balance"] = "balance"
    number: Name
    of: Literal["mean", "variance"] = "mean"
    tolerance: int = Field(0, ge=0, le=1000)


class NeverAlone(_Rule):
    """Nobody is the only one of these values in a group; without ``values``, of any value."""

    kind: Literal["never_alone"] = "never_alone"
    attribute: Name
    values: tuple[Name, ...] = ()


class Quota(_Rule):
    """At least and at most so many with this value in each group."""

    kind: Literal["quota"] = "quota"
    attribute: Name
    value: Name
    least: int = Field(0, ge=0)
    most: int | None = Field(None, ge=0)


class Overlap(_Rule):
    """So many slots in which all members of a group are free."""

    kind: Literal["overlap"] = "overlap"
    slots: Count


class MeetNew(_Rule):
    """No two who have been in one group before: ``past`` are groups of then."""

    kind: Literal["meet_new"] = "meet_new"
    past: Sets


class Stay(_Rule):
    """Who has a group keeps it."""

    kind: Literal["stay"] = "stay"


class Wishes(_Rule):
    """What participants wish for.

    ``ranks``: 1 is best. ``points``: more is better. ``approval``: anything above 0 is a yes.
    ``fair`` adds squares of ranks, ``total`` ranks; ``limit`` allows no rank below ``limit``, and
    ``smallest`` finds the best such limit; both are fair within it. Groups that were not wished
    for come after all others, unless ``outside`` is false.
    """

    kind: Literal["wishes"] = "wishes"
    scale: Literal["ranks", "points", "approval"] = "ranks"
    aim: Literal["fair", "total", "limit", "smallest"] = "fair"
    limit: Count | None = None
    outside: bool = False


Rule = Annotated[
    Together
    | Apart
    | Spread
    | Cluster
    | Balance
    | NeverAlone
    | Quota
    | Overlap
    | MeetNew
    | Stay
    | Wishes,
    Field(discriminator="kind"),
]
