"""Upload a table that puts users into cohorts: docs/compat/openedx.md, "CSV upload"."""

from typing import Final

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.cohorts.upload_file import UnusableUploadError
from groupsvc.faces.openedx.access import GlobalStaff
from groupsvc.faces.openedx.deps import UploadsDep
from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.keys import Key
from groupsvc.faces.openedx.reading import Upload, read_body
from groupsvc.faces.openedx.routing import Address, file_body
from groupsvc.http.app_state import app_state

FILE: Final = "uploaded-file"
NO_FILE: Final = f"No file uploaded with key '{FILE}'."
FAILED: Final = "failed-validation"

_PATH: Final = "/v1/courses/{key:course_key}/user"

router = APIRouter(tags=["v1"])
UPLOAD = Address(
    router,
    f"{_PATH}s",
    GlobalStaff(),
    spellings=(_PATH, f"{_PATH}/", f"{_PATH}s/"),
    view="Cohort CSV",
)


@UPLOAD.on(
    "POST",
    None,
    "Upload a CSV file",
    status=204,
    body=file_body(FILE),
    refusals=(400, 401, 403),
    bulk=True,
)
async def upload_users(request: Request, key: Key, uploads: UploadsDep) -> Response:
    """Columns `cohort`, and `email` or `username`. The work is done later, as a job.

    `GET /v1/courses/{id}/jobs` tells what became of it. For an unknown course there is none.
    """
    upload = await uploaded_file(request)
    if upload is None:
        raise ApiError(400, NO_FILE, FAILED)
    try:
        await uploads.accept_for_key(key, upload.name, upload.content)
    except UnusableUploadError as error:
        if error.code == "wrong_file":
            raise ApiError(403, error.message) from error
        raise ApiError(400, error.message, FAILED) from error
    return accepted(request)


async def uploaded_file(request: Request) -> Upload | None:
    return (await read_body(request)).files.get(FILE)


def accepted(request: Request) -> Response:
    """Nothing; the work begins when what was uploaded has been committed."""
    return Response(status_code=204, background=BackgroundTask(app_state(request).jobs.wake))


UPLOAD.close()
