"""Files of other systems in the terminal."""

import csv
from pathlib import Path
from typing import Any

import pytest

from groupsvc.import_export.foreign.formats import BY_NAME
from groupsvc.import_export.foreign.oneroster import TITLE
from groupsvc.import_export.kinds import KINDS
from tests.cli.conftest import Run
from tests.foreign_files import FILES, ForeignFile
from tests.rostering import archive, bundle, unpacked

LONG = "First name,Last name,Username,Groups\n"


async def set_up(groupsvc: Run, path: Path, course: str, prefix: str) -> None:
    """A course with the partitions TD and TP, and two persons who are in no course."""
    write_tables(path, course, prefix)
    assert (await groupsvc("import", path))[0] == 0


def write_tables(path: Path, course: str, prefix: str) -> None:
    path.mkdir()
    (path / "courses.csv").write_text(f"department,course_key\nRT,{course}\n")
    (path / "structure.csv").write_text(
        f"course_key,partition,group\n{course},TD,TD 1\n{course},TD,TD 2\n{course},TP,TP 1\n"
    )
    rows = (
        f"{prefix}{user},{prefix}{user}@x.example,{prefix}{number},RT"
        for number, user in enumerate(("ada", "bob"), 1)
    )
    header = "username,email,student_number,department"
    (path / "roster.csv").write_text("\n".join((header, *rows)))


def options(file: ForeignFile) -> list[str]:
    return [part for name, value in file.beside.items() for part in (f"--{name}", value)]


def told(path: Path, file: ForeignFile, *, enrolls: bool) -> str:
    """What is said of a file before the results."""
    kinds = [kind.name for kind in KINDS if kind.name in file.rows]
    if not enrolls and file.format in BY_NAME:
        enrolling = {part.kind.name for part in BY_NAME[file.format].parts if part.enrolls}
        kinds = [name for name in kinds if name not in enrolling]
    title = BY_NAME[file.format].title if file.format in BY_NAME else "persons and groups"
    rows = ", ".join(f"{name} {len(file.rows[name])}" for name in kinds)
    said = f"{path}: read as {title}; rows of {rows}\n"
    if not enrolls and len(kinds) < len(file.rows):
        said += f"{path}: it enrolls nobody; --enroll does\n"
    if file.ignored and not enrolls:
        said += f"{path}: not read: {', '.join(file.ignored)}\n"
    return said


async def test_files_are_known_and_bring_what_they_can(groupsvc: Run, tmp_path: Path) -> None:
    await set_up(groupsvc, tmp_path / "first", "C", "")
    paths = {name: tmp_path / f"{number}.csv" for number, name in enumerate(FILES)}
    for name, path in paths.items():
        path.write_text(FILES[name].text(prefix=""))
    plain = [name for name in FILES if not FILES[name].beside]
    beside = ("--course", "C", "--partition", "TD")
    code, said = await groupsvc("import", *map(paths.get, plain), *beside, "--dry-run")
    assert code == 0, said
    for name in plain:
        assert told(paths[name], FILES[name], enrolls=False) in said
    code, said = await groupsvc("import", *map(paths.get, plain), *beside, "--enroll")
    assert code == 0, said
    for name in plain:
        assert told(paths[name], FILES[name], enrolls=True) in said
    for name in FILES.keys() - set(plain):
        beside = (*beside[:4], *options(FILES[name]))
        code, said = await groupsvc("import", paths[name], *beside, "--enroll")
        assert (code, said.startswith(told(paths[name], FILES[name], enrolls=True))) == (0, True)
    assert (await groupsvc("export", tmp_path / "out"))[0] == 0
    columns = ("user", "partition", "group")
    assert exported(tmp_path / "out" / "assignments.csv", *columns) == [
        ("ada", "TD", "TD 1"),
        ("bob", "TD", "TD 2"),
        ("eve", "TD", "TD 2"),
        ("ada", "TP", "TP 1"),
    ]


@pytest.mark.parametrize(
    ("content", "said", "message"),
    [
        (
            "login_id,group_name\n",
            ("--course", "C"),
            "line 1: Canvas, groups of a group set needs the columns partition; it has login_id, "
            "group_name; --partition, --map may help",
        ),
        (
            "Team 1,repo,ada\n",
            (),
            "line 1: the header is of none of the tables "
            f"{', '.join(kind.name for kind in KINDS)}; it has Team 1, repo, ada; "
            "--map, --columns may help",
        ),
        (
            "user;group\n",
            ("--partition", "TD"),
            "line 1: a table of assignments needs the columns course_key; it has user, group; "
            "--course, --map may help",
        ),
    ],
)
async def test_what_is_missing_is_told_with_what_helps(
    groupsvc: Run, tmp_path: Path, content: str, said: Any, message: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content)
    assert await groupsvc("import", path, *said) == (2, f"{path}: {message}")


async def test_what_is_said_beside_must_mean_something(groupsvc: Run, tmp_path: Path) -> None:
    path, other = tmp_path / "a.csv", tmp_path / "b.csv"
    path.write_text("username,Mail\n")
    other.write_text("username,Address\n")
    files = (path, other)
    assert (await groupsvc("import", *files, "--map", "email=Mail"))[0] == 0
    missing = (2, "no file has a column called E-Mail, Sex")
    assert await groupsvc("import", *files, "--map", "email=E-Mail,civility=Sex") == missing
    wrong = (2, "map is written as ours=THEIRS, with commas between")
    assert await groupsvc("import", path, "--map", "email") == wrong
    unknown = (2, f"format is none of {', '.join(BY_NAME)}, oneroster")
    assert await groupsvc("import", path, "--format", "moodle") == unknown


async def test_groups_of_a_list_wait_for_what_is_missing(groupsvc: Run, tmp_path: Path) -> None:
    await set_up(groupsvc, tmp_path / "first", "C", "")
    path = tmp_path / "list.csv"
    path.write_text("username;email;Groupe;Place\nada;ada@x.example;TD 1;3\n")
    roster = f"{path}: not read: Groupe, Place\n"
    short = (
        f"{path}: no assignments without course_key, partition; --course, --partition may help\n"
    )
    done = (0, f"{roster}{short}roster: 1 unchanged\n")
    assert await groupsvc("import", path) == done
    done = (
        0,
        f"{path}: read as persons and groups; rows of roster 1, assignments 1\n"
        f"{path}: not read: Place\n"
        f"{path}: the column Groupe is read as group\n"
        "roster: 1 created\nassignments: 1 assigned\n",
    )
    assert await groupsvc("import", path, "--course", "C", "--partition", "TD") == done


async def test_several_groups_of_a_cell_go_where_they_are(groupsvc: Run, tmp_path: Path) -> None:
    await set_up(groupsvc, tmp_path / "first", "C", "")
    path, report = tmp_path / "participants.csv", tmp_path / "report.csv"
    path.write_text(f'{LONG}Ada,L,ada,"TD 1, TP 1"\nBob,B,bob,"TD 1, TD 2, Chess"\n')
    done = (
        3,
        f"{path}: read as Moodle, participants of a course; rows of roster 2, assignments 5\n"
        "roster: 2 created\nassignments: 2 assigned, 3 refused\n"
        f"{path}:3: malformed_row: there are several groups of the partition TD\n"
        f"{path}:3: malformed_row: there are several groups of the partition TD\n"
        f"{path}:3: malformed_row: no partition has a group of this name, and none is told\n",
    )
    assert await groupsvc("import", path, "--course", "C", "--dry-run") == done
    assert await groupsvc("import", path, "--course", "C", "--report", report) == done
    assert report.read_text().splitlines()[3:5] == [f"{path},2,assigned,,"] * 2
    path.write_text(f'{LONG}Bob,B,bob,"TD 2, Chess"\n')
    said = ("--course", "C", "--partition", "Clubs", "--create")
    code, text = await groupsvc("import", path, *said)
    assert (code, text.splitlines()[-1]) == (0, "assignments: 2 assigned")
    await groupsvc("export", tmp_path / "out")
    columns = ("user", "partition", "group")
    assert sorted(exported(tmp_path / "out" / "assignments.csv", *columns)) == [
        ("ada", "TD", "TD 1"),
        ("ada", "TP", "TP 1"),
        ("bob", "Clubs", "Chess"),
        ("bob", "TD", "TD 2"),
    ]


@pytest.mark.parametrize("version", ["1.1", "1.2"])
async def test_a_bundle_becomes_courses_rosters_and_teams(
    groupsvc: Run, tmp_path: Path, version: str
) -> None:
    files = bundle(version, students=120)
    path = unpacked(files, tmp_path / "bundle")
    done = (
        0,
        f"{path}/orgs.csv: read as {TITLE}; rows of courses 1 of orgs.csv, courses 2 of "
        "classes.csv, roster 123 of users.csv, roster 240 of enrollments.csv, "
        "roles 3 of enrollments.csv\n"
        "courses: 3 {0}\nroster: 363 {0}\nroles: 3 {1}\n",
    )
    code, said = done
    assert await groupsvc("import", path, "--dry-run") == (code, said.format("created", "assigned"))
    assert await groupsvc("import", path) == (code, said.format("created", "assigned"))
    packed = tmp_path / "bundle.zip"
    packed.write_bytes(archive(files, "export/"))
    again = said.replace(str(path), str(packed)).format("unchanged", "unchanged")
    assert await groupsvc("import", packed) == (0, again)
    changed = tmp_path / "changed.zip"
    changed.write_bytes(archive(bundle(version, students=120, gone=2, deleted=1)))
    report = tmp_path / "report.csv"
    code, said = await groupsvc("import", changed, "--report", report)
    assert code == 0
    assert said.splitlines()[1:] == [
        "courses: 3 unchanged",
        "roster: 360 unchanged, 1 updated, 2 withdrawn",
        "roles: 3 unchanged",
    ]
    lines = report.read_text().splitlines()
    assert [line for line in lines[1:] if ",unchanged," not in line] == [
        f"{changed}/users.csv,121,updated,,",
        f"{changed}/enrollments.csv,240,withdrawn,,",
        f"{changed}/enrollments.csv,241,withdrawn,,",
    ]
    out = tmp_path / "out"
    await groupsvc("export", out)
    courses = exported(out / "courses.csv", "department", "department_name", "course_key", "title")
    assert courses == [("north", "A School", f"north-c{n}", f"Class {n}") for n in (1, 2)]
    columns = ("username", "family_name", "student_number", "department", "course_key", "state")
    roster = exported(out / "roster.csv", *columns)
    assert [row for row in roster if row[0] == "north.s119"] == [
        ("north.s119", "Family 119", "north-00119", "north", "north-c1", "active"),
        ("north.s119", "Family 119", "north-00119", "north", "north-c2", "withdrawn"),
    ]
    assert [row for row in roster if row[0].startswith("north.t")] == [
        (f"north.teacher{n}", "Teacher", "", "north", "", "") for n in (1, 2)
    ]
    assert not [row for row in roster if row[0].startswith("north.guardian")]
    assert sorted(exported(out / "roles.csv", "user", "role", "course_key")) == [
        ("north.aide1", "moderator", "north-c2"),
        ("north.teacher1", "instructor", "north-c1"),
        ("north.teacher2", "instructor", "north-c2"),
    ]


def exported(path: Path, *columns: str) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]


async def test_a_bundle_may_be_about_one_department(groupsvc: Run, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    files = bundle("1.1", students=1)
    for name, old, new in (
        ("enrollments.csv", "north-u1,student", "nobody,student"),
        ("enrollments.csv", ",aide", ",parent"),
        ("classes.csv", "north-c1,", "north-c1,tobedeleted"),
    ):
        files[name] = files[name].replace(old, new, 1)
    path.write_bytes(archive(files))
    courses = tmp_path / "courses.csv"
    courses.write_text("department,course_key\nRT,\n")
    assert (await groupsvc("import", courses))[0] == 0
    code, said = await groupsvc("import", path, "--department", "RT")
    assert (code, said.splitlines()[1:]) == (
        3,
        [
            "courses: 1 created",
            "roster: 5 created, 1 refused",
            "roles: 1 assigned, 1 refused",
            f"{path}/enrollments.csv:2: malformed_row: users.csv has no user with this "
            "userSourcedId",
            f"{path}/enrollments.csv:6: malformed_row: the role is none of student, "
            "administrator, teacher, aide, proctor",
        ],
    )


async def test_what_a_bundle_no_longer_has_is_told_once(groupsvc: Run, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    files = bundle("1.1", students=30)
    files["classes.csv"] = files["classes.csv"].replace("north-c1,", "north-c1,tobedeleted")
    path.write_bytes(archive(files))
    code, said = await groupsvc("import", path)
    assert (code, said.splitlines()[1:]) == (
        0,
        [
            "courses: 2 created",
            "roster: 63 created, 30 unchanged",
            "roster: 30 by deletions of what was never here",
            "roles: 2 assigned",
        ],
    )
    said_beside = ("--course", "C")
    code, said = await groupsvc("import", path, *said_beside)
    assert (code, said) == (2, f"course means nothing for {TITLE}")
    code, said = await groupsvc("import", path, "--format", "oneroster", "--dry-run")
    assert code == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"users.csv": "username\nx\n"}, "users.csv: line 1: it needs the columns sourcedId"),
        ({"classes.csv": ""}, "classes.csv: line 1: there is no header"),
        (
            {"enrollments.csv": None},
            "line 1: this archive is neither a workbook nor a bundle of OneRoster",
        ),
    ],
)
async def test_a_bundle_that_cannot_be_read_does_nothing(
    groupsvc: Run, tmp_path: Path, change: Any, message: str
) -> None:
    path = tmp_path / "bundle.zip"
    files = {**bundle("1.2", students=1), **change}
    path.write_bytes(archive({name: text for name, text in files.items() if text is not None}))
    assert await groupsvc("import", path) == (2, f"{path}: {message}")


async def test_a_damaged_archive_is_told(groupsvc: Run, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    content = bytearray(archive(bundle("1.1", students=50)))
    at = content.index(b"users.csv") + 200
    content[at : at + 20] = bytes(20)
    path.write_bytes(content)
    code, said = await groupsvc("import", path)
    assert (code, said) == (2, f"{path}: line 1: users.csv: this archive is damaged")
