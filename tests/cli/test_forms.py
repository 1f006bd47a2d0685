"""Files as people have them, and exports in the forms that spreadsheets take."""

from pathlib import Path

from groupsvc.import_export.encodings import LABELS
from groupsvc.import_export.kinds import KINDS
from tests.cli.conftest import Run, command
from tests.conftest import MakeDatabase
from tests.workbooks import workbook

KEY = "course-v1:RT+NET1+2026"
CELLS = "empty cells after the last column are left out, 3 times"
QUOTES = "quotes or an apostrophe around a value are taken away"
DONE = "courses: 1 {0}\nroster: 2 {0}\nstructure: 2 {0}\nassignments: 1 {1}\n"
COURSES = f"department,course_key,title\nRT,{KEY},Réseaux\n"


async def test_what_was_mended_is_told_once_and_reported(groupsvc: Run, tmp_path: Path) -> None:
    tables, report = tmp_path / "tables", tmp_path / "report.csv"
    tables.mkdir()
    (tables / "courses.csv").write_bytes(COURSES.encode("cp1252"))
    (tables / "people.tsv").write_text(
        f"username\tstudent_number\tcourse_key\t\nada\t'0042\t{KEY}\t\n\t\t\t\ngrace\t\t{KEY}\t\n"
    )
    parts = [["course_key", "partition", "group"], [KEY, "TD", "A\nB"], [KEY, "TD", "C"]]
    (tables / "parts.xlsx").write_bytes(workbook(parts, "Notes"))
    (tables / "~$parts.xlsx").write_bytes(b"who has it open")
    (tables / "places.csv").write_bytes(
        workbook([["course_key", "user", "partition", "group"], [KEY, "ada", "TD", "A B"]])
    )
    done = (
        0,
        f"""{tables}/courses.csv: read as Windows-1252
{tables}/people.tsv:1: {CELLS}
{tables}/people.tsv:2: {QUOTES}
{tables}/people.tsv:3: a row of empty cells is left out
{tables}/parts.xlsx:1: another sheet is not read
{tables}/parts.xlsx:2: line breaks in a cell become a space
{tables}/places.csv:1: read as the workbook that it is
courses: 1 created
roster: 2 created
structure: 2 created
assignments: 1 assigned
""",
    )
    assert await groupsvc("import", tables, "--dry-run") == done
    assert await groupsvc("import", tables, "--report", report) == done
    assert report.read_text().splitlines()[7:] == [
        f'{tables}/people.tsv,1,mended,empty_columns,"{CELLS}"',
        f"{tables}/people.tsv,2,mended,quotes,{QUOTES}",
        f"{tables}/people.tsv,3,mended,empty_rows,a row of empty cells is left out",
        f"{tables}/parts.xlsx,1,mended,other_sheets,another sheet is not read",
        f"{tables}/parts.xlsx,2,mended,line_breaks,line breaks in a cell become a space",
        f"{tables}/places.csv,1,mended,workbook,read as the workbook that it is",
    ]


async def test_an_encoding_and_a_sheet_are_told(groupsvc: Run, tmp_path: Path) -> None:
    courses, roster = tmp_path / "courses.csv", tmp_path / "roster.xlsx"
    courses.write_bytes(COURSES.encode("mac-roman"))
    done = f"{courses}: read as Mac-roman\ncourses: 1 created\n"
    assert await groupsvc("import", courses, "--encoding", "Macintosh") == (0, done)
    unknown = f"ebcdic is none of the encodings {', '.join(LABELS)}"
    assert await groupsvc("import", courses, "--encoding", "ebcdic") == (2, unknown)
    refused = f"{courses}: line 2: this is not UTF-8"
    assert await groupsvc("import", courses, "--encoding", "utf-8") == (2, refused)
    roster.write_bytes(workbook([["hobby"]], "Roster"))
    assert await groupsvc("import", roster, "--sheet", "Roster") == (0, "")
    missing = f"{roster}: line 1: there is no such sheet; there are People, Roster"
    assert await groupsvc("import", roster, "--sheet", "none") == (2, missing)


async def test_exports_for_spreadsheets_come_back(
    groupsvc: Run, make_database: MakeDatabase, tmp_path: Path
) -> None:
    given, books, texts = tmp_path / "given", tmp_path / "books", tmp_path / "texts"
    given.mkdir()
    (given / "courses.csv").write_text(COURSES)
    (given / "roster.csv").write_text(
        f"username,family_name,student_number,course_key\nada,'=cmd,0042,{KEY}\n'=1,'-,,{KEY}\n"
    )
    (given / "structure.csv").write_text(
        f"course_key,partition,group,capacity\n{KEY},TD,#N/A,3\n{KEY},TD,'+;1,\n"
    )
    (given / "assignments.csv").write_text(f"course_key,user,partition,group\n{KEY},ada,TD,#N/A\n")
    assert (await groupsvc("import", given))[0] == 0
    names = ", ".join(f"{kind.name}.xlsx" for kind in KINDS)
    assert await groupsvc("export", books, "--xlsx") == (0, f"written to {books}: {names}\n")
    assert sorted(path.name for path in books.iterdir()) == sorted(names.split(", "))
    assert (await groupsvc("export", texts, "--separator", ";", "--bom"))[0] == 0
    assert (texts / "assignments.csv").read_bytes().decode() == (
        f"\ufeffcourse_key;user;partition;group\r\n{KEY};ada;TD;#N/A\r\n"
    )
    assert (await groupsvc("export", tmp_path / "plain"))[0] == 0
    for forms in (books, texts):
        again = command(await make_database())
        done = DONE.format("created", "assigned")
        assert await again("import", forms) == (0, done)
        done = DONE.format("unchanged", "unchanged")
        assert await again("import", forms) == (0, done)
        assert (await again("export", tmp_path / "again"))[0] == 0
        for path in (tmp_path / "plain").iterdir():
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
