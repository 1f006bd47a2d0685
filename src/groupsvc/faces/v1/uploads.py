"""Tables in the body of a request, as CSV or as JSON, and the answer to every row of them."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.domain.errors import InvalidError
from groupsvc.faces.v1.endpoints import JSON
from groupsvc.faces.v1.row_bodies import validated
from groupsvc.faces.v1.schemas import Input
from groupsvc.faces.v1.transfer_schemas import (
    MOST_ROWS,
    AssignmentRow,
    ContentGroupRow,
    CourseRow,
    PreassignmentRow,
    RoleRow,
    RosterRow,
    Rows,
    StructureRow,
)
from groupsvc.faces.v1.uploaded_tables import JsonUpload, Upload, table_upload
from groupsvc.http.spool import Spool, SpooledResponse, spooled_body
from groupsvc.http.strict_request import media_type_is_json
from groupsvc.import_export.beside import NOTHING_BESIDE, Beside
from groupsvc.import_export.columns import Kind, Name
from groupsvc.import_export.encodings import LABELS
from groupsvc.import_export.lines import Line
from groupsvc.import_export.lists import wants_lists
from groupsvc.import_export.options import Options
from groupsvc.import_export.results import MissingAnswer, RowAnswer
from groupsvc.import_export.tables import Form

CSV: Final = "text/csv"
# Some generators of clients know no `text/csv`: bytes do, where nothing else is taken.
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP: Final = "application/zip"
BYTES: Final = "application/octet-stream"
CSV_TYPES: Final = (CSV, BYTES)
CSV_ENDING: Final = ".csv"
# Of JSON: read whole before the first row is looked at, it takes many times its size.
MOST_BYTES: Final = 8_388_608
ROWS: Final[dict[Name, tuple[type[Input], type[Rows[Any]]]]] = {
    "courses": (CourseRow, Rows[CourseRow]),
    "roster": (RosterRow, Rows[RosterRow]),
    "structure": (StructureRow, Rows[StructureRow]),
    "assignments": (AssignmentRow, Rows[AssignmentRow]),
    "preassignments": (PreassignmentRow, Rows[PreassignmentRow]),
    "content_groups": (ContentGroupRow, Rows[ContentGroupRow]),
    "roles": (RoleRow, Rows[RoleRow]),
}


async def read_upload(request: Request, kind: Kind, form: Form, beside: Beside) -> Upload:
    """The table in the body.

    Raises HTTPException for another media type, and what is wrong with the body as a whole.
    """
    content_type = request.headers.get("content-type")
    taken = CSV_TYPES if request.scope["path"].endswith(CSV_ENDING) else (CSV, JSON)
    if JSON in taken and media_type_is_json(content_type):
        if beside != NOTHING_BESIDE or form != Form():
            raise InvalidError("rows of JSON name everything themselves", code="invalid_rows")
        length = int(request.headers.get("content-length", "0"))
        if length > MOST_BYTES or len(await request.body()) > MOST_BYTES:
            raise HTTPException(413, f"JSON may have {MOST_BYTES} bytes here: send {CSV}")
        return JsonUpload(kind, await _rows_of_json(kind, await request.json()))
    media_type, charset = _media_type(content_type)
    if media_type == JSON or media_type not in (*taken, XLSX, ZIP):
        raise HTTPException(415, f"send {' or '.join(taken)}")
    if charset is not None and charset not in LABELS:
        raise HTTPException(415, f"the charset may be one of {', '.join(LABELS)}")
    is_workbook = None if media_type in (BYTES, ZIP) else media_type == XLSX
    form = replace(form, encoding=charset, is_workbook=is_workbook)
    return await asyncio.to_thread(table_upload, kind, await spooled_body(request), form, beside)


def documented_csv(*columns: str, workbooks: bool = False) -> dict[str, Any]:
    """A table in the body, for the OpenAPI document.

    It is binary because some generators send a text as a JSON string. Workbooks come last: tools
    take the first media type that they can write.
    """
    header = f"CSV; the first line names the columns: `{','.join(columns)}`"
    types = (*CSV_TYPES, XLSX) if workbooks else CSV_TYPES
    schema = {"type": "string", "format": "binary"}
    return {
        "requestBody": {
            "required": True,
            "description": f"{header}. Or an .xlsx workbook" if workbooks else header,
            "content": {each: {"schema": schema} for each in types},
        }
    }


def documented_rows(kind: Kind) -> dict[str, Any]:
    """The body for the OpenAPI document, which the routes read by themselves."""
    model, _ = ROWS[kind.name]
    rows = {"type": "array", "items": model.model_json_schema(), "maxItems": MOST_ROWS}
    document = {
        "type": "object",
        "properties": {"rows": rows},
        "required": ["rows"],
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {JSON: {"schema": document}}}}


class Report:
    """The answers to the rows, as they come in; those of a large table are kept on disk."""

    def __init__(self, upload: Upload, options: Options) -> None:
        self._upload, self._options = upload, options
        self._counts: Counter[str] = Counter()
        self._rows = Spool()
        self._is_begun = False
        self._missing: list[MissingAnswer] = []

    @property
    def has_refused(self) -> bool:
        return self._counts["refused"] > 0

    def add_rows(self, _upload: Upload, answers: Sequence[RowAnswer]) -> None:
        if self._is_begun and answers:
            self._rows.write(b",")
        self._is_begun = self._is_begun or bool(answers)
        self._counts.update(result for answer in answers for result in answer.results)
        self._rows.write(",".join(map(_row, answers)).encode())

    def add_missing(self, _kind: Kind, answers: Sequence[MissingAnswer]) -> None:
        self._counts.update(answer.result for answer in answers)
        self._missing += answers

    def answer(self) -> Response:
        options = self._options
        head: dict[str, Any] = {"kind": self._upload.kind.name, "dry_run": options.dry_run}
        if options.mode == "all_or_nothing":
            head["written"] = not (options.dry_run or self.has_refused)
        head |= self._upload.told()
        head["counts"] = {name: count for name, count in self._counts.items() if count}
        if wants_lists(self._upload.kind, options):
            head["missing"] = [asdict(each) for each in self._missing]
        return SpooledResponse(
            f'{json.dumps(head)[:-1]}, "rows": ['.encode(), self._rows, b"]}", JSON
        )


async def _rows_of_json(kind: Kind, document: Any) -> list[dict[str, str]]:
    _, model = ROWS[kind.name]
    return [_cells(row) for row in (await validated(model, document)).rows]


def _cells(row: Input) -> dict[str, str]:
    return {name: _cell(value) for name, value in row.given().items()}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _media_type(content_type: str | None) -> tuple[str, str | None]:
    """What the header names, and its charset."""
    media_type, *parameters = (content_type or "").lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    charsets = [value.strip(' \t"') for name, _, value in pairs if name.strip() == "charset"]
    return media_type.strip(), charsets[0] if charsets else None


def _row(answer: RowAnswer) -> str:
    if answer.code is None and type(answer.line) is int and not (answer.also or answer.near):
        # Most of a large table is like this, and takes a quarter of the time.
        return f'{{"line":{answer.line},"result":"{answer.result}","code":null,"message":null}}'
    code, message = json.dumps(answer.code), json.dumps(answer.message)
    also = f',"also":{json.dumps(answer.also)}' if answer.also else ""
    near = f',"near":{json.dumps(answer.near)}' if answer.near else ""
    said = f'"result":"{answer.result}","code":{code},"message":{message}{also}{near}'
    if isinstance(answer.line, Line) and answer.line.file is not None:
        said = f'"file":{json.dumps(answer.line.file)},{said}'
    return f'{{"line":{answer.line},{said}}}'
