"""How many examples a property is tried on: few in the suite, more in ``make torture``."""

import os

FACTOR = int(os.environ.get("TORTURE_EXAMPLES", "1"))


def examples(count: int) -> int:
    return count * FACTOR
