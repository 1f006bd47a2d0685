"""``groupsvc import`` and ``groupsvc export``, as an operator runs them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from groupsvc.import_export.kinds import KINDS
from tests.cli.conftest import Run, command
from tests.conftest import MakeDatabase

KEY = "course-v1:RT+NET1+2026"
TABLES = {
    # The name of a file says nothing: the header does.
    "a-people.CSV": "username;email;course_key;state\n"
    f"ada;ada@example.org;{KEY};active\ngrace;grace@example.org;{KEY};withdrawn\n",
    "b-places.csv": f"course_key,user,partition,group\n{KEY},ada,TD,A\n{KEY},nobody,TD,A\n",
    "c-courses.csv": "\ufeffdepartment,department_name,course_key,title,is_locked\n"
    f"RT,Réseaux,{KEY},Networks,true\n",
    "d-parts.csv": "course_key\tpartition\tgroup\tgroups_editable\n"
    f"{KEY}\tTD\tA\tfalse\n{KEY}\tTD\tB\tfalse\n",
}
REPORT = """file,line,result,code,message\r
{0}/c-courses.csv,2,created,,\r
{0}/a-people.CSV,2,created,,\r
{0}/a-people.CSV,3,created,,\r
{0}/d-parts.csv,2,created,,\r
{0}/d-parts.csv,3,created,,\r
{0}/b-places.csv,2,assigned,,\r
{0}/b-places.csv,3,refused,unknown_user,no such user\r
"""
COUNTS = """courses: 1 created
roster: 2 created
structure: 2 created
assignments: 1 assigned, 1 refused
{}/b-places.csv:3: unknown_user: no such user
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "tables"
    directory.mkdir()
    for name, text in TABLES.items():
        (directory / name).write_text(text)
    return directory


async def test_a_directory_goes_in_and_comes_out(
    groupsvc: Run, make_database: MakeDatabase, directory: Path, tmp_path: Path
) -> None:
    report, out = tmp_path / "report.csv", tmp_path / "out"
    names = [f"{kind.name}.csv" for kind in KINDS]
    assert await groupsvc("export", out) == (0, f"written to {out}: {', '.join(names)}\n")
    assert len((out / "roster.csv").read_text().splitlines()) == 1
    done = (3, COUNTS.format(directory))
    assert await groupsvc("import", directory, "--dry-run", "--report", report) == done
    assert report.read_bytes().decode() == REPORT.format(directory)
    assert await groupsvc("import", directory, "--report", report) == done
    assert report.read_bytes().decode() == REPORT.format(directory)
    assert (await groupsvc("export", out))[0] == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(names)
    (course,) = (out / "courses.csv").read_text().splitlines()[1:]
    assert course.startswith(f"RT,Réseaux,{KEY},Networks,true,")
    assert (out / "assignments.csv").read_text().splitlines()[1:] == [f"{KEY},ada,TD,A"]
    again = command(await make_database())
    assert await again("import", out) == (
        0,
        "courses: 1 created\nroster: 2 created\nstructure: 2 created\nassignments: 1 assigned\n",
    )
    assert (await again("export", tmp_path / "other", "--course", KEY))[0] == 0
    for path in out.iterdir():
        assert (tmp_path / "other" / path.name).read_bytes() == path.read_bytes()
    code, text = await again("import", out / "structure.csv", out / "courses.csv")
    assert (code, text) == (0, "courses: 1 unchanged\nstructure: 2 unchanged\n")


async def test_a_team_comes_under_other_names_and_goes_out_under_ours(
    groupsvc: Run, make_database: MakeDatabase, directory: Path, tmp_path: Path
) -> None:
    team, out = tmp_path / "team.csv", tmp_path / "out"
    rows = ("Ada@Example.org;staff;", "grace;moderator;", "grace;;remove", "grace;boss;")
    text = "\n".join(("Course;E-Mail Address;role;action", *(f"{KEY};{row}" for row in rows)))
    team.write_text(text)
    await groupsvc("import", directory)
    done = (
        3,
        f"{team}: the column Course is read as course_key\n"
        f"{team}: the column E-Mail Address is read as user\n"
        "roles: 2 assigned, 1 refused, 1 removed\n"
        f"{team}:5: invalid_value: role is none of staff, instructor, moderator\n",
    )
    assert await groupsvc("import", team, "--dry-run") == done
    assert await groupsvc("import", team) == done
    await groupsvc("export", out)
    content = f"user,role,department,course_key\nada,staff,,{KEY}\n"
    assert (out / "roles.csv").read_text() == content
    again = command(await make_database())
    code, text = await again("import", out)
    assert (code, text.splitlines()[-1]) == (0, "roles: 1 assigned")
    await again("export", tmp_path / "other", "--department", "RT")
    assert (tmp_path / "other" / "roles.csv").read_text() == content


async def test_input_that_cannot_be_used_changes_nothing(
    groupsvc: Run, directory: Path, tmp_path: Path
) -> None:
    (directory / "z.csv").write_bytes(b"course_key,user,partition,group\nx,y,\xc3\xa9,\xe9\n")
    refused = f"{directory}/z.csv: line 2: this is not UTF-8"
    assert await groupsvc("import", directory) == (2, refused)
    missing = tmp_path / "none.csv"
    gone = f"{missing}: No such file or directory"
    assert await groupsvc("import", directory / "c-courses.csv", missing) == (2, gone)
    (tmp_path / "empty").mkdir()
    report = tmp_path / "none" / "report.csv"
    assert await groupsvc("import", directory / "c-courses.csv", "--report", report) == (
        2,
        f"{report}: No such file or directory",
    )
    nothing = f"{tmp_path}/empty: there is no .csv or .tsv or .xlsx file in this directory"
    assert await groupsvc("import", tmp_path / "empty") == (2, nothing)
    assert (await groupsvc("import"))[0] == 2
    (directory / "z.csv").unlink()
    code, text = await groupsvc("import", directory)
    assert (code, text.splitlines()[0]) == (3, "courses: 1 created")


async def test_what_is_missing_is_made_when_asked_for(groupsvc: Run, directory: Path) -> None:
    (directory / "d-parts.csv").unlink()
    places = directory / "b-places.csv"
    assert (await groupsvc("import", directory))[0] == 3
    await groupsvc("import", directory / "c-courses.csv")
    code, text = await groupsvc("import", places, "--create")
    locked = "course_locked: the course is locked"
    assert (code, text) == (
        3, f"assignments: 2 refused\n{places}:2: {locked}\n{places}:3: {locked}\n"
    )  # fmt: skip


async def test_a_department_or_course_that_is_not_there_is_no_export(
    groupsvc: Run, tmp_path: Path
) -> None:
    for option, what in (("--department", "department"), ("--course", "course")):
        assert await groupsvc("export", tmp_path / "out", option, "none") == (2, f"no such {what}")
    assert list((tmp_path / "out").iterdir()) == []


async def test_scripts_see_what_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("hobby\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from groupsvc.cli import main; main()"),
        *("import", str(tmp_path)),
        env={**os.environ, "GROUPSVC_DATABASE_URL": "postgresql://127.0.0.1:1/none"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert " ".join(err.decode().split()) == (
        f"groupsvc: {tmp_path}/x.csv: line 1: the header is of none of the tables courses, roster,"
        " structure, assignments, preassignments, content_groups, roles; it has hobby; --map,"
        " --columns may help"
    )


async def test_what_was_read_otherwise_is_counted_and_what_is_dangerous_is_accepted(
    groupsvc: Run, make_database: MakeDatabase, tmp_path: Path
) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(f"department,course_key\nRT,{KEY}\n")
    assert (await groupsvc("import", roster))[0] == 0
    header = "username,student_number,department,course_key\n"
    roster.write_text(f"{header}ada,007,RT,{KEY}\ngrace,008,RT,{KEY}\n")
    assert await groupsvc("import", roster) == (0, "roster: 2 created\n")
    roster.write_text(f"{header}ada,7,RT,{KEY}\ngrace,8,RT,{KEY}\n")
    said = "damaged: student_number looks as if a spreadsheet had damaged it"
    assert await groupsvc("import", roster) == (
        3,
        "roster: 2 refused\nroster: 2 refused as damaged; --accept damaged takes them\n"
        f"{roster}:2: {said}\n{roster}:3: {said}\n",
    )
    assert await groupsvc("import", roster, "--accept", "damaged") == (0, "roster: 2 updated\n")
    places = tmp_path / "places.csv"
    places.write_text(
        f"course_key,user,partition,group\n{KEY},ADA,TD,A\n{KEY},007,TD,a\n{KEY},grace,TD,A\n"
    )
    assert await groupsvc("import", places, "--create") == (
        0,
        "assignments: 2 assigned, 1 unchanged\nassignments: 1 by damaged numbers\n"
        "assignments: 1 by names that look alike\n",
    )
    assert (await groupsvc("import", places, "--accept", "anything"))[0] == 2


async def test_what_could_not_be_decided_is_said(
    groupsvc: Run, directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", 1)
    monkeypatch.setattr("groupsvc.import_export.waiting.MOST_WAITING", 1)
    await groupsvc("import", directory / "c-courses.csv", directory / "a-people.CSV")
    people = tmp_path / "people.csv"
    people.write_text(
        "username,email\nx,ada@example.org\ny,grace@example.org\nada,a@x\ngrace,g@x\n"
    )
    done = (
        3,
        "roster: 1 created, 1 refused, 2 updated\n"
        "roster: 1 not decided: too many rows wait for others\n"
        f"{people}:3: undecided: another user has this e-mail address; more than 1 rows wait for"
        " others, and this was not tried again\n",
    )
    assert await groupsvc("import", people, "--dry-run") == done
    assert await groupsvc("import", people) == done
