"""What is measured: each item with the requests that ask for it."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from benchmarks.data import Course, Institution, username

EVERYBODY = ("groupsvc", "bare", "flask", "django")
BEFORE = "before"  # the service as another commit has it, asked for the same as "groupsvc"
SCODOC, OPENEDX, NATIVE = EVERYBODY[:3], ("groupsvc", "bare", "django"), EVERYBODY[:2]
MANY = 100_000  # rows of the largest bulk
SPREAD = 20_000  # different users in turn, where each is written to


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    method: str = "GET"
    body: bytes = b""
    kind: str = "application/json"

    def raw(self, headers: str) -> bytes:
        """As it goes over the wire; header lines are given with their ends."""
        if self.method != "GET":
            headers += f"Content-Type: {self.kind}\r\nContent-Length: {len(self.body)}\r\n"
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Item:
    """Requests that write come in two halves: the second undoes what the first does.

    ``goal`` is ``hot``, ``other``, ``crowd`` (of clients), ``lone``, ``bulk`` or ``import``.
    ``rows`` are written by one request; ``once`` are contenders too slow for more than one.
    ``reset`` is run before each round. ``copied`` are users and groups of the same rows, which
    COPY writes beside.
    """

    name: str
    title: str
    goal: str
    requests: Mapping[str, Sequence[Request]]
    writes: bool = False
    signed: bool = False
    rows: int = 1
    once: frozenset[str] = frozenset()
    reset: str = ""
    copied: Sequence[tuple[int, int]] = ()

    @property
    def connections(self) -> int:
        if self.rows > 1 or self.goal == "lone":
            return 1
        return 64 if self.goal == "crowd" else 8


def items(made: Institution, many: int = MANY) -> list[Item]:
    single = [*_reads(made), *_writes(made)]
    return [*single, *_crowded(single), *_bulk(made, min(many, made.giant.size // 2))]


def _crowded(single: Iterable[Item]) -> Iterable[Item]:
    """The same requests by more clients than there are connections to PostgreSQL, and by one."""
    wanted = ("partition", "user_groups", "assign")
    for item in (each for each in single if each.name in wanted):
        for goal, title in (("crowd", "64 clients"), ("lone", "one client")):
            asked = {name: item.requests[name] for name in NATIVE}
            yield replace(
                item,
                name=f"{item.name}_{goal}",
                title=f"{item.title}, {title}",
                goal=goal,
                requests=asked,
            )


def _reads(made: Institution) -> Iterable[Item]:
    courses, giant = made.courses, made.giant
    some = [(course, place) for place, course in product(range(5), courses)]
    everybody = f"/v1/groups/{giant.partitions[0].groups[0]}/members?limit=50"
    deep = base64.urlsafe_b64encode(f"[{giant.total * 99 // 100}]".encode()).decode().rstrip("=")
    partitions = [f"/v1/partitions/{course.partitions[1].id}" for course in courses]
    in_course = [f"/v1/courses/{course.id}/partitions" for course in courses]
    members = [f"/v1/groups/{c.partitions[1].groups[place]}/members?limit=200" for c, place in some]
    halls = [f"/v1/groups/{group}/members?limit=50" for group in giant.partitions[1].groups]
    of_users = [f"/v1/courses/{c.id}/users/{c.user(place)}/groups" for c, place in some]
    boards = [f"/v1/courses/{course.id}/board" for course in courses]
    scodoc = [f"/ScoDoc/api/formsemestre/{course.id}/partitions" for course in courses]
    openedx = [f"/api/cohorts/v1/courses/{course.key}/cohorts/" for course in courses]
    for name, title, goal, names, paths in (
        ("partition", "a partition with its groups", "hot", EVERYBODY, partitions),
        ("partition_signed", "the same with a signed token (JWT)", "hot", NATIVE, partitions),
        ("partitions", "the partitions of a course", "hot", EVERYBODY, in_course),
        ("members", "the members of a group", "hot", EVERYBODY, members),
        ("members_giant", "50 members of a group in the giant course", "hot", OPENEDX, halls),
        ("members_first", "the giant course, its first 50", "other", NATIVE, [everybody]),
        ("members_deep", "and 50 near its end", "other", NATIVE, [f"{everybody}&cursor={deep}"]),
        ("user_groups", "the groups of a user in a course", "hot", EVERYBODY, of_users),
        ("board", "the board of a course of 1,000", "other", NATIVE, boards),
        ("scodoc_partitions", "ScoDoc: partitions of a formsemestre", "hot", SCODOC, scodoc),
        ("openedx_cohorts", "Open edX: cohorts of a course", "hot", OPENEDX, openedx),
    ):
        asked = _same(names, map(Request, paths))
        yield Item(name, title, goal, asked, signed=name.endswith("_signed"))
    mine = {"groupsvc": [Request("/v1/me/groups")], "bare": [Request("/v1/users/1/groups")]}
    yield Item("my_groups", "my groups over all courses (JWT)", "hot", mine, signed=True)


def _writes(made: Institution) -> Iterable[Item]:
    course, giant = made.courses[0], made.giant
    moves = _same(EVERYBODY, _moves(made.courses, "/v1/groups/{}/members/{}", "PUT"))
    yield Item("assign", "assign or move one", "hot", moves, writes=True)
    moves = _same(SCODOC, _moves(made.courses, "/ScoDoc/api/group/{}/set_etudiant/{}", "POST"))
    yield Item("scodoc_assign", "ScoDoc: set_etudiant", "hot", moves, writes=True)
    cohorts = giant.partitions[2]
    late = [giant.user(place) for place in range(cohorts.members, giant.size)][:SPREAD]
    arrivals = [_post(f"/v1/courses/{giant.id}/cohort-assignments", user_id=user) for user in late]
    yield Item(
        "arrive",
        "lazy assignment to a cohort",
        "other",
        _same(OPENEDX, arrivals),
        writes=True,
        reset=_removal(giant, cohorts.id, late),
    )
    names = [username(course.user(place)) for place in range(1000)]
    path = f"/api/cohorts/v1/courses/{course.key}/cohorts/{{}}/users/"
    added = [_post(path.format(group), users=names) for group in course.partitions[4].groups[:2]]
    yield Item(
        "openedx_add",
        "Open edX: add 1,000 users to a cohort",
        "other",
        _same(OPENEDX, added),
        writes=True,
        rows=1000,
        once=frozenset(("django",)),
    )


def _bulk(made: Institution, many: int) -> Iterable[Item]:
    giant = made.giant
    for rows, course, names in (
        (1000, made.courses[0], EVERYBODY if many == MANY else NATIVE),  # they take minutes
        (10_000, giant, NATIVE),
        (many, giant, NATIVE),
    ):
        yield Item(
            f"bulk_{rows}",
            f"move {rows:,} in one request",
            "bulk" if rows == many else "other",
            _same(names, [_batch(course, rows, step) for step in (1, 2)]),
            writes=True,
            rows=rows,
            once=frozenset(("flask", "django")),
        )
    copied = [(giant.user(place), giant.group(1, place + 1)) for place in range(many)]
    users = [user for user, _ in copied]
    yield Item(
        "bulk_assign",
        f"assign {many:,} in one request",
        "bulk",
        _same(NATIVE, [_batch(giant, many, 1)]),
        writes=True,
        rows=many,
        reset=_removal(giant, giant.partitions[1].id, users),
        copied=copied,
    )
    tables = {"groupsvc": [_table(giant, many, step) for step in (1, 2)]}
    title = f"move {many:,} by CSV"
    yield Item("csv_import", title, "import", tables, writes=True, rows=many)
    yield Item(
        "csv_assign",
        f"assign {many:,} by CSV",
        "import",
        {"groupsvc": tables["groupsvc"][:1]},
        writes=True,
        rows=many,
        reset=_removal(giant, giant.partitions[1].id, users),
        copied=copied,
    )


def _same(names: Sequence[str], requests: Iterable[Request]) -> Mapping[str, Sequence[Request]]:
    return dict.fromkeys(names, tuple(requests))


def _post(path: str, **body: Any) -> Request:
    return Request(path, "POST", json.dumps(body).encode())


def _moves(courses: Sequence[Course], path: str, method: str) -> Iterable[Request]:
    """Everybody to the next group, and then to the one after that: each request moves somebody."""
    each = min(SPREAD // len(courses), 1000)
    for step, place, course in product((1, 2), range(each), courses):
        group = course.group(1, place + step)
        yield Request(path.format(group, course.user(place)), method)


def _batch(course: Course, rows: int, step: int) -> Request:
    path = f"/v1/partitions/{course.partitions[1].id}/assignments"
    places = range(rows)
    given = [{"user_id": course.user(p), "group_id": course.group(1, p + step)} for p in places]
    return _post(path, rows=given)


def _table(course: Course, rows: int, step: int) -> Request:
    first = course.partitions[1].groups[0]
    lines = ["course_key,user,partition,group"]
    for place in range(rows):
        group = course.group(1, place + step) - first + 1
        lines.append(f"{course.key},{username(course.user(place))},P1,G{group:02}")
    return Request("/v1/import/assignments", "POST", "\n".join(lines).encode(), "text/csv")


def _removal(course: Course, partition_id: int, users: Iterable[int]) -> str:
    """As if they had never been in a group of the partition."""
    return (
        "SET session_replication_role = replica; DELETE FROM memberships "
        f"WHERE course_id = {course.id} AND partition_id = {partition_id} "
        f"AND user_id = ANY ('{{{','.join(map(str, users))}}}'); "
        "SET session_replication_role = origin"
    )
