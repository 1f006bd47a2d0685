"""``groupsvc import`` and ``groupsvc export``, as an operator runs them."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

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
    assert await groupsvc("export", out) == (
        0,
        f"written to {out}: courses.csv, roster.csv, structure.csv, assignments.csv, roles.csv\n",
    )
    assert len((out / "roster.csv").read_text().splitlines()) == 1
    done = (3, COUNTS.format(directory))
    assert await groupsvc("import", directory, "--dry-run", "--report", report) == done
    assert report.read_bytes().decode() == REPORT.format(directory)
    assert await groupsvc("import", directory, "--report", report) == done
    assert report.read_bytes().decode() == REPORT.format(directory)
    assert (await groupsvc("export", out))[0] == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "assignments.csv",
        "courses.csv",
        "roles.csv",
        "roster.csv",
        "structure.csv",
    ]
    assert (out / "courses.csv").read_text().splitlines()[1:] == [f"RT,Réseaux,{KEY},Networks,true"]
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
    assert (code, text.splitlines()[:2]) == (3, ["courses: 1 unchanged", "structure: 2 refused"])


async def test_a_team_comes_under_other_names_and_goes_out_under_ours(
    groupsvc: Run, make_database: MakeDatabase, directory: Path, tmp_path: Path
) -> None:
    team, out = tmp_path / "team.csv", tmp_path / "out"
    rows = f"{KEY};Ada@Example.org;staff\n{KEY};grace;moderator\n{KEY};grace;\n{KEY};grace;boss\n"
    team.write_text(f"Course;E-Mail Address;role\n{rows}")
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
    (directory / "z.csv").write_bytes("course_key,user,partition,group\nx,y,z,é\n".encode("cp1252"))
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
    nothing = f"{tmp_path}/empty: there is no .csv file in this directory"
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
        " structure, assignments, roles"
    )
