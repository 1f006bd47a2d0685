"""Whether calls are gathered: always, as in production, or never."""

from typing import Final

import pytest

from groupsvc.db.gathering import Gatherer

WAYS: Final = {"together": {"FEW": 0, "LEAST": 1}, "alone": {"FEW": 10**9}}
# The same for a process that begins with it.
CODE: Final = {
    way: "from groupsvc.db.gathering import Gatherer\n"
    + "".join(f"Gatherer.{name} = {value}\n" for name, value in changes.items())
    for way, changes in WAYS.items()
}


def gather(patch: pytest.MonkeyPatch, way: str) -> None:
    for name, value in WAYS[way].items():
        patch.setattr(Gatherer, name, value)
