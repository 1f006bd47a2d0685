"""Lines that have left the database are checked where they are."""

import gzip
import json
from pathlib import Path

import pytest
import pytest_asyncio

from groupsvc.core.audit.verification import Verification
from tests.audit.conftest import Log
from tests.test_invariants import broken


@pytest_asyncio.fixture
async def gone(log: Log) -> int:
    """A course that was deleted, beside one that is still there; returns its id."""
    course, _ = await log.world.add_course()
    await log.sql(
        "UPDATE courses SET title = E'one\\u2028two\\u0085three\\nfour' WHERE id = :id", id=course
    )
    await log.sql("DELETE FROM courses WHERE id = :id", id=course)
    await log.seal()
    return course


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


async def count(log: Log, where: str = "true") -> int:
    ((lines,),) = await log.sql(f"SELECT count(*) FROM changes WHERE {where}")
    return int(lines)


async def test_old_lines_go_to_a_file_and_those_of_courses_stay(
    log: Log, gone: int, tmp_path: Path
) -> None:
    lines, of_course = await count(log), await count(log, f"course_id = {log.world.course_id}")
    assert await log.groupsvc("audit", "archive", tmp_path, "--older-than", 1) == (
        0,
        "0 lines deleted\n",
    )
    code, text = await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    (file,) = files(tmp_path)
    deleted = lines - of_course
    assert (code, text) == (0, f"{file}: {lines} lines\n{deleted} lines deleted\n")
    archived = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert [line["seq"] for line in archived] == sorted({line["seq"] for line in archived})
    assert {line["kind"] for line in archived if line["course_id"] == gone} == {
        "course.updated",
        *(
            f"{noun}.{verb}"
            for noun in ("course", "partition", "group")
            for verb in ("created", "deleted")
        ),
    }
    # Whoever acted is in it as a digest alone.
    assert {len(line["actor"]) for line in archived} == {64}
    # The log tells of it, and what is told about the past of a course is still there.
    assert await count(log) == of_course + 1
    assert await log.sql("SELECT kind, after ->> 'file' FROM changes WHERE course_id = 0") == [
        ("log.archived", file.name)
    ]
    assert await log.verify() == Verification(seals=1, unread=lines, unsealed=1)
    assert await log.verify(directory=tmp_path) == Verification(seals=1, lines=lines, unsealed=1)
    code, text = await log.groupsvc("audit", "verify", "--archives", tmp_path)
    assert code == 0, text


async def test_lines_of_a_course_go_when_it_is_gone(log: Log, gone: int, tmp_path: Path) -> None:
    await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    await log.sql("DELETE FROM courses WHERE id = :id", id=log.world.course_id)
    left = await count(log, f"course_id = {log.world.course_id}")
    # What has been said since is in no file yet.
    ((last,),) = await log.sql("SELECT max(last_seq) FROM audit_archives")
    since = await count(log, f"seq > {last}")
    _, text = await log.groupsvc("audit", "archive", tmp_path, "--older-than", 1)
    assert text == f"{left - since + 1} lines deleted\n"
    assert await count(log) == since
    await log.seal()
    await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    assert len(files(tmp_path)) == 2
    assert (await log.verify(directory=tmp_path)).fault is None


async def test_what_is_in_no_archive_is_not_deleted_by_its_owner_either(
    log: Log, gone: int, tmp_path: Path
) -> None:
    for statement in (f"DELETE FROM changes WHERE course_id = {gone}", "DELETE FROM changes"):
        assert await broken(log.sql, statement) == "changes_append_only"
    await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    of_course = f"DELETE FROM changes WHERE course_id = {log.world.course_id}"
    assert await broken(log.sql, of_course) == "changes_append_only"


async def test_a_file_that_was_touched_or_lost_is_named(
    log: Log, gone: int, tmp_path: Path
) -> None:
    await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    (file,) = files(tmp_path)
    content = file.read_bytes()
    text = gzip.decompress(content)
    forged = text.replace(b'"group.created"', b'"group.deleted"', 1)
    assert forged != text
    file.write_bytes(gzip.compress(forged, mtime=0))
    assert (await log.verify(directory=tmp_path)).fault == f"the archive {file.name} was altered"
    # With the record of the file brought into line, the seal still tells, and which changeset.
    await log.sql("ALTER TABLE audit_archives DISABLE TRIGGER ALL")
    await log.sql("UPDATE audit_archives SET sha256 = sha256(:content)", content=file.read_bytes())
    first = next(
        line for line in map(json.loads, text.splitlines()) if line["kind"] == "group.created"
    )
    assert (await log.verify(directory=tmp_path)).fault == (
        f"changeset {first['changeset_id']} of seal 1 was altered"
    )
    file.unlink()
    fault = (await log.verify(directory=tmp_path)).fault
    assert fault == f"the archive {file.name} cannot be read"


async def test_lines_that_are_in_a_file_are_held_against_it(
    log: Log, gone: int, tmp_path: Path
) -> None:
    await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    ((seq, changeset),) = await log.sql(
        "SELECT seq, changeset_id FROM changes WHERE kind = 'group.created' ORDER BY seq LIMIT 1"
    )
    await log.behind_the_triggers("UPDATE changes SET kind = 'x' WHERE seq = :seq", seq=seq)
    assert (await log.verify(directory=tmp_path)).fault == (
        f"changeset {changeset} is not as it was archived"
    )


async def test_nothing_is_archived_that_was_touched(log: Log, gone: int, tmp_path: Path) -> None:
    await log.behind_the_triggers("UPDATE changes SET kind = 'x' WHERE course_id = :id", id=gone)
    code, text = await log.groupsvc("audit", "archive", tmp_path, "--older-than", 0)
    assert (code, text[:21]) == (2, "nothing was archived:")
    assert files(tmp_path) == []


@pytest.mark.parametrize("older_than", ["-1", "soon"])
async def test_days_are_a_number(log: Log, tmp_path: Path, older_than: str) -> None:
    assert (await log.groupsvc("audit", "archive", tmp_path, "--older-than", older_than))[0] == 2
