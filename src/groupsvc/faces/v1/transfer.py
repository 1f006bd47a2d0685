"""Tables in and out: courses, rosters, structures, assignments, roles."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.routing import E, Routes
from groupsvc.faces.v1.schemas import MOST
from groupsvc.faces.v1.transfer_schemas import ImportOut
from groupsvc.faces.v1.uploads import (
    CSV,
    CSV_ENDING,
    Report,
    documented_csv,
    documented_rows,
    read_upload,
)
from groupsvc.http.dependencies import ExportServiceDep, ImportServiceDep
from groupsvc.http.routing import app_state
from groupsvc.import_export.columns import Kind, Name
from groupsvc.import_export.exports import Export, page_reader
from groupsvc.import_export.imports import ImportService
from groupsvc.import_export.kinds import (
    ASSIGNMENTS,
    COURSES,
    KINDS,
    ROLES,
    ROSTER,
    STRUCTURE,
)

routes = Routes("import and export")

DryRun = Annotated[bool, Query(description="Answer the same and write nothing")]
Create = Annotated[
    bool, Query(description="Make partitions and groups that are missing, at the end")
]


def imports(kind: Kind, summary: str, permission: Permission) -> Callable[[E], E]:
    """Two operations, of which the second takes CSV; clients of old send it to the first too."""

    def add(endpoint: E) -> E:
        for ending, name, words, body in (
            ("", "", summary, documented_rows(kind)),
            (CSV_ENDING, "_csv", f"{summary} as CSV", documented_csv(*kind.columns)),
        ):
            routes.post(
                f"/import/{kind.name}{ending}",
                words,
                ImportOut,
                name=f"{endpoint.__name__}{name}",
                permission=permission,
                openapi_extra=body,
                bulk=True,
            )(endpoint)
        return endpoint

    return add


@imports(COURSES, "Import departments and courses", Permission.ROSTER_WRITE)
async def import_courses(
    request: Request, service: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """Departments that are new need `admin` everywhere, locks need `admin` in the course.

    Locks are set when all rows are in.
    """
    return await _import(request, COURSES, service, dry_run=dry_run)


@imports(ROSTER, "Import users and enrollments", Permission.ROSTER_WRITE)
async def import_roster(
    request: Request, service: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """One row for a user and a course, or for a user alone.

    A column that is absent leaves what is there; a cell that is empty clears a text. A new user
    belongs to the department of the course unless the row names one.
    """
    return await _import(request, ROSTER, service, dry_run=dry_run)


@imports(STRUCTURE, "Import partitions and groups", Permission.GROUPS_WRITE)
async def import_structure(
    request: Request, service: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """One row for a group, or for a partition alone; nothing is deleted.

    Partitions whose rows say so take no other groups when all rows are in. Tracks need
    `roster:write`.
    """
    return await _import(request, STRUCTURE, service, dry_run=dry_run)


@imports(ASSIGNMENTS, "Import who is in which group", Permission.GROUPS_WRITE)
async def import_assignments(
    request: Request, service: ImportServiceDep, dry_run: DryRun = False, create: Create = False
) -> Response:
    """Users by username, e-mail address or student number; rows take effect in their order."""
    return await _import(request, ASSIGNMENTS, service, dry_run=dry_run, create=create)


@imports(ROLES, "Import roles of persons", Permission.ADMIN)
async def import_roles(
    request: Request, service: ImportServiceDep, dry_run: DryRun = False
) -> Response:
    """One row for a user, a role and its place: a course or a department. Rows add roles.

    A row without a role takes all that the user has in that place, and them out of the team of a
    course. A role everywhere has neither course nor department, in a table with both columns.
    """
    return await _import(request, ROLES, service, dry_run=dry_run)


@routes.get(
    "/export/{kind}",
    "Export a table",
    response_class=StreamingResponse,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "The table"}},
    bulk=True,
)
async def export_table(
    request: Request,
    kind: Name,
    exports: ExportServiceDep,
    department: Annotated[str | None, Query(max_length=64, description="Its acronym")] = None,
    course_id: Annotated[int | None, Query(ge=1, le=MOST)] = None,
) -> Response:
    """All that the caller may read, or of one department or course of it; roles where they have
    `admin`.

    The tables, imported in the order courses, roster, structure, assignments, roles, make the same
    again. Cells that a spreadsheet would run begin with `'`, which an import takes away.
    """
    (table,) = (each for each in KINDS if each.name == kind)
    extent = await exports.extent(table, department=department, course_id=course_id)
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
    service: ImportService,
    *,
    dry_run: bool,
    create: bool = False,
) -> Response:
    upload = await read_upload(request, kind)
    report = Report(kind, upload.columns, dry_run=dry_run)
    await service.run(kind, upload.rows, report.add, create=create, dry_run=dry_run)
    return report.answer()


async def _pages(request: Request, export: Export, first: bytes) -> AsyncIterator[bytes]:
    """Each page is a unit of work of its own: a slow client holds no connection."""
    read = page_reader(request.state.principal, export)
    yield first
    while not export.is_done:
        yield await app_state(request).units.run(
            request.state.request_id, read, reading=True, bulk=True
        )
