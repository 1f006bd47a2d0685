"""Many memberships at once."""

from collections import Counter

from fastapi import APIRouter, Depends
from pydantic_core import to_json
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import AssignmentsIn, AssignmentsOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import IDEMPOTENT, MembershipServiceDep
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import JSON
from groupsvc.http.routing import BulkTransactionalRoute

router = APIRouter(prefix="/v1", route_class=BulkTransactionalRoute, tags=["memberships"])

WRITER = Depends(Requires(Permission.GROUPS_WRITE))


@router.post(
    "/partitions/{partition_id:int}/assignments",
    operation_id="assign_many",
    summary="Assign, move and remove many users",
    response_model=AssignmentsOut,
    responses=problem_responses(400, 401, 403, 404, 409, 413, 415, 422, 503),
    dependencies=[WRITER, IDEMPOTENT],
)
async def assign_many(
    partition_id: PathId, body: AssignmentsIn, memberships: MembershipServiceDep
) -> Response:
    """Rows take effect in their order, and every row gets its result.

    `all_or_nothing` writes nothing when a row is refused; `row_by_row` writes the others.
    `dry_run` answers the same and writes nothing.
    """
    answers, written = await memberships.assign_many(
        partition_id, body.rows, mode=body.mode, dry_run=body.dry_run
    )
    counts = Counter(answer.result for answer in answers)
    told = {"written": written, "counts": counts, "rows": answers}
    return Response(to_json(told), media_type=JSON)
