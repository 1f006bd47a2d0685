from typing import Any, ClassVar

from numpy import int32, int64
from numpy.typing import NDArray

class SimpleMinCostFlow:
    class Status: ...

    OPTIMAL: ClassVar[Status]
    INFEASIBLE: ClassVar[Status]
    def add_arcs_with_capacity_and_unit_cost(
        self,
        tails: NDArray[int32],
        heads: NDArray[int32],
        capacities: NDArray[int64],
        unit_costs: NDArray[int64],
    ) -> NDArray[Any]: ...
    def set_nodes_supplies(self, nodes: NDArray[int32], supplies: NDArray[int64]) -> None: ...
    def solve(self) -> Status: ...
    def flows(self, arcs: NDArray[int32]) -> NDArray[int64]: ...
