"""Work that goes on after a request: uploads of tables of cohorts, and whole requests."""

from typing import Final

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.core.jobs.service import stored_parts
from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import JSON, Paging, Resource
from groupsvc.faces.v1.events import ForSeconds
from groupsvc.faces.v1.job_schemas import JobOut
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import PageOut, PathId
from groupsvc.faces.v1.uploads import CSV, CSV_TYPES, XLSX, documented_csv
from groupsvc.http.cursors import decode_cursor
from groupsvc.http.dependencies import CohortUploadServiceDep, JobServiceDep
from groupsvc.http.event_stream import MEDIA_TYPE
from groupsvc.http.job_stream import JobStream
from groupsvc.http.routing import app_state, bearer

routes = Routes("jobs")

EXAMPLE: Final = """event: progress
data: {"id": 7, "kind": "import", "state": "running", "total": 90000, "attempted": 42000}

: ping

event: end
data: {"reason": "over"}

"""


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
async def list_jobs(course_id: PathId, jobs: JobServiceDep, page: Paging) -> Page:
    """Uploads of cohorts, newest first, those of other faces too. Forgotten after some days."""
    (before,) = decode_cursor(page.cursor, (int,)) or (None,)
    return await jobs.page(course_id, before=before, limit=page.limit)


@routes.get("/jobs", "Your own jobs", PageOut[JobOut], permission=None)
async def list_own_jobs(jobs: JobServiceDep, page: Paging) -> Page:
    """Those that the caller has left, newest first. They are forgotten after some days."""
    (before,) = decode_cursor(page.cursor, (int,)) or (None,)
    return await jobs.own_page(before=before, limit=page.limit)


@routes.get("/jobs/{job_id:int}", "Get a job", JobOut, permission=None, errors=(403,))
async def get_job(job_id: PathId, jobs: JobServiceDep) -> Resource:
    """For whoever left it, those who may write the groups of its course, and administrators.

    The counts grow while it runs; what a whole request writes is there when it has succeeded.
    """
    return await jobs.read(job_id)


@routes.get(
    "/jobs/{job_id:int}/results",
    "The answer of a job",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "What the request would have been answered at once",
            "content": {
                JSON: {"schema": {}},
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
    permission=None,
    errors=(403, 409),
    bulk=True,
)
async def get_job_results(request: Request, job_id: PathId, jobs: JobServiceDep) -> Response:
    """The result of every row, or the file of an export, for whoever left the job and may still do
    what it did. Kept for a day.

    409 `job_open` before the end, `job_failed`, `job_cancelled`, and `answer_erased` afterwards.
    """
    answer = await jobs.answer(job_id)
    media_type = answer.stored["media_type"]
    if answer.whole is not None:
        return Response(answer.whole, media_type=media_type)
    headers = {"content-length": str(answer.stored["bytes"]), **answer.stored["headers"]}
    parts = stored_parts(app_state(request).units, answer)
    return StreamingResponse(parts, headers={**headers, "content-type": media_type})


@routes.post(
    "/jobs/{job_id:int}/cancel",
    "Cancel a job",
    JobOut,
    permission=None,
    errors=(403,),
)
async def cancel_job(job_id: PathId, jobs: JobServiceDep) -> Resource:
    """One that waits has ended then, one that runs ends soon and leaves nothing behind, but for the
    rows that an upload of cohorts has done. One that has ended stays as it is.
    """
    return await jobs.cancel(job_id)


@routes.get(
    "/jobs/{job_id:int}/events",
    "How far a job is, as it goes on",
    responses={
        200: {
            "description": "Server-sent events until the job has ended",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
    response_class=JobStream,
    permission=None,
    errors=(403,),
)
async def stream_job_events(
    request: Request, job_id: PathId, jobs: JobServiceDep, seconds: ForSeconds = None
) -> Response:
    """`progress` with the job as it is read, first and whenever it has changed. `end` says why
    there is no more: `over` when the job has ended, too; else as in the events of a course. Nothing
    is resumed: a new stream begins with the job as it is.
    """
    await jobs.read(job_id)
    return JobStream(app_state(request), job_id, bearer(request) or "", seconds)
