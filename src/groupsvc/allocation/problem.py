"""A problem of allocation: all that its answer depends on, with a canonical form and its hash."""

import hashlib
import json
from functools import cached_property
from operator import itemgetter
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from groupsvc.allocation.rules import Count, Name, Rule

FORMAT: Final = 1


class ProblemError(ValueError):
    """What makes a problem senseless; ``place`` is a JSON pointer to the row."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place}: {message}")
        self.place, self.message = place, message


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Participant(_Part):
    """``free`` are the slots in which they have time, ``current`` is the group they are in."""

    id: Name
    attributes: dict[Name, Name] = Field(default_factory=dict[str, str])
    numbers: dict[Name, Annotated[int, Field(ge=-(10**9), le=10**9)]] = Field(
        default_factory=dict[str, int]
    )
    free: tuple[Annotated[int, Field(ge=0, lt=10_000)], ...] = ()
    wishes: dict[Name, Annotated[int, Field(ge=0, le=10_000)]] = Field(
        default_factory=dict[str, int]
    )
    current: Name | None = None


class Group(_Part):
    """An optional group may stay empty, whatever its minimum is.

    ``eligible``: attributes with the values that may be in it; all of them must fit.
    """

    id: Name
    min: int = Field(0, ge=0, le=1_000_000)
    max: Count | None = None
    optional: bool = False
    eligible: dict[Name, tuple[Name, ...]] = Field(default_factory=dict[str, tuple[str, ...]])


class Problem(_Part):
    """``pins`` place participants; ``only_unassigned`` pins all who have a group.

    ``starts`` searches of ``steps`` steps each are made, which are chosen by size unless given.
    """

    format: int = Field(FORMAT, ge=FORMAT, le=FORMAT)
    participants: tuple[Participant, ...] = Field(min_length=1, max_length=200_000)
    groups: tuple[Group, ...] = Field(min_length=1, max_length=20_000)
    rules: tuple[Rule, ...] = Field((), max_length=50)
    pins: dict[Name, Name] = Field(default_factory=dict[str, str])
    only_unassigned: bool = False
    seed: int = Field(0, ge=0, lt=2**63)
    starts: int = Field(3, ge=1, le=100)
    steps: int | None = Field(None, ge=0, le=100_000_000)

    @cached_property
    def canonical(self) -> bytes:
        """The same bytes wherever the participants stood; what is not said is left out."""
        plain = self.model_dump(mode="json", exclude_defaults=True)
        plain["format"] = self.format
        plain["participants"].sort(key=itemgetter("id"))
        for rule, told in zip(plain.get("rules", ()), self.rules, strict=True):
            rule["kind"] = told.kind
        for each in plain["participants"]:
            if "free" in each:
                each["free"] = sorted(set(each["free"]))
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical).hexdigest()
