"""What has become dearer: now divided by before, item by item."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.items import BEFORE, Item
from benchmarks.measure import Sample

LIMIT = 1.05
COLUMNS = {"server": "server CPU", "database": "PostgreSQL CPU", "p50": "p50"}

Samples = Mapping[str, Sequence[Sample]]


def ratios(samples: Samples, column: str) -> list[float]:
    """One ratio a round; a round in which before cost nothing that can be measured has none."""
    pairs = zip(samples["groupsvc"], samples[BEFORE], strict=True)
    both = ((getattr(now, column), getattr(before, column)) for now, before in pairs)
    return [now / before for now, before in both if before]


def table(commit: str, measured: Mapping[str, tuple[Item, Samples]]) -> Iterator[str]:
    yield (
        f"\n## Against {commit}\n\nNow divided by before: the median of the rounds, the least and "
        f"the most of them. Bold: over {LIMIT}.\n"
    )
    yield f"| | {' | '.join(COLUMNS.values())} |"
    yield f"| --- |{' ---: |' * len(COLUMNS)}"
    for item, samples in measured.values():
        if BEFORE in samples:
            cells = (_cell(ratios(samples, column)) for column in COLUMNS)
            yield f"| {item.title} | {' | '.join(cells)} |"


def judged(item: Item, samples: Samples) -> Iterator[tuple[bool, str]]:
    """Whether a hot item costs no more CPU than before."""
    for column in ("server", "database") if item.goal == "hot" and BEFORE in samples else ():
        ratio = median(ratios(samples, column))
        what = f"{item.title}: {ratio:.2f} of the {COLUMNS[column]} before, at most {LIMIT}"
        yield ratio <= LIMIT, what


def _cell(found: Sequence[float]) -> str:
    if not found:
        return ""
    middle = f"{median(found):.2f}"
    marked = f"**{middle}**" if median(found) > LIMIT else middle
    return f"{marked} [{min(found):.2f}-{max(found):.2f}]"
