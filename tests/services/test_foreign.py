"""Files of other systems: what they are, and the rows of ours that they become."""

import csv
import io
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupsvc.domain.errors import InvalidError
from groupsvc.import_export.beside import NOTHING_BESIDE, Beside, column_map, known_format
from groupsvc.import_export.foreign.formats import FORMATS
from groupsvc.import_export.headers import HeaderError, Understood, rows_of, understand
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.lines import Line
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import Form, read_table
from tests.foreign_files import FILES, ForeignFile

TABLES = ", ".join(kind.name for kind in KINDS)
NAMED = pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())


def beside(file: ForeignFile | None = None, **more: Any) -> Beside:
    said = file.beside if file is not None else {}
    columns = column_map([said.get("map", "")])
    return Beside("C", "TD", columns=columns, format=said.get("format"), **more)


def read(content: str, said: Beside, columns: tuple[str, ...] = ()) -> tuple[Understood, Any]:
    form = said.form(Form(columns=columns))
    understood = understand(read_table(io.BytesIO(content.encode()), form).header, said)
    rows = {
        part.kind.name: list(rows_of(read_table(io.BytesIO(content.encode()), form), part))
        for part in understood.parts
    }
    return understood, rows


def cells(rows: Any) -> Any:
    assert not [row.fault for each in rows.values() for row in each if row.fault]
    return {name: [_read(row.cells) for row in each] for name, each in rows.items()}


def _read(cells: Any) -> Any:
    """Without what no column of ours is."""
    return {name: text for name, text in cells.items() if not name.startswith("-")}


def expected(file: ForeignFile) -> Any:
    filled = {name: {} if name == "courses" else {"course_key": "C"} for name in file.rows}
    for name in ("structure", "assignments"):
        if name in filled:
            filled[name]["partition"] = "TD"
    return {name: [{**filled[name], **row} for row in rows] for name, rows in file.rows.items()}


@NAMED
def test_a_file_is_known_and_becomes_rows_of_ours(file: ForeignFile) -> None:
    understood, rows = read(file.content, beside(file, enroll=True))
    assert (understood.format and understood.format.name) == file.format
    assert cells(rows) == expected(file)
    understood, rows = read(file.content, beside(file))
    assert understood.ignored == file.ignored
    assert cells(rows) == {name: expected(file)[name] for name in rows}


def test_every_format_has_a_file() -> None:
    assert {file.format for file in FILES.values()} == {*(each.name for each in FORMATS), None}


@given(data=st.data())
@pytest.mark.parametrize(
    "file",
    [file for file in FILES.values() if file.permutes],
    ids=[name for name, file in FILES.items() if file.permutes],
)
def test_the_order_of_columns_and_more_of_them_mean_nothing(
    file: ForeignFile, data: st.DataObject
) -> None:
    separator = ";" if ";" in file.content.splitlines()[0] else ","
    lines = list(csv.reader(io.StringIO(file.content.lstrip("\ufeff")), delimiter=separator))
    lines = [[*line, text] for line, text in zip(lines, ("Hobby 2", "x", "y"), strict=True)]
    order = data.draw(st.permutations(range(len(lines[0]))))
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([[line[at] for at in order] for line in lines])
    understood, rows = read(text.getvalue(), beside(file, enroll=True))
    assert (understood.format and understood.format.name) == file.format
    assert cells(rows) == expected(file)
    assert "Hobby 2" in understood.ignored


@NAMED
def test_headers_are_compared_without_case_accents_and_spaces(file: ForeignFile) -> None:
    if file.beside:
        return
    header, rest = file.content.split("\n", 1)
    shouted = header.upper().replace("É", "E").replace("_", " ")
    _, rows = read(f"{shouted}\n{rest}", beside(enroll=True))
    assert [len(each) for each in rows.values()] == [len(expected(file)[name]) for name in rows]


def test_several_groups_in_a_cell_are_several_rows_of_one_line() -> None:
    content = 'First name,Last name,Username,Groups\nA,B,ada," TD 1, TP 2,TD 1, "\nC,D,bob,\n'
    _, rows = read(content, Beside("C"))
    found = rows["assignments"]
    assert [row.cells for row in found] == [
        {"course_key": "C", "user": "ada", "group": group, "groups": "TD 1\x1fTP 2"}
        for group in ("TD 1", "TP 2")
    ]
    assert [row.line for row in found] == [Line(2, 0), Line(2, 1)]
    assert found[0].line != found[1].line
    assert [int(row.line) for row in found] == [2, 2]


@pytest.mark.parametrize(
    ("header", "said", "message", "options"),
    [
        (
            "login_id,group_name,sections",
            NOTHING_BESIDE,
            "line 1: Canvas, groups of a group set needs the columns course_key, partition; "
            "it has login_id, group_name, sections",
            ("course", "partition", "map"),
        ),
        (
            "login_id,canvas_group_id",
            Beside("C", "TD"),
            "line 1: Canvas, groups of a group set needs the columns group; "
            "it has login_id, canvas_group_id",
            ("map",),
        ),
        (
            "user,mode,TD",
            NOTHING_BESIDE,
            "line 1: Open edX, teams needs the columns course_key; it has user, mode, TD",
            ("course", "map"),
        ),
        (
            "title,course",
            NOTHING_BESIDE,
            "line 1: a table of courses needs the columns department; it has title, course",
            ("department", "map"),
        ),
        (
            "Hobby,Pet",
            Beside("C", "TD"),
            f"line 1: the header is of none of the tables {TABLES}; it has Hobby, Pet",
            ("map", "columns"),
        ),
        (
            ",".join(f"{n:070}" for n in range(31)),
            NOTHING_BESIDE,
            f"line 1: the header is of none of the tables {TABLES}; "
            f"it has {', '.join('0' * 60 for _ in range(30))}, ...",
            ("map", "columns"),
        ),
    ],
)
def test_what_is_missing_is_named_with_what_there_is_and_what_helps(
    header: str, said: Beside, message: str, options: tuple[str, ...]
) -> None:
    with pytest.raises(HeaderError) as raised:
        understand(header.split(","), said)
    assert (raised.value.message, raised.value.options) == (message, options)


def test_groups_are_left_out_of_a_list_while_something_is_missing() -> None:
    header = ("First name", "Last name", "Email address", "Groups")
    found = understand(header, NOTHING_BESIDE)
    assert [part.kind.name for part in found.parts] == ["roster"]
    assert (found.left_out, found.ignored) == ({"assignments": ["course_key"]}, ("Groups",))
    found = understand(("username", "email", "group"), Beside("C"))
    assert [part.kind.name for part in found.parts] == ["roster"]
    assert (found.left_out, found.ignored) == ({"assignments": ["partition"]}, ("group",))


def test_a_list_of_groups_brings_no_persons() -> None:
    header = ("course_key", "username", "partition", "group", "action", "Hobby")
    found = understand(header, NOTHING_BESIDE)
    assert [part.kind.name for part in found.parts] == ["assignments"]
    assert found.ignored == ("Hobby",)


def test_what_a_file_says_itself_counts_before_what_is_said_beside_it() -> None:
    content = "course,user,partition,group\nK,ada,TP,TP 1\n"
    _, rows = read(content, Beside("C", "TD"))
    assert cells(rows) == {
        "assignments": [
            {"course_key": "K", "user": "ada", "partition": "TP", "group": "TP 1"},
        ]
    }


def test_a_column_may_be_read_as_two_and_instead_of_one_of_ours() -> None:
    said = Beside("C", columns=column_map(["username=Code_NIP,student_number=Code_NIP"]))
    _, rows = read("Code_NIP;nom;prenom\n42;Lovelace;Ada\n", said)
    names = {"family_name": "Lovelace", "given_name": "Ada"}
    assert cells(rows) == {
        "roster": [{"username": "42", **names, "student_number": "42", "course_key": "C"}]
    }
    said = Beside(columns=column_map(["email=Private, home", "username=login"]))
    understood, rows = read('login,email,"Private, home"\nada,a@x.example,b@x.example\n', said)
    assert cells(rows) == {"roster": [{"username": "ada", "email": "b@x.example"}]}
    assert understood.ignored == ("email",)


@pytest.mark.parametrize("columns", list(permutations(("group", "", "user"))))
def test_a_file_without_a_header_takes_the_names_of_its_columns(columns: tuple[str, ...]) -> None:
    content = ",".join({"group": "TD 1", "user": "ada", "": "x"}[name] for name in columns)
    understood, rows = read(content, Beside("C", "TD"), columns)
    assert understood.ignored == ()
    assert cells(rows) == {
        "assignments": [{"course_key": "C", "partition": "TD", "user": "ada", "group": "TD 1"}]
    }
    assert [row.line for row in rows["assignments"]] == [1]


@pytest.mark.parametrize(
    ("content", "columns", "message"),
    [
        ("a,b,c\n", ("user", "group"), "line 1: there are 3 cells where 2 columns are named"),
        ("a;b,c\n", ("user", "group"), "line 1: the header mixes separators"),
        ("", ("user",), "line 1: there is no header"),
    ],
)
def test_names_of_columns_must_fit(content: str, columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnusableTableError) as raised:
        read(content, Beside("C", "TD"), columns)
    assert raised.value.message == message


def test_all_cells_after_the_last_column_may_be_one() -> None:
    columns = ("group", "repository", "members...")
    content = "TD; 1;r;ada;bob;;\nTD 2;r;\n"
    with pytest.raises(UnusableTableError):
        read(content.replace(";", ","), NOTHING_BESIDE, columns)
    _, rows = read(content.replace("TD; 1", "TD, 1"), Beside("C", "TD"), columns)
    assert [(row.cells["user"], row.cells["group"]) for row in rows["assignments"]] == [
        ("ada", "TD, 1"),
        ("bob", "TD, 1"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("email", "map is written as ours=THEIRS, with commas between"),
        ("email=", "map is written as ours=THEIRS, with commas between"),
        ("hobby=Hobby", "map has hobby, which is none of "),
    ],
)
def test_a_map_is_of_our_columns(text: str, message: str) -> None:
    with pytest.raises(InvalidError) as raised:
        column_map([text])
    assert raised.value.message.startswith(message)
    if message.endswith("none of "):
        assert all(name in raised.value.message for kind in KINDS for name in kind.columns)


def test_a_format_is_one_that_is_known() -> None:
    assert known_format("markus-groups") == "markus-groups"
    with pytest.raises(InvalidError) as raised:
        known_format("markus")
    names = ", ".join(each.name for each in FORMATS)
    assert raised.value.message == f"format is none of {names}, oneroster"
