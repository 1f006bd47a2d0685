"""How many groups, and how large: where remainders fall."""

from typing import Literal

from groupsvc.allocation.problem import Group, ProblemError

Remainder = Literal["larger", "smaller", "last"]


def by_count(people: int, count: int) -> list[int]:
    """So many groups, whose sizes differ by one at most, the larger first."""
    if count < 1:
        raise ProblemError("/count", "there must be a group")
    small, larger = divmod(people, count)
    return [small + 1] * larger + [small] * (count - larger)


def by_size(people: int, size: int, remainder: Remainder) -> list[int]:
    """Groups of this size. Whoever is left over makes some ``larger``, or makes one more group,
    with all of them ``smaller`` or with the ``last`` one short."""
    if size < 1:
        raise ProblemError("/size", "a group must have a member")
    full, rest = divmod(people, size)
    if rest == 0:
        return [size] * full
    if remainder == "last":
        return [size] * full + [rest]
    if remainder == "larger" and full:
        return by_count(people, full)
    return by_count(people, full + 1)


def groups_of(sizes: list[int], pattern: str = "{}") -> tuple[Group, ...]:
    return tuple(
        Group(id=pattern.format(number), min=size, max=max(size, 1))
        for number, size in enumerate(sizes, 1)
    )
