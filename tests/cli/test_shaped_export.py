"""``groupsvc export --as``: one partition, as another system imports it."""

from dataclasses import replace
from pathlib import Path

import pytest

from groupsvc.import_export.shapes.declared import BY_NAME
from tests.cli.conftest import Run

KEY = "course-v1:RT+NET1+2026"
TABLES = {
    "courses.csv": f"department,course_key\nRT,{KEY}\n",
    "roster.csv": "username,course_key,state\n"
    f"ada,{KEY},active\nbob,{KEY},active\ngrace,{KEY},withdrawn\n",
    "structure.csv": "course_key,partition,group\n"
    f'{KEY},TD,A\n{KEY},TD,B\n{KEY},TP,12\n{KEY},TP,"=x, ""y"""\n',
    "assignments.csv": "course_key,user,partition,group\n"
    f'{KEY},ada,TD,A\n{KEY},grace,TD,B\n{KEY},bob,TP,"=x, ""y"""\n',
}

OPTIONS = "--partition, --course-name, --partition-name and --mode"


@pytest.fixture
async def export(groupsvc: Run, tmp_path: Path) -> Run:
    """The command on a course with two partitions; writes into ``out``."""
    tables = tmp_path / "tables"
    tables.mkdir()
    for name, text in TABLES.items():
        (tables / name).write_text(text)
    assert (await groupsvc("import", tables))[0] == 0

    async def run(*arguments: object) -> tuple[int, str]:
        return await groupsvc("export", tmp_path / "out", *arguments)

    return run


async def test_who_is_left_out_is_told(export: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert await export("--as", "canvas-groups", "--course", KEY, "--partition", "TD") == (
        0,
        f"written to {out}: canvas-groups.csv\n"
        "left out: grace: not active in the course\n"
        "left out: the group B: nobody in it goes out\n",
    )
    assert [path.name for path in out.iterdir()] == ["canvas-groups.csv"]
    assert (out / "canvas-groups.csv").read_bytes() == b"login_id,group_name\r\nada,A\r\n"


async def test_many_who_are_left_out_are_counted(
    export: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.cli.shaped_export.SHOWN", 0)
    small = replace(BY_NAME["moodle-users"], most_bytes=10)
    monkeypatch.setitem(BY_NAME, "moodle-users", small)
    chosen = ("--as", "moodle-users", "--course", KEY, "--partition", "TD")
    content = b"username,course1,group1\r\nada,NET1,A\r\n"
    assert await export(*chosen, "--course-name", "NET1") == (
        0,
        f"written to {tmp_path / 'out'}: moodle-users.csv\n"
        "and 1 more are left out\n"
        "left out: the group B: nobody in it goes out\n"
        f"Moodle takes files of 10 bytes at most; this has {len(content)}\n",
    )
    assert (tmp_path / "out" / "moodle-users.csv").read_bytes() == content


async def test_cells_are_as_they_are(export: Run, tmp_path: Path) -> None:
    chosen = ("--as", "moodle-groups", "--course", KEY, "--partition", "TP")
    assert (await export(*chosen))[0] == 0
    written = (tmp_path / "out" / "moodle-groups.csv").read_text().splitlines()
    assert written == ["groupname,groupingname", "12,TP", '"=x, ""y""",TP']


async def test_teams_are_of_a_team_set_and_a_mode(export: Run, tmp_path: Path) -> None:
    chosen = ("--as", "openedx-teams", "--course", KEY, "--partition", "TD")
    assert (await export(*chosen, "--partition-name", "set 1", "--mode", "verified"))[0] == 0
    written = (tmp_path / "out" / "openedx-teams.csv").read_bytes()
    assert written == b"username,mode,set 1\r\nada,verified,A\r\n"


async def test_what_cannot_be_is_refused_and_nothing_is_written(
    export: Run, tmp_path: Path
) -> None:
    shape, course = ("--as", "moodle-users"), ("--course", KEY)
    together = (2, "--as needs --course, and goes with " + OPTIONS)
    assert await export(*shape) == together
    for other in (("--bom",), ("--xlsx",), ("--separator", ";"), ("--department", "RT")):
        assert await export(*shape, *course, *other) == together
    alone = (2, OPTIONS + " go with --as")
    assert await export("--partition", "TD") == alone
    assert await export("--course-name", "NET1") == alone
    assert await export("--mode", "audit") == alone
    several = (2, "which partition is meant? There are TD, TP")
    assert await export(*shape, *course) == several
    assert await export(*shape, *course, "--partition", "td") == (2, "no such partition")
    assert await export("--as", "openedx-cohorts", *course) == (2, "no such partition")
    assert await export(*shape, "--course", "none") == (2, "no such course")
    number = "Moodle does not take the group '12': it is taken for the id of a group"
    assert await export(*shape, *course, "--partition", "TP") == (2, number)
    assert (await export("--as", "canvas", *course))[0] == 2
    assert list((tmp_path / "out").iterdir()) == []
