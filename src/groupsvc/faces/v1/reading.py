"""The parameters that say of a table what its columns do not."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Query
from starlette.requests import Request

from groupsvc.import_export.beside import Beside, column_map, column_names, known_format
from groupsvc.import_export.foreign.formats import BY_NAME
from groupsvc.import_export.tables import Form


class Reading(NamedTuple):
    form: Form
    beside: Beside


async def how_to_read(
    request: Request,
    sheet: Annotated[
        str | None,
        Query(max_length=255, description="Of a workbook; the first that is not hidden by default"),
    ] = None,
    course: Annotated[
        str | None, Query(max_length=255, description="Key of the course, if no column has it")
    ] = None,
    partition: Annotated[
        str | None, Query(max_length=255, description="Name of it, if no column has it")
    ] = None,
    department: Annotated[
        str | None, Query(max_length=64, description="Acronym of it, if no column has it")
    ] = None,
    mapped: Annotated[
        str,
        Query(
            alias="map",
            max_length=2000,
            description="Which column is which: `email=Mail,group=Section`; may be repeated",
        ),
    ] = "",
    columns: Annotated[
        str,
        Query(max_length=2000, description="Of a table without a header, with commas between"),
    ] = "",
    format_: Annotated[
        str | None,
        Query(
            alias="format",
            max_length=64,
            description=f"Of another system, if its header does not tell: {', '.join(BY_NAME)}",
        ),
    ] = None,
) -> Reading:
    pairs = request.query_params.getlist("map") if mapped else ()
    beside = Beside(course, partition, department, column_map(pairs), known_format(format_))
    return Reading(Form(sheet=sheet, columns=column_names(columns)), beside)


ReadingDep = Annotated[Reading, Depends(how_to_read)]
