"""What the caller cannot see is answered as what there is not, wherever a request names it."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.conftest import SQL, Auth

from .callers import PERMISSIONS
from .matrix import plain
from .scenes import Scene, absent, make_scene


@dataclass(frozen=True)
class Scenes:
    """One that is the caller's, one that they cannot see, and the latter when it is not there."""

    own: Scene
    hidden: Scene
    gone: Scene


@pytest_asyncio.fixture(scope="module")
async def scenes(sql: SQL) -> Scenes:
    own, hidden = await make_scene(sql, "open"), await make_scene(sql, "open")
    return Scenes(own, hidden, absent(hidden))


def get(path: str) -> tuple[str, str, Any]:
    return "GET", path, None


def _row(kind: str, **cells: str) -> tuple[str, str, Any]:
    return "POST", f"/v1/import/{kind}?dry_run=true", {"rows": [cells]}


COURSE, PARTITION, GROUP = (
    "/v1/courses/{own.course}",
    "/v1/partitions/{own.partition}",
    "/v1/groups/{own.group}",
)
MANY = f"{PARTITION}/assignments?dry_run=true"
SCODOC = "/ScoDoc/{own.department}/api"
COHORT = "/api/cohorts/v1/courses/{own.key}/cohorts/{own.cohort}"

# Methods, paths and bodies, in which {it} is what the caller cannot see.
MENTIONS: dict[str, tuple[str, str, Any]] = {
    # Filters and searches.
    "courses of a department": get("/v1/courses?department={it.department}"),
    "users of a department": get("/v1/users?department={it.department}"),
    "users by username": get("/v1/users?search={it.username}"),
    "users by number": get("/v1/users?search=n-{it.username}"),
    "users by address": get("/v1/users?search={it.username}@example.org"),
    "users by name": get("/v1/users?search={it.word}"),
    "changes of a course": get("/v1/changes?course_id={it.course}"),
    "changes of a partition": get("/v1/changes?partition_id={it.partition}"),
    "changes of a group": get("/v1/changes?group_id={it.group}"),
    "changes of a user": get("/v1/changes?user_id={it.member}"),
    "changes in other words": get("/v1/changes?as=openedx&course_id={it.course}"),
    "enrollments by username": get(COURSE + "/enrollments?search={it.username}"),
    "export of a department": get("/v1/export/roster?department={it.department}"),
    "export of a course": get("/v1/export/roster?course_id={it.course}"),
    "groups of a user in a course": get(COURSE + "/users/{it.member}/groups"),
    "groups of a user then": get(COURSE + "/users/{it.member}/groups?as_of=2030-01-01T00:00:00Z"),
    "groups of a user": get("/v1/users/{it.member}/groups"),
    "enrollment of a user": get(COURSE + "/enrollments/{it.member}"),
    "content group of a user": get(COURSE + "/content-partitions/50/users/{it.member}/group"),
    # Orders.
    "order of partitions": (
        "PUT",
        COURSE + "/partitions/order",
        {"ids": ["{own.partition}", "{own.spare}", "{it.partition}"]},
    ),
    "order of groups": (
        "PUT",
        PARTITION + "/groups/order",
        {"ids": ["{own.group}", "{own.other}", "{it.group}"]},
    ),
    # Assignments.
    "user into a group": ("PUT", GROUP + "/members/{it.member}", None),
    "user out of a group": ("DELETE", GROUP + "/members/{it.member}", None),
    "user out of a partition": ("DELETE", PARTITION + "/members/{it.member}", None),
    "rows of user ids": ("POST", MANY, {"rows": [{"user_id": "{it.member}", "group": "G001"}]}),
    "rows of usernames": ("POST", MANY, {"rows": [{"user": "{it.username}", "group": "G001"}]}),
    "rows of numbers": ("POST", MANY, {"rows": [{"user": "n-{it.username}", "group": "G001"}]}),
    "rows of addresses": (
        "POST",
        MANY,
        {"rows": [{"user": "{it.username}@example.org", "group": "G001"}]},
    ),
    "rows of groups": (
        "POST",
        MANY,
        {"rows": [{"user_id": "{own.member}", "group_id": "{it.group}"}]},
    ),
    # The roster.
    "user into a department": (
        "PATCH",
        "/v1/users/{own.member}",
        {"department": "{it.department}"},
    ),
    "new user in a department": (
        "PUT",
        "/v1/users/by-name/new-{own.username}",
        {"family_name": "X", "department": "{it.department}"},
    ),
    "course into a department": (
        "PUT",
        "/v1/courses/by-key/{own.key}",
        {"department": "{it.department}", "title": "X"},
    ),
    "new course in a department": (
        "PUT",
        "/v1/courses/by-key/{own.key}-new",
        {"department": "{it.department}", "title": "X"},
    ),
    # Imports.
    "import of a course": _row("courses", department="{it.department}", course_key="{own.key}-x"),
    "import into a course": _row("roster", username="x-{own.username}", course_key="{it.key}"),
    "import of a user": _row("roster", username="{it.username}", course_key="{own.key}"),
    "import into a department": _row(
        "roster", username="x-{own.username}", department="{it.department}"
    ),
    "import of groups": _row("structure", course_key="{it.key}", partition="TD", group="X"),
    "import of assignments": _row(
        "assignments", course_key="{it.key}", user="{own.username}", partition="TD", group="G001"
    ),
    "import of assigned users": _row(
        "assignments", course_key="{own.key}", user="{it.username}", partition="TD", group="G001"
    ),
    "import of waiting addresses": _row(
        "preassignments",
        course_key="{own.key}",
        partition="Cohorts",
        group="A",
        waiting_email="{it.username}@example.org",
    ),
    "import of content groups": _row(
        "content_groups", course_key="{it.key}", content_partition_id="60", content_partition="C"
    ),
    "import of roles there": _row(
        "roles", user="{own.username}", role="staff", course_key="{it.key}"
    ),
    # The dialects.
    "étudiant into a group": ("POST", SCODOC + "/group/{own.group}/set_etudiant/{it.member}", None),
    "étudiant out of a group": (
        "POST",
        SCODOC + "/group/{own.group}/remove_etudiant/{it.member}",
        None,
    ),
    "étudiant out of a partition": (
        "POST",
        SCODOC + "/partition/{own.partition}/remove_etudiant/{it.member}",
        None,
    ),
    "partitions in order": (
        "POST",
        SCODOC + "/formsemestre/{own.course}/partitions/order",
        ["{it.partition}"],
    ),
    "groups in order": (
        "POST",
        SCODOC + "/partition/{own.partition}/groups/order",
        ["{it.group}"],
    ),
    "formsemestres of a number": get(SCODOC + "/formsemestres/query?nip=n-{it.username}"),
    "formsemestres of a department": get(
        SCODOC + "/formsemestres/query?dept_id={it.department_id}"
    ),
    "formsemestres of an acronym": get(
        SCODOC + "/formsemestres/query?dept_acronym={it.department}"
    ),
    "étudiants by number": get(SCODOC + "/etudiants/nip/n-{it.username}"),
    "étudiants by name": get(SCODOC + "/etudiants/name/{it.word}"),
    "groups of an étudiant": get(
        SCODOC + "/etudiant/nip/n-{it.username}/formsemestre/{own.course}/groups"
    ),
}

# Where a roster, a team or a cohort is made, anybody may be named who is known anywhere: by an id
# or by a name in full, which nobody is told. From then on they are in sight.
OPEN: dict[str, tuple[str, str, Any]] = {
    "arrival of a user": ("POST", COURSE + "/cohort-assignments", {"user_id": "{it.member}"}),
    "enrollment": ("PUT", COURSE + "/enrollments/{it.member}", {"state": "active"}),
    "change of an enrollment": ("PATCH", COURSE + "/enrollments/{it.member}", {"state": "active"}),
    "end of an enrollment": ("DELETE", COURSE + "/enrollments/{it.member}", None),
    "user into the team": ("PUT", COURSE + "/team/{it.member}", {"roles": ["staff"]}),
    "team of a username": (
        "PUT",
        COURSE + "/team",
        {"members": [{"username": "{it.username}", "roles": ["staff"]}]},
    ),
    "import of roles": _row("roles", user="{it.username}", role="staff", course_key="{own.key}"),
    "learner out of a cohort": ("DELETE", COHORT + "/users/{it.username}", None),
}


def filled(value: Any, own: Scene, it: Scene) -> Any:
    """Ids are numbers, wherever they stand alone."""
    if isinstance(value, str):
        text = value.format(own=own, it=it)
        return int(text) if text.isdigit() and value.startswith("{") else text
    if isinstance(value, dict):
        return {name: filled(each, own, it) for name, each in value.items()}
    return [filled(each, own, it) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("mention", MENTIONS.values(), ids=MENTIONS)
async def test_what_is_out_of_sight_is_named_in_vain(
    anonymous: httpx.AsyncClient, auth: Auth, scenes: Scenes, mention: tuple[str, str, Any]
) -> None:
    told = await ask_both(anonymous, auth, scenes, mention)
    assert scenes.hidden.word.lower() not in str(told).lower()
    assert told[0] == told[1]


@pytest.mark.parametrize("mention", OPEN.values(), ids=OPEN)
async def test_who_is_taken_by_name_is_told_from_who_is_nobody(
    anonymous: httpx.AsyncClient,
    auth: Auth,
    sql: SQL,
    scenes: Scenes,
    mention: tuple[str, str, Any],
) -> None:
    hidden = await make_scene(sql, "open")
    others = Scenes(scenes.own, hidden, absent(hidden))
    known, unknown = await ask_both(anonymous, auth, others, mention)
    assert known != unknown


async def ask_both(
    client: httpx.AsyncClient, auth: Auth, scenes: Scenes, mention: tuple[str, str, Any]
) -> list[tuple[int, str, Any]]:
    own = scenes.own
    grants = [f"{each}@department:{own.department}" for each in PERMISSIONS]
    grants += [f"{each}@course:{own.key}" for each in PERMISSIONS]
    headers = {**auth(*grants), "x-request-id": "same"}
    method, path, body = mention
    told = []
    for it in (scenes.hidden, scenes.gone):
        more = {} if body is None else {"json": filled(body, own, it)}
        answer = await client.request(method, path.format(own=own, it=it), headers=headers, **more)
        assert answer.status_code < 500
        told.append(plain(answer, it))
    return told
