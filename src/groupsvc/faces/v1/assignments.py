"""Many memberships at once."""

from collections import Counter

from pydantic_core import to_json
from starlette.responses import Response

from groupsvc.faces.v1.endpoints import JSON
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import AssignmentsIn, AssignmentsOut, PathId
from groupsvc.http.dependencies import MembershipServiceDep

routes = Routes("memberships")


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
    answers, written = await memberships.assign_many(
        partition_id, body.rows, mode=body.mode, dry_run=body.dry_run
    )
    counts = Counter(answer.result for answer in answers)
    result = {"written": written, "counts": counts, "rows": answers}
    return Response(to_json(result), media_type=JSON)
