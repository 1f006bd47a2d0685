"""Tables in the encodings, forms and workbooks that people have, and what is told of them."""

import io
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupsvc.import_export.cells import day
from groupsvc.import_export.columns import plain
from groupsvc.import_export.guards import defuse
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, Row, read_table
from groupsvc.import_export.workbooks import DAYS
from groupsvc.import_export.writing import TextWriter, WorkbookWriter
from tests.rostering import archive
from tests.workbooks import SHEET, part_of, with_part, workbook

ERROR = b'<c r="A3" t="e"><v>#N/A</v></c>'
NAMES = ("a", "b")
READ = [Row(2, {"a": "Noël", "b": "€"})]


def read(content: bytes, **form: Any) -> tuple[list[Row], list[Any], str | None]:
    """The rows, what was mended as ``(kind, line, count)``, and the encoding."""
    table = read_table(io.BytesIO(content), Form(**form))
    rows = list(table.rows)
    told = [(each.kind.value, each.line, each.count) for each in table.mendings.told()]
    return rows, told, table.encoding


def refusal(content: bytes, **form: Any) -> str:
    with pytest.raises(UnusableTableError) as raised:
        read(content, **form)
    return raised.value.message


@pytest.mark.parametrize(
    ("codec", "told", "encoding"),
    [
        ("utf-8", None, None),
        ("utf-8-sig", None, None),
        ("utf-8-sig", "windows-1252", None),
        ("utf-16", None, "UTF-16"),
        ("utf-16", "windows-1252", "UTF-16"),
        ("cp1252", None, "Windows-1252"),
        ("cp1252", "iso-8859-1", "Windows-1252"),
        ("iso-8859-15", "iso-8859-15", "ISO-8859-15"),
        ("utf-16-be", "utf-16be", "UTF-16"),
        ("mac-roman", "macintosh", "Mac-roman"),
    ],
)
def test_a_text_is_read_in_its_encoding_which_is_told(
    codec: str, told: str | None, encoding: str | None
) -> None:
    assert read("a,b\nNoël,€\n".encode(codec), encoding=told) == (READ, [], encoding)


def test_an_encoding_is_found_when_it_shows_late_and_between_two_reads() -> None:
    head = b"a,b\n" + (b"1," + b"x" * 1021 + b"\n") * 256 * 3
    for padding in range(4):
        content = head + b" " * padding + "é,\U0001f600\n".encode()
        assert read(content)[0][-1].cells == {"a": " " * padding + "é", "b": "\U0001f600"}
        assert read(head + b" " * padding + b"x,\xe9\n")[2] == "Windows-1252"


@pytest.mark.parametrize(
    ("content", "rows", "told"),
    [
        (b"sep=;\n\xe0,b\n", [], [("separator_line", 1, 1)]),
        (b"a|b\n1|x\n", [Row(2, {"a": "1", "b": "x"})], []),
        (b"a|b,c\n1,x\n", [Row(2, {"a|b": "1", "c": "x"})], []),
        (b"\n;;\na;b\n1;x\n", [Row(4, {"a": "1", "b": "x"})], [("empty_rows", 1, 2)]),
        (b"sep=;\na;b\n1;x\n", [Row(3, {"a": "1", "b": "x"})], [("separator_line", 1, 1)]),
        (b'"SEP=|"\r\na|b\r\n1|x\r\n', [Row(3, {"a": "1", "b": "x"})], [("separator_line", 1, 1)]),
        (
            b"a,b,,\n1,x,,\n2,y,\n3,z\n",
            [Row(n, {"a": str(n - 1), "b": "xyz"[n - 2]}) for n in (2, 3, 4)],
            [("empty_columns", 1, 3)],
        ),
        (
            b"a,b,\n1,x,7\n",
            [Row(2, fault="there are 3 cells where the header has 2")],
            [("empty_columns", 1, 1)],
        ),
        (
            "\u00a0a , b\u00a0\u00a0 c\n1,x\n".encode(),
            [Row(2, {"a": "1", "b c": "x"})],
            [("header_spaces", 1, 2)],
        ),
        (
            "a,b\n,\n\n \u00a0,\n,,,\n1,x\n".encode(),
            [Row(6, {"a": "1", "b": "x"})],
            [("empty_rows", 2, 3)],
        ),
        (
            b'a,b\n"x\r\n  y",z\n',
            [Row(2, {"a": "x y", "b": "z"})],
            [("line_breaks", 2, 1)],
        ),
        (
            '\ufeffa,b\n1,x\n\ufeffa,b\n2,y\n\ufeff"3",z\n'.encode(),
            [Row(n, {"a": str(m), "b": "xyz"[m - 1]}) for n, m in ((2, 1), (4, 2), (5, 3))],
            [("repeated_header", 3, 1), ("byte_order_mark", 5, 1)],
        ),
        (
            b"a,b,\n1,x,\na,b,\n2,y,\n",
            [Row(2, {"a": "1", "b": "x"}), Row(4, {"a": "2", "b": "y"})],
            [("empty_columns", 1, 4), ("repeated_header", 3, 1)],
        ),
    ],
)
def test_oddities_of_a_text_are_mended_and_counted(
    content: bytes, rows: list[Row], told: list[Any]
) -> None:
    found = read(content)
    assert found[0] == rows
    assert found[1] == told


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("'00420001", "00420001"),
        ('"""00420001"""', "00420001"),
        ("“00420001”", "00420001"),
        ("'00420001'", "00420001"),
        ('="00420001"', "00420001"),
        ('"=""O\'Brien, """"x"""""""', 'O\'Brien, "x"'),
    ],
)
def test_quotes_around_a_number_and_formulas_of_a_text_are_mended(cell: str, text: str) -> None:
    assert read(f"a,b\n1,{cell}\n".encode()) == (
        [Row(2, {"a": "1", "b": text})],
        [("quotes", 2, 1)],
        None,
    )


@pytest.mark.parametrize("cell", ["'t Hooft", "O'Brien", "l'“été”", "d'42", "=A1", "=SUM(A1:A2)"])
def test_apostrophes_and_formulas_of_other_kinds_stay(cell: str) -> None:
    assert read(f"a,b\n1,{cell}\n".encode()) == ([Row(2, {"a": "1", "b": cell})], [], None)


def test_a_workbook_is_read_as_it_is_shown() -> None:
    content = workbook(
        [
            ["a", "b", None],
            [420001, "x"],
            [(420001, "00000000"), None],
            [1234.0, True],
            [],
            ["  ", None],
            [1.5],
            ["#N/A", "line\none"],
        ]
    )
    rows = [
        Row(2, {"a": "420001", "b": "x"}),
        Row(3, {"a": "00420001", "b": ""}),
        Row(4, {"a": "1234", "b": "true"}),
        Row(7, {"a": "1.5", "b": ""}),
        Row(8, {"a": "#N/A", "b": "line one"}),
    ]
    mended = [("empty_rows", 6, 1), ("line_breaks", 8, 1)]
    assert read(content, is_workbook=True) == (rows, mended, None)
    assert read(content) == (rows, mended, None)
    assert read(content, is_workbook=False) == (rows, [("workbook", 1, 1), *mended], None)
    assert read(b"a,b\n1,x\n", is_workbook=True)[1] == [("text", 1, 1)]


def test_what_a_cell_holds_that_is_no_text_is_refused_to_its_row() -> None:
    rows = [["a", "b"], ["1", date(2026, 9, 1)], ["2", 1e20], ["3", "=A1"], ["4", "x", "y"]]
    content = workbook([*rows, ["5", "#N/A"], ["6", "x"]])
    assert read(content, is_workbook=True)[0] == [
        Row(2, fault="the cell B2 holds a date or a time"),
        Row(3, fault="the number in B3 has lost digits: make it a text"),
        Row(4, fault="the formula in B4 has no value stored with it"),
        Row(5, fault="there are 3 cells where the header has 2"),
        Row(6, {"a": "5", "b": "#N/A"}),
        Row(7, {"a": "6", "b": "x"}),
    ]


def test_a_formula_is_its_value_and_an_error_is_refused() -> None:
    content = workbook([["a"], ["=1+1"], ["="], ["x"]])
    sheet = part_of(content)
    sheet = sheet.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
    sheet = sheet.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>")
    sheet = sheet.replace(b'<c r="A3" t="inlineStr"><is><t>=</t></is></c>', ERROR)
    sheet = sheet.replace(b'<c r="A3" t="s"><v>1</v></c>', ERROR)
    assert read(with_part(content, SHEET, sheet), is_workbook=True)[0] == [
        Row(2, {"a": "2"}),
        Row(3, fault="the cell A3 holds an error"),
        Row(4, {"a": "x"}),
    ]


def test_the_sheet_is_the_first_that_is_seen_or_the_one_that_is_named() -> None:
    content = workbook([["a"], ["1"]], "Other", "Third")
    assert read(content, is_workbook=True) == ([Row(2, {"a": "1"})], [("other_sheets", 1, 2)], None)
    assert read(content, is_workbook=True, sheet="other") == ([], [], None)
    assert read(workbook([["a"], ["1"]], "Other", hidden="People"), is_workbook=True)[0] == []
    assert refusal(content, sheet="none") == (
        "line 1: there is no such sheet; there are People, Other, Third"
    )


def test_empty_rows_before_the_header_are_left_out() -> None:
    content = workbook([[], [None], ["a"], ["1"]])
    assert read(content, is_workbook=True) == ([Row(4, {"a": "1"})], [("empty_rows", 1, 2)], None)


def test_a_date_is_one_where_there_are_dates_alone() -> None:
    days = {plain(column.name) for kind in KINDS for column in kind.declared if column.read is day}
    assert days == DAYS
    first, later = date(2026, 9, 1), datetime(2026, 9, 1, 8, 30)
    content = workbook([["Starts on", "a"], [first, "1"], [later, "2"], ["x", first]])
    assert read(content, is_workbook=True)[0] == [
        Row(2, {"Starts on": "2026-09-01", "a": "1"}),
        Row(3, fault="the cell A3 holds a date or a time"),
        Row(4, fault="the cell B4 holds a date or a time"),
    ]


SMALL = workbook([["a"], ["1"]])
TOO_LARGE = "line 1: the workbook is too large once it is unpacked"
NO_HEADER = "line 1: there is no header"
UNREADABLE = "line 1: this workbook cannot be read"
LAUGHS = b"<!DOCTYPE x [%b]>" % b"".join(
    b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha" * 10) for n in range(12)
)


def in_rows(xml: bytes) -> bytes:
    """The small workbook with something between its last row and the end of them."""
    return with_part(SMALL, SHEET, part_of(SMALL).replace(b"</sheetData>", xml + b"</sheetData>"))


HARMFUL: dict[str, tuple[Callable[[], bytes], str]] = {
    "a start alone": (lambda: b"PK\x03\x04", UNREADABLE),
    "cut off": (lambda: SMALL[:-100], UNREADABLE),
    "no XML": (lambda: with_part(SMALL, "xl/workbook.xml", b"<x"), UNREADABLE),
    "a sheet cut off": (
        lambda: with_part(SMALL, SHEET, part_of(SMALL)[:-30]),
        "line 2: this workbook cannot be read",
    ),
    "the old form": (
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "line 1: this is a workbook of the old form or with a password: "
        "save it as .xlsx without one",
    ),
    "no header": (lambda: workbook([[], []]), NO_HEADER),
    "a file of another office": (
        lambda: archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}),
        "line 1: this is an OpenDocument file: save it as .xlsx or CSV",
    ),
    "another archive": (
        lambda: archive({"a.csv": "username\n"}),
        "line 1: this archive is neither a workbook nor a bundle of OneRoster",
    ),
    "nothing": (lambda: workbook([]), NO_HEADER),
    "a date in the header": (
        lambda: workbook([["a", date(2026, 9, 1)]]),
        "line 1: the cell B1 holds a date or a time",
    ),
    "large styles": (lambda: with_part(SMALL, "xl/styles.xml", b" " * 5_000_000), TOO_LARGE),
    "many texts": (lambda: with_part(SMALL, "xl/sharedStrings.xml", b" " * 34_000_000), TOO_LARGE),
    "a large sheet": (lambda: with_part(SMALL, SHEET, b" " * 540_000_000), TOO_LARGE),
    "a long row": (lambda: in_rows(b'<row r="3">' + b"<c/>" * 1_100_000 + b"</row>"), TOO_LARGE),
    "a row far below": (
        lambda: in_rows(b'<row r="999999999"><c r="A999999999"><v>1</v></c></row>'),
        "line 3: rows go up from 1 to at most 1048576",
    ),
    "rows out of order": (
        lambda: in_rows(b'<row r="1"><c r="A1"><v>1</v></c></row>'),
        "line 3: rows go up from 1 to at most 1048576",
    ),
    "entities": (
        lambda: with_part(SMALL, SHEET, LAUGHS + part_of(SMALL).replace(b">1<", b">&l11;<")),
        UNREADABLE,
    ),
}


@pytest.mark.parametrize(("content", "message"), HARMFUL.values(), ids=HARMFUL)
def test_workbooks_that_harm_or_are_none_are_refused(
    content: Callable[[], bytes], message: str
) -> None:
    assert refusal(content(), is_workbook=True) == message


def test_a_cell_far_to_the_right_is_one_row_with_too_many_cells() -> None:
    content = in_rows(b'<row r="3"><c r="ZZZ3"><v>1</v></c></row>')
    assert read(content, is_workbook=True)[0] == [
        Row(2, {"a": "1"}),
        Row(3, fault="there are 18278 cells where the header has 1"),
    ]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
risky = st.builds(
    str.__add__,
    st.text("'\"=+-@\t\r\n\ufeff“_x000D", max_size=6),
    texts | st.text("0123456789'\"”", max_size=6),
)
tables = st.lists(st.tuples(texts | risky, texts | risky), max_size=9)


@given(tables, st.sampled_from([",", ";", "\t"]), st.booleans())
def test_what_is_written_as_text_is_read_as_it_was(
    rows: list[tuple[str, str]], separator: str, marked: bool
) -> None:
    content = TextWriter(separator, marked=marked).add([NAMES, *rows])
    found, told, encoding = read(content)
    assert [tuple(row.cells.values()) for row in found] == filled(rows)
    assert {kind for kind, _, _ in told} <= {"empty_rows"}
    assert encoding is None


@settings(deadline=None)
@given(tables)
def test_what_is_written_as_a_workbook_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    writer, file = WorkbookWriter("x"), io.BytesIO()
    writer.add([NAMES, *rows])
    writer.finish(file)
    found, told, _ = read(file.getvalue(), is_workbook=True)
    assert [tuple(row.cells.values()) for row in found] == filled(rows)
    assert {kind for kind, _, _ in told} <= {"empty_rows"}


def filled(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [row for row in rows if "".join(map(defuse, row)).strip() and row != NAMES]


def test_numbers_flags_and_nothing_come_back_from_a_workbook() -> None:
    writer, file = WorkbookWriter("x"), io.BytesIO()
    writer.add([("a", "b", "c", "d"), (True, None, -(2**63), -7), (False, "#N/A", 0, "-7")])
    writer.finish(file)
    assert [tuple(row.cells.values()) for row in read(file.getvalue())[0]] == [
        ("true", "", "-9223372036854775808", "-7"),
        ("false", "#N/A", "0", "-7"),
    ]
