"""What an engine answers: who goes where, how each rule came out, and how good that is."""

from dataclasses import dataclass, field
from typing import Literal

from groupsvc.allocation.clash import Clash

# ``optimal`` is proved. ``found`` keeps all hard rules; ``bound`` of a score tells what may be
# better. ``broken`` breaks the fewest hard rules that were found. ``impossible`` is proved.
Status = Literal["optimal", "found", "broken", "impossible"]


@dataclass(frozen=True, slots=True)
class Score:
    """How one rule came out: ``broken`` is 0 where it is met; ``bound`` is never undercut.

    ``groups`` has the part of each group that has one.
    """

    kind: str
    hard: bool
    broken: int
    groups: dict[str, int]
    measured: dict[str, int] = field(default_factory=dict[str, int])
    bound: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A change against today; ``gain`` is by how much the cost of wishes falls for this person."""

    participant: str
    source: str | None
    target: str
    gain: int


@dataclass(frozen=True, slots=True)
class Proof:
    """Optional groups that are taken to be open or empty, and a price for each group."""

    opened: tuple[str, ...]
    closed: tuple[str, ...]
    prices: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``steps`` of each search, with problem and seed, lead to the same assignment again.

    ``limit`` is the rank that nobody is below, where one was asked for.
    """

    problem: str
    engine: str
    version: str
    status: Status
    assignment: dict[str, str]
    scores: tuple[Score, ...]
    moves: tuple[Move, ...] = ()
    clash: Clash | None = None
    cost: int | None = None
    bound: int | None = None
    limit: int | None = None
    proofs: tuple[Proof, ...] = ()
    steps: tuple[int, ...] = ()
    stopped: bool = False
