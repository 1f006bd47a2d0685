"""Tables in the body of a request, as CSV or as JSON, and the answer to every row of them."""

import io
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.faces.v1.endpoints import JSON
from groupsvc.faces.v1.schemas import Input
from groupsvc.faces.v1.transfer_schemas import (
    MOST_ROWS,
    AssignmentRow,
    CourseRow,
    RoleRow,
    RosterRow,
    Rows,
    StructureRow,
)
from groupsvc.http.strict_request import media_type_is_json
from groupsvc.import_export.columns import Kind, Name
from groupsvc.import_export.headers import fit, renamed
from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.tables import Row, as_text, read_table

CSV: Final = "text/csv"
# Some generators of clients know no `text/csv`: bytes do, where nothing else is taken.
CSV_TYPES: Final = (CSV, "application/octet-stream")
CSV_ENDING: Final = ".csv"
# Of JSON: read whole before the first row is looked at, it takes many times its size.
MOST_BYTES: Final = 8_388_608
ROWS: Final[dict[Name, tuple[type[Input], type[Rows[Any]]]]] = {
    "courses": (CourseRow, Rows[CourseRow]),
    "roster": (RosterRow, Rows[RosterRow]),
    "structure": (StructureRow, Rows[StructureRow]),
    "assignments": (AssignmentRow, Rows[AssignmentRow]),
    "roles": (RoleRow, Rows[RoleRow]),
}


class Upload(NamedTuple):
    """``columns`` are those that it calls something else."""

    rows: Iterable[Row]
    columns: Mapping[str, str]


async def read_upload(request: Request, kind: Kind) -> Upload:
    """The rows of the body, of which those of CSV are read as they are asked for.

    Raises HTTPException for another media type, and what is wrong with the body as a whole.
    """
    content_type = request.headers.get("content-type")
    taken = CSV_TYPES if request.scope["path"].endswith(CSV_ENDING) else (CSV, JSON)
    if JSON in taken and media_type_is_json(content_type):
        if len(await request.body()) > MOST_BYTES:
            raise HTTPException(413, f"JSON may have {MOST_BYTES} bytes here: send {CSV}")
        return Upload(_rows_of_json(kind, await request.json()), {})
    if not _is_utf8(content_type, taken):
        raise HTTPException(415, f"send {' or '.join(taken)}")
    table = read_table(as_text(io.BytesIO(await request.body())))
    return Upload(fit(table, kind).rows, renamed(table.header, kind))


def documented_csv(*columns: str) -> dict[str, Any]:
    """A table in the body, for the OpenAPI document.

    It is binary because some generators send a text as a JSON string.
    """
    header = f"CSV in UTF-8; the first line names the columns: `{','.join(columns)}`"
    schema = {"type": "string", "format": "binary"}
    return {
        "requestBody": {
            "required": True,
            "description": header,
            "content": {each: {"schema": schema} for each in CSV_TYPES},
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
    """The answers to the rows, as they come in."""

    def __init__(self, kind: Kind, columns: Mapping[str, str], *, dry_run: bool) -> None:
        self._head: dict[str, Any] = {"kind": kind.name, "dry_run": dry_run}
        if columns:
            self._head["columns"] = columns
        self._counts: Counter[str] = Counter()
        self._rows: list[str] = []

    def add(self, answers: Sequence[RowAnswer]) -> None:
        self._counts.update(answer.result for answer in answers)
        self._rows.append(",".join(map(_row, answers)))

    def answer(self) -> Response:
        head = {**self._head, "counts": dict(self._counts)}
        body = f'{json.dumps(head)[:-1]}, "rows": [{",".join(self._rows)}]}}'
        return Response(body, media_type=JSON)


def _rows_of_json(kind: Kind, document: Any) -> Iterator[Row]:
    _, model = ROWS[kind.name]
    try:
        rows = model.model_validate(document, from_attributes=True).rows
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise RequestValidationError(
            [{**each, "loc": ("body", *each["loc"])} for each in found]
        ) from None
    return (Row(place, _cells(row)) for place, row in enumerate(rows, start=1))


def _cells(row: Input) -> dict[str, str]:
    return {name: _cell(value) for name, value in row.given().items()}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_utf8(content_type: str | None, media_types: Collection[str]) -> bool:
    media_type, *parameters = (content_type or "").lower().split(";")
    pairs = (parameter.partition("=") for parameter in parameters)
    charsets = (value.strip(' \t"') for name, _, value in pairs if name.strip() == "charset")
    return media_type.strip() in media_types and all(name in ("utf-8", "utf8") for name in charsets)


def _row(answer: RowAnswer) -> str:
    code, message = json.dumps(answer.code), json.dumps(answer.message)
    return f'{{"line":{answer.line},"result":"{answer.result}","code":{code},"message":{message}}}'
