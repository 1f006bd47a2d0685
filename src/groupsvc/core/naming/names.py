"""Which course, partition or group a name means, that is not one of theirs as it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from groupsvc.domain.lookalikes import How, lookalike


@dataclass(frozen=True, slots=True)
class Match:
    """The ``name`` that is meant, or none when several may be, which are ``near``."""

    name: str | None
    how: How
    near: tuple[str, ...] = ()


class Names:
    """Names that are borne now, by id, and former ones with the ids of their bearers."""

    def __init__(self, ids: Mapping[str, int], former: Iterable[tuple[str, int]] = ()) -> None:
        self._ids = ids
        self._former = list(former)

    def find(self, text: str) -> Match | None:
        """One that looks alike, else one that had a name that looks alike; never two of them."""
        if text in self._ids:
            return Match(text, "exact")
        key = lookalike(text)
        if near := self._alike.get(key):
            return _match(near, "lookalike")
        if near := self._had.get(key):
            return _match(near, "former_name")
        return None

    def find_id(self, text: str) -> Match | None:
        """One that has or had exactly this name."""
        if text in self._ids:
            return Match(text, "exact")
        borne = {bearer: name for name, bearer in self._ids.items()}
        near = {borne[bearer]: None for name, bearer in self._former if name == text}
        return _match(near, "former_name") if near else None

    @cached_property
    def _alike(self) -> dict[str, dict[str, None]]:
        found: dict[str, dict[str, None]] = {}
        for name in self._ids:
            found.setdefault(lookalike(name), {})[name] = None
        return found

    @cached_property
    def _had(self) -> dict[str, dict[str, None]]:
        borne = {bearer: name for name, bearer in self._ids.items()}
        found: dict[str, dict[str, None]] = {}
        for name, bearer in self._former:
            if bearer in borne:
                found.setdefault(lookalike(name), {})[borne[bearer]] = None
        return found


def _match(near: Mapping[str, None], how: How) -> Match:
    names = tuple(near)
    return Match(names[0], how) if len(names) == 1 else Match(None, how, names)
