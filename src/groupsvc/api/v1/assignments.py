"""Many memberships at once."""

from collections import Counter
from dataclasses import asdict

from fastapi import APIRouter, Depends

from groupsvc.api.access import Requires
from groupsvc.api.deps import IDEMPOTENT, MembershipServiceDep
from groupsvc.api.problems import problem_responses
from groupsvc.api.units import BulkRoute
from groupsvc.api.v1.schemas import AssignmentRowOut, AssignmentsIn, AssignmentsOut, PathId
from groupsvc.auth.principal import Permission
from groupsvc.services.memberships import AssignmentRow

router = APIRouter(prefix="/v1", route_class=BulkRoute, tags=["memberships"])

WRITER = Depends(Requires(Permission.GROUPS_WRITE))


@router.post(
    "/partitions/{partition_id:int}/assignments",
    operation_id="assign_many",
    summary="Assign, move and remove many users",
    responses=problem_responses(400, 401, 403, 404, 409, 413, 415, 422, 503),
    dependencies=[WRITER, IDEMPOTENT],
)
async def assign_many(
    partition_id: PathId, body: AssignmentsIn, memberships: MembershipServiceDep
) -> AssignmentsOut:
    """Rows take effect in their order, and every row gets its result.

    `all_or_nothing` writes nothing when a row is refused; `row_by_row` writes the others.
    `dry_run` answers the same and writes nothing.
    """
    rows = [AssignmentRow(**row.model_dump()) for row in body.rows]
    answers, written = await memberships.assign_many(
        partition_id, rows, mode=body.mode, dry_run=body.dry_run
    )
    return AssignmentsOut(
        written=written,
        counts=dict(Counter(answer.result for answer in answers)),
        rows=[AssignmentRowOut.model_construct(**asdict(answer)) for answer in answers],
    )
