"""Tables as institutions send them, and as spreadsheets must get them."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groupsvc.import_export.beside import NOTHING_BESIDE
from groupsvc.import_export.columns import Kind, plain
from groupsvc.import_export.guards import TRIGGERS, defuse, restore
from groupsvc.import_export.headers import Understood, understand
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.raw_rows import LONGEST_ROW, UnusableTableError
from groupsvc.import_export.tables import Form, Row, read_table
from groupsvc.import_export.writing import TextWriter

ROWS = [Row(2, {"a": "1", "b": "x"}), Row(3, {"a": "2", "b": "y"})]


def read(content: bytes, separator: str | None = None) -> list[Row]:
    return list(read_table(io.BytesIO(content), Form(separator)).rows)


def refusal(content: bytes) -> str:
    with pytest.raises(UnusableTableError) as raised:
        read(content)
    assert raised.value.code == "unusable_table"
    return raised.value.message


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,y\n",
        b"a,b\n1,x\n2,y",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\r1,x\r2,y\r",
        b"a;b\n1;x\n2;y\n",
        b"a\tb\n1\tx\n2\ty\n",
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        b'"a","b"\n"1","x"\n2,"y"\n',
        b"b,a\nx,1\ny,2\n",
    ],
    ids=["lf", "no last lf", "crlf", "cr", "semicolon", "tab", "bom", "quoted", "order"],
)
def test_a_table_is_read_in_every_form(content: bytes) -> None:
    assert read(content) == ROWS


def test_a_separator_that_is_not_the_one_of_the_header_belongs_to_the_cell() -> None:
    assert read(b"a;b\n1,5;x\ty\n") == [Row(2, {"a": "1,5", "b": "x\ty"})]


def test_the_separator_may_be_told() -> None:
    assert read(b'a;"b,c"\n1;2\n', ";") == [Row(2, {"a": "1", "b,c": "2"})]


def test_a_row_is_where_it_starts() -> None:
    content = b'a,b\n"1\n\n1",x\n\n2,"say ""hi"""\n'
    assert read(content) == [
        Row(2, {"a": "1 1", "b": "x"}),
        Row(6, {"a": "2", "b": 'say "hi"'}),
    ]


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert read(b"a,b\n") == []


def test_a_row_of_another_length_is_at_fault_and_no_other() -> None:
    assert read(b"a,b\n1\n1,2,3\n1,x\n2,y\n") == [
        Row(2, fault="there are 1 cells where the header has 2"),
        Row(3, fault="there are 3 cells where the header has 2"),
        Row(4, {"a": "1", "b": "x"}),
        Row(5, {"a": "2", "b": "y"}),
    ]


def test_quotes_that_do_not_match_on_one_line_are_its_own_fault() -> None:
    assert read(b'a,b\n"1"x,y\n1,x\n2,"y') == [
        Row(2, fault="the quotes do not match"),
        Row(3, {"a": "1", "b": "x"}),
        Row(4, fault="the quotes do not match"),
    ]


def test_a_field_of_a_megabyte_is_read() -> None:
    (row,) = read(b"a,b\n" + b"x" * 1_000_000 + b",y\n")
    assert len(row.cells["a"]) == 1_000_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1: there is no header"),
        (b"\n ; ;\n,,\n", "line 3: there is no header"),
        (b"\xef\xbb\xbf", "line 1: there is no header"),
        (b"a,b;c\n", "line 1: the header mixes separators"),
        (b'"a"x,b\n', "line 1: the quotes of the header do not match"),
        (b"a,b\n1,x\n2,\x00\n", "line 3: there is a NUL character"),
        ("a,b\n1,é\n".encode() + "2,é\n".encode("latin-1"), "line 3: this is not UTF-8"),
        ("\ufeffa,b\n1,x\n".encode() + "2,é\n".encode("latin-1"), "line 3: this is not UTF-8"),
        (b"a,b\n1,\x9d\n", "line 2: this is not Windows-1252"),
        (b"\xff\xfea\0,\0b\0\n\0\x00\xdc1\0", "line 1: this is not UTF-16"),
        ("a,b\n1,x\n".encode("utf-16-le"), "line 1: there is a NUL character"),
        (b"sep=;\n\n", "line 2: there is no header"),
        (b"a,b\n1,x\nb,a\n", "line 3: another header begins here"),
        ("a,b\n1,x\n\ufeffa,c\n".encode(), "line 3: another header begins here"),
        (b'a,b\n1,"x\n2,y\n3,z\n', "line 2: the quotes do not match from here on"),
    ],
)
def test_what_makes_all_that_follows_doubtful_is_told_with_its_line(
    content: bytes, message: str
) -> None:
    assert refusal(content) == message


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_row_that_never_ends_is_given_up(ending: bytes) -> None:
    content = b"a,b\n1,x\n" + b'2,"' + (b"y" * 99 + ending) * (LONGEST_ROW // 99 + 1)
    assert "the row is too long, or a quote is not closed" in refusal(content)


def test_rows_are_read_as_they_are_asked_for() -> None:
    stream = io.BytesIO(b"a,b\n" + b"1,x\n" * 200_000)
    rows = read_table(stream).rows
    assert next(rows) == Row(2, {"a": "1", "b": "x"})
    assert stream.tell() < 20_000


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
risky = st.builds(str.__add__, st.text("'=+-@\t\r\n＝", max_size=4), cells)  # noqa: RUF001
tables = st.lists(st.tuples(cells | risky, cells | risky))


@given(cells | risky)
def test_restoring_takes_back_what_defusing_did(text: str) -> None:
    assert restore(defuse(text)) == text
    assert defuse(text)[:1] not in TRIGGERS


@given(cells | risky, cells | risky)
def test_different_texts_stay_different(one: str, other: str) -> None:
    assert (defuse(one) == defuse(other)) == (one == other)


@given(tables)
def test_what_is_written_is_read_again_and_never_runs(rows: list[tuple[str, str]]) -> None:
    content = TextWriter().add([("a", "b"), *rows])
    parsed = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert not [cell for row in parsed for cell in row if cell[:1] in TRIGGERS and cell]
    filled = [row for row in rows if "".join(map(defuse, row)).strip()]
    assert [tuple(row.cells.values()) for row in read(content)] == filled


def test_flags_numbers_and_nothing_have_their_forms() -> None:
    assert TextWriter().add([(True, False, None, 0, -1, "x,y")]) == b'true,false,,0,\'-1,"x,y"\r\n'


def understood(*header: str) -> Understood:
    table = read_table(io.BytesIO(TextWriter().add([header])))
    return understand(table.header, NOTHING_BESIDE)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_is_told_by_its_columns(kind: Kind) -> None:
    least = {*kind.required, *kind.one_of[:1]}
    for names in (kind.columns, [name for name in kind.columns[::-1] if name in least]):
        found = understood(*names)
        (part,) = found.parts
        assert part.kind is kind
        assert part.names == set(names)
        assert part.is_plain
        assert (found.columns, found.ignored, found.left_out) == ({}, (), {})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_name_is_of_two_columns(kind: Kind) -> None:
    names = [plain(name) for column in kind.declared for name in (column.name, *column.aliases)]
    assert Counter(names) == Counter(set(names))


@pytest.mark.parametrize(
    ("header", "name", "columns"),
    [
        (
            ("Login", " E-Mail  Address ", "LAST_NAME", "First name", "Student ID", "Course-Key"),
            "roster",
            ("username", "email", "family_name", "given_name", "student_number", "course_key"),
        ),
        (
            ("Course", "Email", "Partition\nname", "Group name"),
            "assignments",
            ("course_key", "user", "partition", "group"),
        ),
        (("Username", "Role"), "roles", ("user", "role")),
        (
            ("DEPARTMENT", "Course", "Course title"),
            "courses",
            ("department", "course_key", "title"),
        ),
        (
            ("Course", "Partition name", "Group-Name", "seats"),
            "structure",
            ("course_key", "partition", "group", "capacity"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_columns_are_known_by_their_other_names(
    header: tuple[str, ...], name: str, columns: tuple[str, ...]
) -> None:
    found = understood(*header)
    (part,) = found.parts
    assert part.kind.name == name
    given = [" ".join(each.split()) for each in header]
    assert found.columns == dict(zip(given, columns, strict=True))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            ("course_key", "user", "partition"),
            "line 1: a table of assignments needs the columns group; "
            "it has course_key, user, partition",
        ),
        (
            ("course_key", "user", "partition", "group", "GROUP"),
            "line 1: the header names a column twice",
        ),
        (
            ("Faculty",),
            "line 1: the header is of none of the tables "
            f"{', '.join(kind.name for kind in KINDS)}; it has Faculty",
        ),
        (
            ("department", "title"),
            "line 1: a table of courses needs the columns course_key; it has department, title",
        ),
    ],
)
def test_a_header_of_no_kind_is_told_what_it_lacks(header: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnusableTableError) as raised:
        understood(*header)
    assert raised.value.message == message
