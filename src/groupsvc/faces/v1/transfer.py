"""Tables in and out."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.downloads import Separator, send_text, send_workbook
from groupsvc.faces.v1.reading import Reading, ReadingDep
from groupsvc.faces.v1.routing import E, Routes
from groupsvc.faces.v1.schemas import MOST
from groupsvc.faces.v1.transfer_schemas import ImportOut
from groupsvc.faces.v1.uploads import (
    CSV,
    CSV_ENDING,
    XLSX,
    Report,
    documented_csv,
    documented_rows,
    read_upload,
)
from groupsvc.http.dependencies import ExportServiceDep, ImportServiceDep
from groupsvc.import_export.columns import Kind, Name
from groupsvc.import_export.dangers import DANGERS, accepted
from groupsvc.import_export.exports import Export
from groupsvc.import_export.kinds import (
    ASSIGNMENTS,
    CONTENT_GROUPS,
    COURSES,
    KINDS,
    PREASSIGNMENTS,
    ROLES,
    ROSTER,
    STRUCTURE,
)
from groupsvc.import_export.options import EmptyCells, Mode, Options, Order
from groupsvc.import_export.whole_imports import TableImportService

routes = Routes("import and export")

DryRun = Annotated[bool, Query(description="Answer the same and write nothing")]
Create = Annotated[
    bool, Query(description="Make partitions and groups that are missing, at the end")
]
Accept = Annotated[
    str,
    Query(
        max_length=100,
        description=f"Do what is refused otherwise, with commas between: {', '.join(DANGERS)}",
        examples=["damaged,lookalike"],
    ),
]
Empty = Annotated[
    EmptyCells, Query(description="What empty cells do: `keep` what is there, or `clear` it")
]
HowMuch = Annotated[
    Mode, Query(description="`all_or_nothing` writes nothing when anything is refused")
]
Ordered = Annotated[
    Order, Query(description="Of groups that are made: that of the `file`, or `natural` by name")
]
Only = Annotated[
    bool, Query(description="Take others out of the groups that the rows put somebody into")
]
WithdrawMissing = Annotated[
    bool, Query(description="Withdraw who is active in the courses of the rows and in none of them")
]


def imports(kind: Kind, summary: str, permission: Permission) -> Callable[[E], E]:
    """Two operations, of which the second takes CSV; clients of old send it to the first too."""

    def add(endpoint: E) -> E:
        csv = documented_csv(*kind.columns, workbooks=True)
        for ending, name, words, body in (
            ("", "", summary, documented_rows(kind)),
            (CSV_ENDING, "_csv", f"{summary} as CSV", csv),
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
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    accept: Accept = "",
    empty: Empty = "keep",
    mode: HowMuch = "row_by_row",
) -> Response:
    """Departments that are new need `admin` everywhere, locks need `admin` in the course.

    Locks are set when all rows are in.
    """
    options = Options(accept=accepted(accept), empty=empty, mode=mode, dry_run=dry_run)
    return await _import(request, COURSES, service, options, reading)


@imports(ROSTER, "Import users and enrollments", Permission.ROSTER_WRITE)
async def import_roster(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    accept: Accept = "",
    empty: Empty = "keep",
    withdraw_missing: WithdrawMissing = False,
    mode: HowMuch = "row_by_row",
) -> Response:
    """One row for a user and a course, or for a user alone.

    A column that is absent or a cell that is empty leaves what is there. A new user belongs to the
    department of the course unless the row names one. Who was withdrawn is active again unless the
    row names a state.

    Rows are judged together: users may swap names, addresses and numbers. Numbers that look damaged
    and users who look like others are refused, unless `accept` says otherwise, and so is what would
    withdraw, or erase something of, more than five people and a fifth.
    """
    options = Options(
        accept=accepted(accept),
        empty=empty,
        withdraw_missing=withdraw_missing,
        mode=mode,
        dry_run=dry_run,
    )
    return await _import(request, ROSTER, service, options, reading)


@imports(STRUCTURE, "Import partitions and groups", Permission.GROUPS_WRITE)
async def import_structure(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    accept: Accept = "",
    empty: Empty = "keep",
    order: Ordered = "file",
    mode: HowMuch = "row_by_row",
) -> Response:
    """One row for a group, or for a partition alone; nothing is deleted.

    Partitions whose rows say so take no other groups when all rows are in. Tracks need
    `roster:write`.
    """
    options = Options(accept=accepted(accept), empty=empty, order=order, mode=mode, dry_run=dry_run)
    return await _import(request, STRUCTURE, service, options, reading)


@imports(ASSIGNMENTS, "Import who is in which group", Permission.GROUPS_WRITE)
async def import_assignments(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    create: Create = False,
    accept: Accept = "",
    empty: Empty = "keep",
    only: Only = False,
    order: Ordered = "file",
    mode: HowMuch = "row_by_row",
) -> Response:
    """Users by username, e-mail address or number; rows take effect in their order.

    A row with the action `remove` takes a user out. What would take more than five people and a
    fifth out of a partition is refused unless `accept` has `large`.

    Names that look alike, damaged numbers and former names count where one alone fits; `code` says
    so.
    """
    options = Options(
        create, accepted(accept), empty, only=only, order=order, mode=mode, dry_run=dry_run
    )
    return await _import(request, ASSIGNMENTS, service, options, reading)


@imports(PREASSIGNMENTS, "Import addresses that wait for a cohort", Permission.GROUPS_WRITE)
async def import_preassignments(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    mode: HowMuch = "row_by_row",
) -> Response:
    """One row for an address, which waits for one cohort of a course."""
    options = Options(mode=mode, dry_run=dry_run)
    return await _import(request, PREASSIGNMENTS, service, options, reading)


@imports(CONTENT_GROUPS, "Import content groups of learning platforms", Permission.ROSTER_WRITE)
async def import_content_groups(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    empty: Empty = "keep",
    mode: HowMuch = "row_by_row",
) -> Response:
    """One row for a content group, or for a content partition alone; nothing is deleted."""
    options = Options(empty=empty, mode=mode, dry_run=dry_run)
    return await _import(request, CONTENT_GROUPS, service, options, reading)


@imports(ROLES, "Import roles of persons", Permission.ADMIN)
async def import_roles(
    request: Request,
    service: ImportServiceDep,
    reading: ReadingDep,
    dry_run: DryRun = False,
    empty: Empty = "keep",
    mode: HowMuch = "row_by_row",
) -> Response:
    """One row for a user, a role and its place: a course or a department. Rows add roles.

    A row with the action `remove` takes the role, or without one all that the user has in that
    place, and them out of the team of a course. A role everywhere has neither course nor
    department, in a table with both columns.
    """
    options = Options(empty=empty, mode=mode, dry_run=dry_run)
    return await _import(request, ROLES, service, options, reading)


@routes.get(
    "/export/{kind}",
    "Export a table",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {
                CSV: {"schema": {"type": "string"}},
                XLSX: {"schema": {"type": "string", "format": "binary"}},
            },
            "description": "The table, as a workbook if `xlsx` asks for one",
        }
    },
    bulk=True,
)
async def export_table(
    request: Request,
    kind: Name,
    exports: ExportServiceDep,
    department: Annotated[str | None, Query(max_length=64, description="Its acronym")] = None,
    course_id: Annotated[int | None, Query(ge=1, le=MOST)] = None,
    separator: Annotated[Separator, Query(description="Between the cells of CSV")] = ",",
    bom: Annotated[
        bool, Query(description="Begin CSV with a byte order mark, for spreadsheets")
    ] = False,
    xlsx: Annotated[bool, Query(description="Answer a workbook")] = False,
) -> Response:
    """All that the caller may read, or of one department or course of it; roles where they have
    `admin`.

    The tables, imported in their order, make the same again. Cells that a spreadsheet would run, or
    an import would mend, begin with `'`, which an import takes away.
    """
    (table,) = (each for each in KINDS if each.name == kind)
    extent = await exports.extent(table, department=department, course_id=course_id)
    export = Export(table, extent)
    first = await exports.next_page(export)
    if xlsx:
        return await send_workbook(request, export, first)
    return await send_text(request, export, first, separator, marked=bom)


async def _import(
    request: Request,
    kind: Kind,
    service: TableImportService,
    options: Options,
    reading: Reading,
) -> Response:
    upload = await read_upload(request, kind, *reading)
    report = Report(upload, options)
    await service.run([upload], report, options)
    return report.answer()
