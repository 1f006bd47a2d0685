"""Many memberships at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.aside import aside
from groupsvc.core.memberships.planning import RowResult
from groupsvc.faces.v1.assignment_schemas import AssignmentsIn, AssignmentsOut
from groupsvc.faces.v1.endpoints import JSON
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.row_bodies import validated
from groupsvc.faces.v1.schemas import PathId
from groupsvc.http.dependencies import MembershipServiceDep
from groupsvc.http.left_requests import running, tell_total
from groupsvc.http.spool import Spool, SpooledResponse

routes = Routes("memberships")

_AT_ONCE: Final = 500  # rows
_END: Final = b"]}"


@routes.post(
    "/partitions/{partition_id:int}/assignments",
    "Assign, move and remove many users",
    AssignmentsOut,
    bulk=True,
    job="assignments",
)
async def assign_many(
    request: Request,
    partition_id: PathId,
    body: AssignmentsIn,
    memberships: MembershipServiceDep,
) -> Response:
    """Rows of one user take effect in their order, and every row gets its result.

    Places are judged after the whole batch: members of full groups may change places. Where there
    are too few, the first rows have them, and whoever is refused stays where they are.
    `all_or_nothing` writes nothing when a row is refused; `row_by_row` writes the others.
    `dry_run` answers the same and writes nothing.
    """
    asked, rows = await validated(AssignmentsIn, body)
    tell_total(request, len(rows))
    answers, written = await memberships.assign_many(
        partition_id, rows, mode=asked.mode, dry_run=asked.dry_run
    )
    if (job := running(request)) is not None:
        results = Counter(each.result for each in answers)
        refused, same = results["refused"], results["unchanged"]
        done = len(answers) - refused - same
        job.count(succeeded=done, skipped=same, failed=refused)
    return await aside(len(answers), _answer, answers, written=written)


def _answer(answers: Sequence[RowResult], *, written: bool) -> Response:
    """Those of many rows go to disk."""
    document = {"written": written, "counts": Counter(answer.result for answer in answers)}
    if len(answers) <= _AT_ONCE:
        return Response(to_json({**document, "rows": answers}), media_type=JSON)
    spool = Spool()
    for start in range(0, len(answers), _AT_ONCE):
        spool.write(b"," if start else b"")
        spool.write(to_json(answers[start : start + _AT_ONCE])[1:-1])
    head = to_json({**document, "rows": []}).removesuffix(_END)
    return SpooledResponse(head, spool, _END, JSON)
