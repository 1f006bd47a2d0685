"""What came out: JSON for programs, Markdown for people, and which goals are met."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import comparison
from benchmarks.copying import COPIES
from benchmarks.items import Item
from benchmarks.measure import Sample

RESULTS = Path(__file__).parent / "results"
MEBIBYTE = 1_048_576
HOT, OTHER, BULK, FLAT = 2.5, 8.0, 2.0, 1.3
READS, ASSIGNS = {"flask": 8.0, "django": 12.0}, {"flask": 50.0, "django": 12.0}
IDLE, WORKING = 120, 60


@dataclass
class Report:
    """``base`` is whom all others are divided by; ``against`` is the commit of ``before``."""

    settings: Mapping[str, Any]
    base: str
    against: str = ""
    samples: dict[str, tuple[Item, Mapping[str, Sequence[Sample]]]] = field(
        default_factory=dict[str, tuple[Item, Mapping[str, Sequence[Sample]]]]
    )
    alike: dict[str, str] = field(default_factory=dict[str, str])
    trips: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    memory: dict[str, int] = field(default_factory=dict[str, int])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    peaks: dict[str, int] = field(default_factory=dict[str, int])
    changed: list[str] = field(default_factory=list[str])

    def add(self, item: Item, samples: Mapping[str, Sequence[Sample]]) -> None:
        self.samples[item.name] = item, samples

    def write(self) -> None:
        RESULTS.mkdir(exist_ok=True)
        stem = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
        stem.with_suffix(".md").write_text(self.text())
        stem.with_suffix(".json").write_text(json.dumps(self._document(), indent=1))

    def text(self) -> str:
        parts = (self._ratios(), self._comparison(), self._figures(), self._memory(), self._goals())
        return "\n".join(line for part in parts for line in part)

    def ratio(self, name: str, contender: str, base: str) -> float | None:
        """Server CPU of one divided by that of another, the median of what each round says."""
        samples = self.samples[name][1]
        if contender not in samples or base not in samples:
            return None
        pairs = zip(samples[contender], samples[base], strict=False)
        return median(_cpu(one, self.base) / _cpu(other, self.base) for one, other in pairs)

    def _ratios(self) -> Iterator[str]:
        names = list(dict.fromkeys(name for _, each in self.samples.values() for name in each))
        yield f"## Ratios\n\nCPU of the server per request, that of {self.base} = 1; round trips.\n"
        yield _row("", *names)
        yield _row("---", *("---:" for _ in names))
        for item, _ in self.samples.values():
            yield _row(item.title, *(self._cell(item.name, name) for name in names))

    def _comparison(self) -> Iterator[str]:
        if self.against:
            yield from comparison.table(self.against, self.samples)
            for title in self.changed:
                yield f"\nThe answer is not what it was before: {title}."

    def _cell(self, item: str, contender: str) -> str:
        ratio = self.ratio(item, contender, self.base)
        trips = self.trips.get((item, contender))
        told = f" ({trips:.0f})" if trips is not None else ""
        return f"{ratio:.2f}{told}" if ratio else ""

    def _figures(self) -> Iterator[str]:
        yield "\n## Figures\n\nMedians, with the least and the most of all rounds.\n"
        yield _row(
            *("", "contender", "requests/s", "p50 ms", "p99 ms"),
            *("server us/request", "PostgreSQL us/request", "answers"),
        )
        yield _row(*("---", "---"), *("---:" for _ in range(5)), "---")
        for item, samples in self.samples.values():
            for name, each in samples.items():
                columns = ("rate", "p50", "p99", "server", "database")
                figures = (_spread([getattr(s, column) for s in each]) for column in columns)
                yield _row(item.title, name, *figures, self.alike.get(item.name, ""))

    def _memory(self) -> Iterator[str]:
        if self.memory:
            yield "\n## Memory, MiB\n"
            for name, size in self.memory.items():
                yield f"* {name}, idle, all its processes: {size / MEBIBYTE:.0f}"
            for title, size in self.peaks.items():
                yield f"* groupsvc, at most, {title}: {size / MEBIBYTE:.0f}"

    def _goals(self) -> Iterator[str]:
        yield "\n## Goals\n"
        for is_met, goal in self._judged():
            yield f"* {'met' if is_met else '**not met**'}: {goal}"

        for title, refusal in self.refused.items():
            yield f"* **left out**: {title}: {refusal.splitlines()[0][:200]}"

    def _judged(self) -> Iterator[tuple[bool, str]]:
        if self.base != "bare":
            for name, (item, samples) in self.samples.items():
                for contender in samples.keys() - {self.base}:
                    ratio = self.ratio(name, contender, self.base) or 0
                    yield ratio <= FLAT, f"{item.title}: {ratio:.2f}, at most {FLAT}"
            return
        for name, (item, _) in self.samples.items():
            yield from self._judged_item(name, item)
        if "groupsvc" in self.memory:
            idle = self.memory["groupsvc"] / MEBIBYTE
            yield idle <= IDLE, f"memory idle: {idle:.0f} MiB, at most {IDLE}"
        for title, size in self.peaks.items():
            more = (size - self.memory["groupsvc"]) / MEBIBYTE
            yield more <= WORKING, f"memory over idle, {title}: {more:.0f} MiB, at most {WORKING}"

    def _judged_item(self, name: str, item: Item) -> Iterator[tuple[bool, str]]:
        least = HOT if item.goal == "hot" else OTHER
        if item.goal in ("hot", "other") and (ratio := self.ratio(name, "groupsvc", "bare")):
            yield ratio <= least, f"{item.title}: {ratio:.2f} of (a), at most {least}"
        if item.goal == "hot" and (trips := self.trips.get((name, "groupsvc"))):
            yield trips <= 1, f"{item.title}: {trips:.1f} round trips, at most 1"
        wanted = ASSIGNS if item.writes else READS
        for other, factor in wanted.items() if item.goal == "hot" else ():
            if (ratio := self.ratio(name, other, "groupsvc")) is not None:
                yield (
                    ratio >= factor,
                    f"{item.title}: {ratio:.1f} times less than {other}, {factor}",
                )
        yield from comparison.judged(item, self.samples[name][1])
        copy = COPIES.get(item.goal, "")
        samples = self.samples[name][1]
        if copy in samples:
            pairs = zip(samples["groupsvc"], samples[copy], strict=True)
            times = median(ours.p50 / theirs.p50 for ours, theirs in pairs)
            yield (
                times <= BULK,
                f"{item.title}: {times:.2f} times as long as {copy}, at most {BULK}",
            )

    def _document(self) -> dict[str, Any]:
        return {
            "settings": {**self.settings, "size": asdict(self.settings["size"])},
            "python": platform.python_version(),
            "against": self.against,
            "changed_answers": self.changed,
            "samples": {
                name: {
                    contender: [asdict(each) for each in own] for contender, own in given.items()
                }
                for name, (_, given) in self.samples.items()
            },
            "answers": self.alike,
            "refused": self.refused,
            "round_trips": {f"{item} {name}": trips for (item, name), trips in self.trips.items()},
            "idle_bytes": self.memory,
            "peak_bytes": self.peaks,
            "goals": [{"met": is_met, "goal": goal} for is_met, goal in self._judged()],
        }


def _cpu(sample: Sample, base: str) -> float:
    """Against another size of data, what PostgreSQL does counts as well."""
    return sample.server + (0 if base == "bare" else sample.database)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: Sequence[float]) -> str:
    digits = 0 if median(values) >= 20 else 1 if median(values) >= 2 else 2
    middle, least, most = (
        f"{each:,.{digits}f}" for each in (median(values), min(values), max(values))
    )
    return f"{middle} [{least}-{most}]" if len(values) > 1 else middle
