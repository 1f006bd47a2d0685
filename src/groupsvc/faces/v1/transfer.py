"""Tables in and out: courses, rosters, structures, assignments."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.schemas import MOST
from groupsvc.faces.v1.transfer_schemas import ImportOut
from groupsvc.faces.v1.uploads import CSV, Report, documented_body, read_upload
from groupsvc.http.access import Requires
from groupsvc.http.app_state import app_state
from groupsvc.http.dependencies import IDEMPOTENT
from groupsvc.http.problems import problem_responses
from groupsvc.http.routing import BulkTransactionalRoute
from groupsvc.import_export.exports import Export, ExportService, page_reader
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.kinds import (
    ASSIGNMENTS,
    COURSES,
    KINDS,
    ROSTER,
    STRUCTURE,
    Kind,
    Name,
)

router = APIRouter(prefix="/v1", route_class=BulkTransactionalRoute, tags=["import and export"])


async def import_service(request: Request) -> ImportService:
    return ImportService(request.state.uow, request.state.principal)


async def export_service(request: Request) -> ExportService:
    return ExportService(request.state.uow, request.state.principal)


ImportServiceDep = Annotated[ImportService, Depends(import_service)]
ExportServiceDep = Annotated[ExportService, Depends(export_service)]

READER = Depends(Requires(Permission.GROUPS_READ))
WRITER = Depends(Requires(Permission.GROUPS_WRITE))
ROSTER_WRITER = Depends(Requires(Permission.ROSTER_WRITE))
WRITE_ERRORS = problem_responses(400, 401, 403, 409, 413, 415, 422, 503)

DryRun = Annotated[bool, Query(description="Answer the same and write nothing")]
Create = Annotated[
    bool, Query(description="Make partitions and groups that are missing, at the end")
]


@router.post(
    "/import/courses",
    operation_id="import_courses",
    summary="Import departments and courses",
    response_model=ImportOut,
    responses=WRITE_ERRORS,
    dependencies=[ROSTER_WRITER, IDEMPOTENT],
    openapi_extra=documented_body(COURSES),
)
async def import_courses(
    request: Request, imports: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """Departments that are new need `admin` everywhere, locks need `admin` in the course.

    Locks are set when all rows are in.
    """
    return await _import(request, COURSES, imports, dry_run=dry_run)


@router.post(
    "/import/roster",
    operation_id="import_roster",
    summary="Import users and enrollments",
    response_model=ImportOut,
    responses=WRITE_ERRORS,
    dependencies=[ROSTER_WRITER, IDEMPOTENT],
    openapi_extra=documented_body(ROSTER),
)
async def import_roster(
    request: Request, imports: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """One row for a user and a course, or for a user alone.

    A column that is absent leaves what is there; a cell that is empty clears a text. A new user
    belongs to the department of the course unless the row names one.
    """
    return await _import(request, ROSTER, imports, dry_run=dry_run)


@router.post(
    "/import/structure",
    operation_id="import_structure",
    summary="Import partitions and groups",
    response_model=ImportOut,
    responses=WRITE_ERRORS,
    dependencies=[WRITER, IDEMPOTENT],
    openapi_extra=documented_body(STRUCTURE),
)
async def import_structure(
    request: Request, imports: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """One row for a group, or for a partition alone; nothing is deleted.

    Partitions whose rows say so take no other groups when all rows are in. Tracks need
    `roster:write`.
    """
    return await _import(request, STRUCTURE, imports, dry_run=dry_run)


@router.post(
    "/import/assignments",
    operation_id="import_assignments",
    summary="Import who is in which group",
    response_model=ImportOut,
    responses=WRITE_ERRORS,
    dependencies=[WRITER, IDEMPOTENT],
    openapi_extra=documented_body(ASSIGNMENTS),
)
async def import_assignments(
    request: Request, imports: ImportServiceDep, dry_run: DryRun = False, create: Create = False
) -> Response:
    """Users by username, e-mail address or student number; rows take effect in their order."""
    return await _import(request, ASSIGNMENTS, imports, dry_run=dry_run, create=create)


@router.get(
    "/export/{kind}",
    operation_id="export_table",
    summary="Export a table",
    response_class=StreamingResponse,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The table"},
        **problem_responses(401, 403, 404, 422, 503),
    },
    dependencies=[READER],
)
async def export_table(
    request: Request,
    kind: Name,
    exports: ExportServiceDep,
    department: Annotated[str | None, Query(max_length=64, description="Its acronym")] = None,
    course_id: Annotated[int | None, Query(ge=1, le=MOST)] = None,
) -> Response:
    """All that the caller may read, or of one department or course of it.

    The four tables, imported in the order courses, roster, structure, assignments, make the same
    again. Cells that a spreadsheet would run begin with `'`, which an import takes away.
    """
    extent = await exports.extent(department=department, course_id=course_id)
    (table,) = (each for each in KINDS if each.name == kind)
    begun = Export(table, extent)
    first = await exports.next_page(begun)
    return StreamingResponse(
        _pages(request, begun, first),
        media_type=f"{CSV}; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{kind}.csv"'},
    )


async def _import(
    request: Request,
    kind: Kind,
    imports: ImportService,
    *,
    dry_run: bool,
    create: bool = False,
) -> Response:
    report = Report(kind, dry_run=dry_run)
    rows = await read_upload(request, kind)
    await imports.run(kind, rows, report.tell, create=create, dry_run=dry_run)
    return report.answer()


async def _pages(request: Request, export: Export, first: bytes) -> AsyncIterator[bytes]:
    """Each page is a unit of work of its own: a slow client holds no connection."""
    read = page_reader(request.state.principal, export)
    yield first
    while not export.is_done:
        yield await app_state(request).units.run(
            request.state.request_id, read, reading=True, bulk=True
        )
