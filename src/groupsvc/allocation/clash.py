"""Why a problem has no answer: what clashes, in words, and what would mend it most cheaply."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Clash:
    """No part of it can be left out, if it is ``minimal``. ``participants`` are those concerned."""

    parts: tuple[str, ...]
    mend: str
    participants: tuple[str, ...] = ()
    proof: Literal["counted", "solver"] = "counted"
    minimal: bool = True

    def __str__(self) -> str:
        return f"{'; '.join(self.parts)}. {self.mend}."


def listed(names: list[str], most: int = 5) -> str:
    if len(names) <= most:
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def places(count: int) -> str:
    return f"{count} place" if count == 1 else f"{count} places"


def people(count: int) -> str:
    return f"{count} participant" if count == 1 else f"{count} participants"
