"""The whole matrix of who may do what. `make torture` runs this; TORTURE_CELLS=1000 asks fewer."""

import os

from tests.authorization.conftest import matrix as matrix
from tests.authorization.matrix import Matrix, cells, sample

CELLS = int(os.environ.get("TORTURE_CELLS", "0"))


async def test_every_cell_is_as_declared(matrix: Matrix) -> None:
    asked = sample(CELLS) if CELLS else cells()
    assert await matrix.ask_all(asked) == []
    print(f"\n{matrix.asked.total()} cells: {dict(matrix.asked)}")
