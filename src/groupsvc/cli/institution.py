"""The demo institution as CSV tables; it never changes."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

GIVEN = ("Alice", "Bruno", "Chloé", "David", "Élise", "Farid", "Gaëlle", "Hugo", "Inès", "Jonas")
FAMILY = (
    *("Martin", "Bernard", "Thomas", "Petit", "Lefèvre", "Durand", "Dubois", "Moreau", "Laurent"),
    *("Simon", "Leroy", "Roux", "Fournier", "Girard", "Bonnet", "Dupont", "Fontaine"),
)
DEPARTMENTS = {"INFO": "Informatique", "MATH": "Mathématiques"}
COURSES = {
    "course-v1:INFO+PROG1+2026": ("INFO", "Programming 1", range(180)),
    "course-v1:INFO+NET2+2026": ("INFO", "Networks 2", range(60, 150)),
    "course-v1:MATH+ALG1+2026": ("MATH", "Algebra 1", range(150, 300)),
    "course-v1:MATH+STAT3+2026": ("MATH", "Statistics 3", range(200, 260)),
}
# partition, number of groups, capacity; in each course
PARTITIONS = (("TD", 4, 60), ("TP", 8, 30), ("Langue", 3, None))
UNASSIGNED = 10  # one student in so many is in no group
# Of the first course.
COHORTS = ("Cohort A", "Cohort B")
CONTENT = 50
# For whoever tries the routes that take a secret: it reads a course that is made up.
ACCOUNT, SECRET = "demo", "demonstration"
GRANTS = ("groups:read@course:course-v1:INFO+PROG1+2026",)
# For whoever opens the editor without an account of their own.
EDITOR_GRANTS = tuple(
    f"{permission}@course:{key}"
    for key in COURSES
    for permission in ("groups:read", "groups:write")
)


def username(number: int) -> str:
    return f"demo{number:03d}"


def _courses() -> Iterator[Sequence[object]]:
    yield "department", "department_name", "course_key", "title"
    for key, (department, title, _) in COURSES.items():
        yield department, DEPARTMENTS[department], key, title


def _roster() -> Iterator[Sequence[object]]:
    person = (
        "username",
        "email",
        "family_name",
        "given_name",
        "civility",
        "student_number",
        "national_number",
    )
    yield (*person, "course_key", "state")
    for key, (_, _, students) in COURSES.items():
        for number in students:
            name = username(number)
            state = "withdrawn" if number % 47 == 0 else "active"
            yield (
                name, f"{name}@example.org", FAMILY[number % len(FAMILY)].upper(),
                GIVEN[number % len(GIVEN)], "MFX"[number % 2], str(21_000_000 + number),
                f"{900_000_000 + number:010}A", key, state,
            )  # fmt: skip


def _structure() -> Iterator[Sequence[object]]:
    yield "course_key", "kind", "partition", "position", "group", "group_position", "capacity"
    for key in COURSES:
        for place, (partition, count, capacity) in enumerate(PARTITIONS, start=1):
            for number in range(1, count + 1):
                group = f"{partition}{number}"
                yield key, "ordinary", partition, place, group, number, capacity or ""
    first, place = next(iter(COURSES)), len(PARTITIONS) + 1
    for number, cohort in enumerate(COHORTS, start=1):
        yield first, "cohorts", "Cohorts", place, cohort, number, ""


def _assignments() -> Iterator[Sequence[object]]:
    yield "course_key", "user", "partition", "group"
    for key, (_, _, students) in COURSES.items():
        for partition, count, _ in PARTITIONS:
            for place, number in enumerate(students):
                if place % UNASSIGNED:
                    yield key, username(number), partition, f"{partition}{place % count + 1}"


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def tables() -> dict[str, str]:
    """CSV texts by kind, in the order in which they are imported."""
    return {
        "courses": _csv(_courses()),
        "roster": _csv(_roster()),
        "structure": _csv(_structure()),
        "assignments": _csv(_assignments()),
    }
