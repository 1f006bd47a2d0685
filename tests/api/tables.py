"""Tables to send, and what is answered."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = {"content-type": "text/csv"}
NO_COURSE = ("unknown_course", "no such course")


def table(*rows: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


async def upload(
    client: httpx.AsyncClient, kind: str, content: str | bytes, **query: Any
) -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    return await client.post(f"/v1/import/{kind}", content=body, headers=CSV, params=query)


async def rows(client: httpx.AsyncClient, kind: str, *given: Sequence[object], **query: Any) -> Any:
    """Import rows of which the first is the header; answers ``(line, result, code, message)``."""
    answer = await upload(client, kind, table(*given), **query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    for row in body["rows"]:
        if near := row.pop("near", None):
            assert row["message"].endswith(f": {', '.join(near)}")
    found = [tuple(row.values()) for row in body["rows"]]
    assert body == answered(kind, *found, dry_run=query.get("dry_run", False))
    return found


def answered(
    kind: str, *found: Sequence[Any], dry_run: bool = False, **reading: Any
) -> dict[str, Any]:
    """A whole answer; every row is ``(line, result)`` with a code and a message when refused.

    ``reading`` are members that tell how the table was read.
    """
    names = ("line", "result", "code", "message")
    told = [dict(zip(names, (*row, None, None)[:4], strict=True)) for row in found]
    return {
        "kind": kind,
        "dry_run": dry_run,
        **reading,
        "counts": dict(Counter(row["result"] for row in told)),
        "rows": told,
    }


def all_of(result: str, count: int, *, first: int = 2) -> list[Any]:
    return [(line, result, None, None) for line in range(first, first + count)]
