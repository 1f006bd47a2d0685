"""The institution that is measured: made up, the same every time, loaded by COPY.

All courses have 1,000 users in 4 partitions of 12 groups, the last of them Open edX cohorts. One
more course is a giant: a partition of 50 groups, and 20 cohorts that only half of its users are in.
Users of a course are scattered over the table of users, as they are in a university.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice

from asyncpg.connection import Connection

USERS_PER_COURSE = 1_000
SCATTER = 7_919  # a prime, so that it shares no factor with the number of users
NULL = "\\N"
TABLES = ("departments", "users", "courses", "partitions", "groups", "enrollments", "memberships")


@dataclass(frozen=True, slots=True)
class Size:
    courses: int
    giant: int
    courses_per_user: int = 1

    @property
    def users(self) -> int:
        return max(self.giant, self.courses * USERS_PER_COURSE // self.courses_per_user)

    @property
    def memberships(self) -> int:
        return self.courses * USERS_PER_COURSE * 4 + self.giant * 3 // 2


FULL = Size(courses=200, giant=200_000)
QUICK = Size(courses=20, giant=20_000)
SMALL = Size(courses=22, giant=5_500, courses_per_user=4)  # 100 thousand memberships
LARGE = Size(courses=2_425, giant=200_000, courses_per_user=4)  # 10 million


@dataclass(frozen=True, slots=True)
class Partition:
    id: int
    kind: str
    name: str | None
    groups: range
    members: int


@dataclass(frozen=True, slots=True)
class Course:
    id: int
    key: str
    first: int
    size: int
    total: int
    partitions: tuple[Partition, ...]

    def user(self, place: int) -> int:
        """The id of one of its users; places count from 0."""
        return (self.first + place) * SCATTER % self.total + 1

    def group(self, number: int, place: int) -> int:
        """The group of a user in one of the partitions, which count from 0, the default one."""
        groups = self.partitions[number].groups
        return groups[(place + place // len(groups) * number) % len(groups)]


@dataclass(frozen=True, slots=True)
class Institution:
    size: Size
    courses: tuple[Course, ...]
    giant: Course


def username(user_id: int) -> str:
    return f"user{user_id:07}"


def institution(size: Size) -> Institution:
    partition_ids, group_ids = count(1), count(1)

    def partition(kind: str, name: str | None, groups: int, members: int) -> Partition:
        first = next(group_ids)
        for _ in range(groups - 1):
            next(group_ids)
        return Partition(next(partition_ids), kind, name, range(first, first + groups), members)

    def course(number: int, first: int, members: int, *own: tuple[str, str, int, int]) -> Course:
        partitions = (partition("default", None, 1, 0), *(partition(*each) for each in own))
        key = f"course-v1:Bench+C{number:04}+2026"
        return Course(number, key, first, members, size.users, partitions)

    ordinary = [("ordinary", f"P{number}", 12, USERS_PER_COURSE) for number in (1, 2, 3)]
    courses = tuple(
        course(
            number,
            (number - 1) * USERS_PER_COURSE,
            USERS_PER_COURSE,
            *ordinary,
            ("cohorts", "cohorts", 12, USERS_PER_COURSE),
        )
        for number in range(1, size.courses + 1)
    )
    halls = ("ordinary", "P1", 50, size.giant)
    cohorts = ("cohorts", "cohorts", 20, size.giant // 2)
    giant = course(size.courses + 1, 0, size.giant, halls, cohorts)
    return Institution(size, courses, giant)


async def load(connection: Connection, made: Institution) -> None:
    """Without triggers, which the load would otherwise spend its time in."""
    await connection.execute("SET session_replication_role = replica")
    courses = (*made.courses, made.giant)
    await connection.execute(
        "INSERT INTO departments (id, acronym, name) VALUES (1, 'Bench', 'Bench')"
    )
    await _copy(connection, "courses", "id department_id key title", _courses(courses))
    await _copy(connection, "partitions", "course_id id kind name position", _partitions(courses))
    await _copy(
        connection,
        "groups",
        "course_id partition_id id name position assignment_type",
        _groups(courses),
    )
    await _copy(connection, "cohort_settings", "course_id is_cohorted", _settings(courses))
    await _copy(
        connection,
        "users",
        "id department_id username email family_name given_name student_number sort_key",
        _users(made.size.users),
    )
    await _copy(connection, "enrollments", "course_id user_id", _enrollments(courses))
    await _copy(
        connection, "memberships", "course_id partition_id user_id group_id", _members(courses)
    )
    for table in ("departments", "courses", "partitions", "groups", "users"):
        await connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        )
    await connection.execute("SET session_replication_role = origin")
    await connection.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")
    await connection.execute("CHECKPOINT")


async def _copy(connection: Connection, table: str, columns: str, lines: Iterable[str]) -> None:
    async def source() -> AsyncGenerator[bytes]:
        rows = iter(lines)
        while some := "".join(islice(rows, 5_000)):
            yield some.encode()

    await connection.copy_to_table(table, source=source(), columns=columns.split())


def _courses(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        yield f"{course.id}\t1\t{course.key}\tCourse {course.id}\n"


def _partitions(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        for position, each in enumerate(course.partitions):
            yield f"{course.id}\t{each.id}\t{each.kind}\t{each.name or NULL}\t{position}\n"


def _groups(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        for partition in course.partitions:
            how = "random" if partition.kind == "cohorts" else "manual"
            for position, group in enumerate(partition.groups, start=1):
                name, place = (f"G{position:02}", position) if partition.name else (NULL, 0)
                yield f"{course.id}\t{partition.id}\t{group}\t{name}\t{place}\t{how}\n"


def _settings(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        yield f"{course.id}\tt\n"


def _users(total: int) -> Iterator[str]:
    for each in range(1, total + 1):
        family, given = f"Family{each * SCATTER % total:07}", f"Given{each % 977:03}"
        yield (
            f"{each}\t1\t{username(each)}\t{username(each)}@example.org\t{family}\t{given}"
            f"\t{10_000_000 + each}\t{family.lower()} {given.lower()}\n"
        )


def _enrollments(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        for place in range(course.size):
            yield f"{course.id}\t{course.user(place)}\n"


def _members(courses: Iterable[Course]) -> Iterator[str]:
    for course in courses:
        for number, partition in enumerate(course.partitions[1:], start=1):
            for place in range(partition.members):
                user, group = course.user(place), course.group(number, place)
                yield f"{course.id}\t{partition.id}\t{user}\t{group}\n"
