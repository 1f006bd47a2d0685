"""Upload a table that puts users into cohorts: docs/compat/openedx.md, "CSV upload"."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.uploads import UnusableUploadError
from groupsvc.domain.vocabulary import UploadWords
from groupsvc.faces.openedx.access import GlobalStaff, Instructor
from groupsvc.faces.openedx.deps import UploadsDep
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import Key
from groupsvc.faces.openedx.reading import read_body
from groupsvc.faces.openedx.routing import Address, file_body
from groupsvc.http.routing import app_state

UPLOAD_WORDS: Final = UploadWords(
    cohort="cohort_name",
    added="learners_added",
    unknown="learners_not_found",
    invalid="invalid_email_addresses",
    preassigned="preassigned_learners",
    refused="learners_not_allowed",
)
MOST_BYTES: Final = 2_000_000
FILE: Final = "uploaded-file"
NO_FILE: Final = f"No file uploaded with key '{FILE}'."
WRONG_ENDING: Final = "The file must end with the extension '.csv'."
TOO_LARGE: Final = f"Maximum upload file size is {MOST_BYTES} bytes."
FAILED: Final = "failed-validation"

_PATH: Final = "/v1/courses/{key:course_key}/user"
_DOCUMENTED: Final[dict[str, Any]] = {
    "status": 204,
    "body": file_body(FILE),
    "refusals": (400, 401, 403),
    "bulk": True,
}

router = APIRouter(tags=["v1"])
instructor_router = APIRouter(tags=["instructor"])
UPLOAD = Address(
    router,
    f"{_PATH}s",
    GlobalStaff(),
    spellings=(_PATH, f"{_PATH}/", f"{_PATH}s/"),
    view="Cohort CSV",
)
INSTRUCTOR_UPLOAD = Address(
    instructor_router,
    "/{key:course_key}/instructor/api/add_users_to_cohorts",
    Instructor(),
)


@UPLOAD.on("POST", None, "Upload a CSV file", **_DOCUMENTED)
async def upload_users(request: Request, key: Key, uploads: UploadsDep) -> Response:
    """Columns `cohort`, and `email` or `username`. The work is done later, as a job.

    `GET /v1/courses/{id}/jobs` shows its outcome. For an unknown course there is none.
    """
    return await _accept(request, key, uploads, wrong_file=403)


@INSTRUCTOR_UPLOAD.on("POST", None, "Upload a CSV file", **_DOCUMENTED)
async def upload_instructor_users(request: Request, key: Key, uploads: UploadsDep) -> Response:
    """What v1 does, for course staff as well."""
    return await _accept(request, key, uploads, wrong_file=400)


async def _accept(request: Request, key: str, uploads: UploadsDep, *, wrong_file: int) -> Response:
    """Nothing; the work begins when what was uploaded has been committed."""
    upload = (await read_body(request)).files.get(FILE)
    if upload is None:
        raise ApiError(400, NO_FILE, FAILED)
    if not upload.name.lower().endswith(".csv"):
        raise ApiError(wrong_file, WRONG_ENDING)
    if len(upload.content) > MOST_BYTES:
        raise ApiError(wrong_file, TOO_LARGE)
    try:
        await uploads.accept_for_key(key, upload.content)
    except UnusableUploadError as error:
        raise ApiError(400, error.message, FAILED) from error
    return Response(status_code=204, background=BackgroundTask(app_state(request).jobs.wake))


UPLOAD.close()
