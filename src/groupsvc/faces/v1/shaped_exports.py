"""Tables that other systems import, of one partition each."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.faces.v1.downloads import LEFT_OUT, send_shape
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import PathId
from groupsvc.faces.v1.uploads import CSV
from groupsvc.http.dependencies import ShapeServiceDep
from groupsvc.http.documents import headers
from groupsvc.import_export.shapes.declared import BY_NAME, ShapeName
from groupsvc.import_export.shapes.service import Elsewhere

routes = Routes("import and export")


@routes.get(
    "/partitions/{partition_id:int}/export",
    "Export a partition for another system",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {CSV: {"schema": {"type": "string"}}},
            "description": "The file",
            **headers(LEFT_OUT),
        }
    },
    errors=(409,),
    bulk=True,
)
async def export_partition(
    request: Request,
    partition_id: PathId,
    shapes: ShapeServiceDep,
    shape: Annotated[ShapeName, Query(alias="as", description="Which file of which system")],
    course_name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=255,
            description="What the other system calls the course; its key by default",
        ),
    ] = None,
    partition_name: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=255,
            description="What the other system calls the partition; its name by default",
        ),
    ] = None,
    mode: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=100,
            description="Of `openedx-teams`: in which the users are enrolled; `audit` by default",
        ),
    ] = None,
) -> Response:
    """A file that the other system imports, with comma, in UTF-8, without a byte order mark.

    Cells are as they are: nothing keeps a spreadsheet from running them. Who is not active in the
    course is left out, but for `openedx-cohorts`, and counted in `Left-Out`. A name that the other
    system would misread is refused (`unfit_name`).
    """
    elsewhere = Elsewhere(course_name, partition_name, mode)
    export = await shapes.begin(BY_NAME[shape], partition_id, elsewhere)
    return await send_shape(request, export, await shapes.next_page(export))
