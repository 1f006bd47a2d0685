"""All three documents, asked for long and in sequences. `make torture` runs this.

TORTURE_SECONDS=3600 asks each of them for an hour; what fails is printed with its seed.
"""

import os
import re

import pytest

from tests.clients.conformance import FACES, conform, with_tools
from tests.clients.conformance import served as served

SECONDS = int(os.environ.get("TORTURE_SECONDS", "240"))


@with_tools
@pytest.mark.parametrize("face", FACES)
async def test_answers_are_those_of_the_document(served: dict[str, str], face: str) -> None:
    printed = await conform(
        served, face, seconds=SECONDS, examples=100, phases="examples,coverage,fuzzing,stateful"
    )
    print(f"\n{face}:", *re.findall(r"(?m)^ *(\d+ generated.*|Seed: \d+)$", printed))
