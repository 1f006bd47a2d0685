"""Files as people have them: encodings, oddities of spreadsheets, workbooks."""

import io
import json
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from groupsvc.import_export.kinds import ROSTER
from tests.api.refusals import problem, told
from tests.api.tables import CSV, XLSX, answered, table, upload
from tests.conftest import SQL, MakeWorld, World
from tests.workbooks import workbook

HEADER = ("username", "family_name", "course_key")
WORKBOOK = {"content-type": XLSX}


@pytest.fixture
async def empty(sql: SQL) -> World:
    return await World(sql).make(0)


async def people(world: World) -> list[Any]:
    return await world.sql(
        "SELECT username, family_name, student_number, is_active FROM users"
        " WHERE department_id = :id ORDER BY id",
        id=world.department_id,
    )


@pytest.mark.parametrize(
    ("codec", "charset", "encoding"),
    [
        ("cp1252", "", "Windows-1252"),
        ("cp1252", "; charset=windows-1252", "Windows-1252"),
        ("cp1252", '; header=present; charset="ISO-8859-1"', "Windows-1252"),
        ("utf-16", "", "UTF-16"),
        ("iso-8859-15", "; charset=iso-8859-15", "ISO-8859-15"),
    ],
)
async def test_the_encoding_is_found_or_told_and_answered(
    client: httpx.AsyncClient, empty: World, codec: str, charset: str, encoding: str
) -> None:
    name = f"{empty.department}-1"
    content = table(HEADER, (name, "Noël €", empty.course)).encode(codec)
    headers = {"content-type": f"text/csv{charset}"}
    answer = await client.post("/v1/import/roster", content=content, headers=headers)
    assert answer.json() == answered("roster", (2, "created"), encoding=encoding)
    assert await people(empty) == [(name, "Noël €", None, True)]


async def test_a_charset_that_the_body_does_not_have_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "text/csv; charset=utf-8"}
    content = "username\né\n".encode("cp1252")
    answer = await client.post("/v1/import/roster", content=content, headers=headers)
    detail = "line 2: this is not UTF-8"
    assert told(answer) == problem(422, "unusable_table", detail, line=2)


async def test_what_was_mended_is_counted_and_told_once(
    client: httpx.AsyncClient, empty: World
) -> None:
    name, course = empty.department, empty.course
    header = "\u00a0username;family_name ;student_number;is_active;course_key;;"
    lines = (
        "sep=;",
        header,
        f"{name}-1;Ada;'0042;WAHR;{course};;",
        ";;;;;;",
        f'{name}-2;"Ada\nB.";="0043";FALSCH;{course};;',
        header,
        f"\ufeff{name}-3;;;VERO;{course};;",
        ";;;;;;",
    )
    content = "\r\n".join(lines)
    answer = await upload(client, "roster", content)
    assert answer.json() == answered(
        "roster",
        (3, "created"),
        (5, "created"),
        (8, "created"),
        mended=[
            {"kind": kind, "line": line, "count": count}
            for kind, line, count in (
                ("separator_line", 1, 1),
                ("empty_columns", 2, 5),
                ("header_spaces", 2, 2),
                ("quotes", 3, 2),
                ("empty_rows", 4, 2),
                ("line_breaks", 5, 1),
                ("repeated_header", 7, 1),
                ("byte_order_mark", 8, 1),
            )
        ],
    )
    assert await people(empty) == [
        (f"{name}-1", "Ada", "0042", True),
        (f"{name}-2", "Ada B.", "0043", False),
        (f"{name}-3", "", None, True),
    ]


@pytest.mark.parametrize(
    ("ending", "headers", "mended"),
    [
        ("", WORKBOOK, {}),
        (".csv", WORKBOOK, {}),
        (".csv", {"content-type": "application/octet-stream"}, {}),
        ("", CSV, {"mended": [{"kind": "workbook", "line": 1, "count": 1}]}),
    ],
    ids=["its media type", "the address of CSV", "bytes", "called CSV"],
)
async def test_a_workbook_is_a_table(
    client: httpx.AsyncClient, empty: World, ending: str, headers: Any, mended: Any
) -> None:
    name = f"{empty.department}-1"
    content = workbook(
        [
            ["username", "student_number", "is_active", "course_key"],
            [name, (42, "00000000"), True, empty.course],
            [name, (42, "yyyy-mm-dd"), True, empty.course],
        ]
    )
    answer = await client.post(f"/v1/import/roster{ending}", content=content, headers=headers)
    date = "the cell B3 holds a date or a time"
    assert answer.json() == answered(
        "roster", (2, "created"), (3, "refused", "malformed_row", date), **mended
    )
    assert await people(empty) == [(name, "", "00000042", True)]


async def test_a_sheet_is_asked_for(client: httpx.AsyncClient) -> None:
    content = workbook([["hobby"]], "Roster", "More")
    asked = {"content": content, "headers": WORKBOOK}
    url = "/v1/import/roster"
    answer = await client.post(url, params={"sheet": "roster"}, **asked)
    assert answer.json() == answered("roster")
    answer = await client.post(url, params={"sheet": "none"}, **asked)
    detail = "line 1: there is no such sheet; there are People, Roster, More"
    assert told(answer) == problem(422, "unusable_table", detail, line=1)


async def test_a_large_body_is_read_from_disk_and_again_after_its_key(
    client: httpx.AsyncClient, empty: World
) -> None:
    name, blank = empty.department, " " * 1_000
    lines = (f"{name}-{n % 3},,{empty.course},{blank}\n" for n in range(1_200))
    content = f"{','.join(HEADER)}\n" + "".join(lines)
    found = [(2, "created"), (3, "created"), (4, "created")]
    found += [(line, "unchanged") for line in range(5, 1_202)]
    mended = [{"kind": "empty_columns", "line": 2, "count": 1_200}]
    for headers in (CSV, CSV | {"idempotency-key": name}):
        answer = await client.post("/v1/import/roster", content=content, headers=headers)
        assert answer.json() == answered("roster", *found, mended=mended)
        found[:3] = [(line, "unchanged") for line in (2, 3, 4)]


async def test_an_export_has_the_form_that_is_asked_for(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(1)
    ((username, email, key),) = await world.sql(
        "SELECT username, email, record_key(imported_key, id, created_at)"
        " FROM users WHERE id = :id",
        id=world.users[0],
    )
    await world.sql(
        "UPDATE users SET family_name = '=a;b', student_number = '0042', is_active = true,"
        " given_name = '', username = :name, email = NULL WHERE id = :id",
        name=f"{world.department}-1",
        id=world.users[0],
    )
    place = {"course_id": world.course_id}
    row = [f"{world.department}-1", "", "'=a;b", "", "", "X", "0042", "", world.department]
    row += ["true", world.course, "active", ""]
    row += ["false", "", json.dumps([username, email]), str(key)]
    for separator, written in ((";", ";"), ("tab", "\t")):
        query = {**place, "separator": separator, "bom": True}
        answer = await client.get("/v1/export/roster", params=query)
        quoted = ['"' + cell.replace('"', '""') + '"' for cell in row]
        cells = [
            whole if written in cell or '"' in cell else cell
            for cell, whole in zip(row, quoted, strict=True)
        ]
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.content.decode() == (
            f"\ufeff{written.join(ROSTER.exported)}\r\n{written.join(cells)}\r\n"
        )
        again = await upload(client, "roster", answer.content)
        assert again.json() == answered("roster", (2, "unchanged"))
    answer = await client.get("/v1/export/roster", params={**place, "xlsx": True})
    assert answer.headers["content-type"] == XLSX
    assert answer.headers["content-disposition"] == 'attachment; filename="roster.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.content))["roster"]
    assert [[cell.value for cell in line] for line in sheet] == [
        list(ROSTER.exported),
        [{"true": True, "false": False}.get(cell, cell or None) for cell in row],
    ]
    again = await client.post("/v1/import/roster", content=answer.content, headers=WORKBOOK)
    assert again.json() == answered("roster", (2, "unchanged"))


async def test_names_that_an_import_would_mend_come_back(
    client: httpx.AsyncClient, make_world: MakeWorld
) -> None:
    world = await make_world(1)
    partition = await world.add_partition("TD")
    names = ("'12", '"12"', '="x"', "a\nb", "c\r\nd\x01", "\ufeffe", "''=f", "#N/A", "_x000D_g")
    for name in names:
        group = await world.add_group(partition, name)
    await world.sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " VALUES (:course, :partition, :user, :group)",
        course=world.course_id,
        partition=partition,
        user=world.users[0],
        group=group,
    )
    for xlsx in (False, True):
        for kind, count in (("structure", len(names)), ("assignments", 1)):
            query = {"course_id": world.course_id, "xlsx": xlsx}
            content = (await client.get(f"/v1/export/{kind}", params=query)).content
            headers = WORKBOOK if xlsx else CSV
            answer = await client.post(f"/v1/import/{kind}", content=content, headers=headers)
            told = {key: value for key, value in answer.json().items() if key != "rows"}
            assert told == {"kind": kind, "dry_run": False, "counts": {"unchanged": count}}
