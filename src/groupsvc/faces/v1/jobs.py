"""Work that goes on after a request: uploads of tables of cohorts."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import Field
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import Id, Output, PageOut, PathId
from groupsvc.http.access import Requires
from groupsvc.http.app_state import app_state
from groupsvc.http.dependencies import IDEMPOTENT, CohortUploadServiceDep, Cursor, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import JSON, decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["jobs"])

WRITER = Depends(Requires(Permission.GROUPS_WRITE))
CSV: Final = "text/csv"
Texts = list[str]


class CohortResult(Output):
    """What became of the rows that name one cohort."""

    cohort_name: str
    exists: bool
    learners_added: Annotated[int, Field(description="Added or moved")]
    learners_not_found: Texts
    invalid_email_addresses: Texts
    preassigned_learners: Texts
    learners_not_allowed: Annotated[Texts, Field(description="The cohort was full")]


class JobError(Output):
    code: str
    message: str


class JobResult(Output):
    cohorts: list[CohortResult]
    without_identifier: Annotated[int, Field(description="Rows that name nobody")]
    error: Annotated[JobError | None, Field(description="Why the job failed")]


class JobOut(Output):
    id: Id
    course_id: Id
    kind: Literal["cohort_upload"]
    state: Literal["queued", "running", "done", "failed"]
    total: Annotated[int, Field(description="Rows of the table")]
    attempted: int
    succeeded: Annotated[int, Field(description="Users added or moved")]
    skipped: Annotated[int, Field(description="Users who were in their cohort already")]
    preassigned: Annotated[int, Field(description="Addresses that wait for their users")]
    failed: int
    result: JobResult
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.post(
    "/courses/{course_id:int}/cohort-uploads",
    operation_id="upload_cohorts",
    summary="Put users into cohorts by a table",
    response_model=JobOut,
    status_code=202,
    responses=problem_responses(400, 401, 403, 404, 409, 413, 415, 422, 503),
    dependencies=[WRITER, IDEMPOTENT],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {CSV: {"example": "cohort,email\nDefault Group,ada@example.org\n"}},
        }
    },
)
async def upload_cohorts(
    request: Request, course_id: PathId, uploads: CohortUploadServiceDep
) -> Response:
    """CSV with a column `cohort`, and `email` or `username`; answers the job that does the work.

    Cohorts are found by name and never made. The last row of a user wins. Another upload for the
    course waits until this one is done.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != CSV:
        raise HTTPException(415, f"send {CSV}")
    document = await uploads.accept(course_id, await request.body())
    location = f"/v1/jobs/{document.data['id']}"
    wake = BackgroundTask(app_state(request).jobs.wake)
    return Response(document.body, 202, {"location": location}, JSON, wake)


@router.get(
    "/courses/{course_id:int}/jobs",
    operation_id="list_jobs",
    summary="The jobs of a course",
    response_model=PageOut[JobOut],
    responses=problem_responses(401, 403, 404, 422, 503),
    dependencies=[WRITER],
)
async def list_jobs(
    request: Request,
    course_id: PathId,
    uploads: CohortUploadServiceDep,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Newest first, those of other faces too. They are forgotten after some days."""
    (before,) = decode_cursor(cursor, (int,)) or (None,)
    page = await uploads.page(course_id, before=before, limit=page_size(request, limit))
    return page_response(request, page)


@router.get(
    "/jobs/{job_id:int}",
    operation_id="get_job",
    summary="How far a job is, and what became of it",
    response_model=JobOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[WRITER],
)
async def get_job(request: Request, job_id: PathId, uploads: CohortUploadServiceDep) -> Response:
    """The counts and the result grow while it runs."""
    return resource_response(request, await uploads.read(job_id))
