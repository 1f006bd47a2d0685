"""Many memberships at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json
from starlette.responses import Response

from groupsvc.core.aside import aside
from groupsvc.core.memberships.planning import RowResult
from groupsvc.faces.v1.assignment_schemas import AssignmentsIn, AssignmentsOut
from groupsvc.faces.v1.endpoints import JSON
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.row_bodies import validated
from groupsvc.faces.v1.schemas import PathId
from groupsvc.http.dependencies import MembershipServiceDep

routes = Routes("memberships")

_AT_ONCE: Final = 500  # rows


@routes.post(
    "/partitions/{partition_id:int}/assignments",
    "Assign, move and remove many users",
    AssignmentsOut,
    bulk=True,
)
async def assign_many(
    partition_id: PathId, body: AssignmentsIn, memberships: MembershipServiceDep
) -> Response:
    """Rows of one user take effect in their order, and every row gets its result.

    Places are judged after the whole batch: members of full groups may change places. Where there
    are too few, the first rows have them, and whoever is refused stays where they are.
    `all_or_nothing` writes nothing when a row is refused; `row_by_row` writes the others.
    `dry_run` answers the same and writes nothing.
    """
    asked = await validated(AssignmentsIn, body)
    answers, written = await memberships.assign_many(
        partition_id, asked.rows, mode=asked.mode, dry_run=asked.dry_run
    )
    answer = await aside(len(answers), _encoded, answers, written=written)
    return Response(answer, media_type=JSON)


def _encoded(answers: Sequence[RowResult], *, written: bool) -> bytes:
    counts = Counter(answer.result for answer in answers)
    head = to_json({"written": written, "counts": counts, "rows": []})
    parts = (answers[start : start + _AT_ONCE] for start in range(0, len(answers), _AT_ONCE))
    rows = b",".join(to_json(part)[1:-1] for part in parts)
    return head.removesuffix(b"]}") + rows + b"]}"
