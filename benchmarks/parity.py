"""Whether all contenders answer the same, before anything is timed."""

import json
from collections.abc import Sequence
from typing import Any

from benchmarks.items import Item
from benchmarks.measure import Bench

# What only some of them tell, or tell by chance.
OWN = {"next_cursor", "counts", "code"}


def compare(bench: Bench, item: Item, names: Sequence[str]) -> str:
    """How alike the answers are, in a word. Raises AssertionError when they differ in meaning."""
    answers: dict[str, bytes] = {}
    for name in names:
        requests = bench.raw(item, name)
        bench.reset(item, name)
        second = [requests[len(requests) // 2]] if item.writes and not item.reset else []
        requests = [requests[0], *second]
        answers[name] = bench.ask(name, requests)
    (first, body), *others = answers.items()
    for name, other in others:
        mine, theirs = meaning(item, body), meaning(item, other)
        if mine != theirs:
            raise AssertionError(f"{item.name}: {first} {body[:1500]!r}\n{name} {other[:1500]!r}")
    return "same bytes" if len(set(answers.values())) == 1 else "same meaning"


def meaning(item: Item, body: bytes) -> Any:
    document = _shared(json.loads(body))
    if item.name == "arrive":
        return document["assigned"], sorted(document)
    return document


def _shared(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shared(each) for name, each in value.items() if name not in OWN}
    return [_shared(each) for each in value] if isinstance(value, list) else value
