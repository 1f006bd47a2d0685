"""Tables in the body of an answer: CSV as it is read, a workbook when it is complete."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal, TypeVar

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.principal import Principal
from groupsvc.faces.v1.uploads import CSV, XLSX
from groupsvc.http.routing import app_state
from groupsvc.http.spool import Spool
from groupsvc.import_export.exports import Export, Page, page_reader
from groupsvc.import_export.shapes.service import ShapeExport, shape_page_reader
from groupsvc.import_export.writing import TextWriter, WorkbookWriter

Separator = Literal[",", ";", "tab"]
PageReader = Callable[[UnitOfWork], Awaitable[Page]]
E = TypeVar("E", Export, ShapeExport)
LEFT_OUT: Final = "Left-Out"


async def send_text(
    request: Request, export: Export, first: Page, separator: Separator, *, marked: bool
) -> Response:
    writer = TextWriter("\t" if separator == "tab" else separator, marked=marked)
    begun = writer.add(first)

    async def parts() -> AsyncIterator[bytes]:
        yield begun
        async for page in _pages(request, export, page_reader):
            yield writer.add(page)

    return StreamingResponse(
        parts(), media_type=f"{CSV}; charset=utf-8", headers=_called(f"{export.kind.name}.csv")
    )


async def send_shape(request: Request, export: ShapeExport, first: Page) -> Response:
    writer = TextWriter(guarded=False)
    begun = writer.add(first)

    async def parts() -> AsyncIterator[bytes]:
        yield begun
        async for page in _pages(request, export, shape_page_reader):
            yield writer.add(page)

    headers = _called(f"{export.shape.name}.csv") | {LEFT_OUT: str(export.left_out_in_all)}
    return StreamingResponse(parts(), media_type=f"{CSV}; charset=utf-8", headers=headers)


async def send_workbook(request: Request, export: Export, first: Page) -> Response:
    writer, spool = WorkbookWriter(export.kind.name), Spool()
    await asyncio.to_thread(writer.add, first)
    async for page in _pages(request, export, page_reader):
        await asyncio.to_thread(writer.add, page)
    await asyncio.to_thread(writer.finish, spool)
    return StreamingResponse(
        spool.parts(), media_type=XLSX, headers=_called(f"{export.kind.name}.xlsx")
    )


def _called(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


async def _pages(
    request: Request, export: E, reader: Callable[[Principal, E], PageReader]
) -> AsyncIterator[Page]:
    """Each page is a unit of work of its own: a slow client holds no connection."""
    read = reader(request.state.principal, export)
    while not export.is_done:
        yield await app_state(request).units.run(
            request.state.request_id, read, reading=True, bulk=True
        )
