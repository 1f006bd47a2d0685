"""``groupsvc import`` of lists that say who is to be somewhere, and of what is refused whole."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run

KEY = "course-v1:RT+NET1+2026"
USERS = [f"user{n}" for n in range(8)]


@pytest.fixture
async def course(groupsvc: Run, tmp_path: Path) -> Path:
    """Eight students of whom two are in the group A, and one without an address."""
    out = tmp_path / "course"
    out.mkdir()
    (out / "courses.csv").write_text(f"department,course_key\nRT,{KEY}\n")
    people = "".join(f"{user},{user}@example.org,{KEY}\n" for user in USERS)
    (out / "roster.csv").write_text(f"username,email,course_key\n{people}")
    (out / "structure.csv").write_text(f"course_key,partition,group\n{KEY},TD,A\n")
    places = "".join(f"{KEY},{user},TD,A\n" for user in USERS[:2])
    (out / "assignments.csv").write_text(f"course_key,user,partition,group\n{places}")
    assert (await groupsvc("import", out))[0] == 0
    return out


def roster(path: Path, *users: str, courses: str = KEY) -> Path:
    path.write_text("username,course_key\n" + "".join(f"{user},{courses}\n" for user in users))
    return path


async def test_who_is_in_none_of_the_files_is_withdrawn(
    groupsvc: Run, course: Path, tmp_path: Path
) -> None:
    one = roster(tmp_path / "one.csv", *USERS[:3])
    two = roster(tmp_path / "two.csv", *USERS[3:7])
    report = tmp_path / "report.csv"
    done = (0, "roster: 7 unchanged, 1 withdrawn\n")
    command = ("import", one, two, "--withdraw-missing", "--report", report)
    assert await groupsvc(*command, "--dry-run") == done
    text = report.read_text()
    assert text.splitlines()[-1] == f",,withdrawn,,user7 in {KEY}: not in the file"
    assert await groupsvc(*command) == done
    assert report.read_text() == text
    assert await groupsvc("import", roster(one, "user7")) == (0, "roster: 1 reactivated\n")
    assert await groupsvc("import", one, "--withdraw-missing") == (
        3,
        "roster: 7 refused, 1 unchanged\n"
        "roster: 7 refused as large; --accept large takes them\n"
        + "".join(
            f"{user} in {KEY}: large: 7 of 8 people who are active in the course would be"
            " withdrawn\n"
            for user in USERS[:7]
        ),
    )
    assert await groupsvc("import", one, "--withdraw-missing", "--accept", "large") == (
        0,
        "roster: 1 unchanged, 7 withdrawn\n",
    )


async def test_only_the_listed_stay_and_empty_cells_clear_when_told(
    groupsvc: Run, course: Path, tmp_path: Path
) -> None:
    places = tmp_path / "places.csv"
    places.write_text(f"course_key,user,partition,group\n{KEY},user2,TD,A\n")
    report = tmp_path / "report.csv"
    counts = (0, "assignments: 1 assigned, 2 removed\n")
    assert await groupsvc("import", places, "--only", "--report", report) == counts
    assert report.read_text().splitlines()[1:] == [
        f"{places},2,assigned,,",
        f",,removed,,user0 in {KEY} / TD / A: not in the file",
        f",,removed,,user1 in {KEY} / TD / A: not in the file",
    ]
    people = tmp_path / "people.csv"
    people.write_text(f"username,email,course_key,action\nuser0,,{KEY},remove\nuser1,,,\n")
    assert await groupsvc("import", people, "--empty", "keep") == (
        0, "roster: 1 unchanged, 1 withdrawn\n"
    )  # fmt: skip
    people.write_text(f"username,email,course_key,action\nuser2,,{KEY},remove\nuser1,,,\n")
    assert await groupsvc("import", people, "--empty", "clear", "--report", report) == (
        0, "roster: 2 erased, 1 withdrawn\n"
    )  # fmt: skip
    assert report.read_text().splitlines()[1:] == [
        f"{people},2,withdrawn,,",
        f"{people},2,erased,,",
        f"{people},3,erased,,",
    ]


async def test_all_files_are_written_or_none(groupsvc: Run, course: Path, tmp_path: Path) -> None:
    (course / "courses.csv").write_text("department,course_key\nRT,another\n")
    with (course / "assignments.csv").open("a") as file:
        file.write(f"{KEY},nobody,TD,A\n")
    told = (
        "courses: 1 created\nroster: 8 unchanged\nstructure: 1 unchanged\n"
        "assignments: 1 refused, 2 unchanged\n"
        f"{course}/assignments.csv:4: unknown_user: no such user\n"
    )
    nothing = f"{told}nothing is written: all or nothing was asked for\n"
    command = ("import", course, "--all-or-nothing")
    assert await groupsvc(*command, "--dry-run") == (3, nothing)
    assert await groupsvc(*command) == (3, nothing)
    assert await groupsvc("import", course) == (3, told)
    again = told.replace("1 created", "1 unchanged")
    assert await groupsvc("import", course) == (3, again)


async def test_all_files_together_keep_a_random_cohort_and_the_name_of_the_tracks(
    groupsvc: Run, course: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    header = "course_key,partition,kind,group,assignment_type\n"
    one.write_text(f"{header}{KEY},Sets,cohorts,A,random\n{KEY},Sets,cohorts,B,manual\n")
    assert await groupsvc("import", one) == (0, "structure: 2 created\n")
    one.write_text(f"{header}{KEY},Sets,,A,manual\n{KEY},Parcours,,A,\n")
    reserved = f"{one}:3: reserved_name: this name is kept for the tracks\n"
    assert await groupsvc("import", one) == (
        3,
        "structure: 2 refused\n"
        f"{one}:2: last_random_cohort: one cohort must take users at random\n{reserved}",
    )
    two.write_text(f"{header}{KEY},Sets,,B,random\n")
    told = f"structure: 1 refused, 2 updated\n{reserved}"
    assert await groupsvc("import", one, two) == (3, told)
