"""Work that goes on after a request: uploads of tables of cohorts."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import JSON, Paging, Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Output, PageOut, PathId
from groupsvc.faces.v1.uploads import CSV, CSV_TYPES, documented_csv
from groupsvc.http.cursors import decode_cursor
from groupsvc.http.dependencies import CohortUploadServiceDep
from groupsvc.http.routing import app_state

routes = Routes("jobs")

Texts = list[str]


class CohortResult(Output):
    """The result of the rows that name one cohort."""

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
    without_identifier: Annotated[int, Field(description="Rows without an identifier")]
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
    rows_per_second: Annotated[float | None, Field(description="Null before the first are done")]
    seconds_left: Annotated[int | None, Field(description="While it is running, at that speed")]
    result: JobResult
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@routes.post(
    "/courses/{course_id:int}/cohort-uploads",
    "Upload a table of cohort members",
    JobOut,
    status=202,
    location="/v1/jobs/{id}",
    openapi_extra=documented_csv("cohort", "email", "username"),
    bulk=True,
)
async def upload_cohorts(
    request: Request, course_id: PathId, uploads: CohortUploadServiceDep
) -> Response:
    """CSV with a column `cohort`, and `email` or `username`; answers the job that does the work.

    Cohorts are found by name and never made. The last row of a user wins. Another upload for the
    course waits until this one is done.
    """
    media_type, _, _ = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() not in CSV_TYPES:
        raise HTTPException(415, f"send {CSV}")
    document = await uploads.accept(course_id, await request.body())
    location = f"/v1/jobs/{document.data['id']}"
    wake = BackgroundTask(app_state(request).jobs.wake)
    return Response(document.body, 202, {"location": location}, JSON, wake)


@routes.get(
    "/courses/{course_id:int}/jobs",
    "The jobs of a course",
    PageOut[JobOut],
    permission=Permission.GROUPS_WRITE,
)
async def list_jobs(course_id: PathId, uploads: CohortUploadServiceDep, page: Paging) -> Page:
    """Newest first, those of other faces too. They are forgotten after some days."""
    (before,) = decode_cursor(page.cursor, (int,)) or (None,)
    return await uploads.page(course_id, before=before, limit=page.limit)


@routes.get(
    "/jobs/{job_id:int}",
    "Get a job",
    JobOut,
    permission=Permission.GROUPS_WRITE,
)
async def get_job(job_id: PathId, uploads: CohortUploadServiceDep) -> Resource:
    """The counts and the result grow while it runs."""
    return await uploads.read(job_id)
