"""One good request for every operation of the native face, each on a stage of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from groupsvc.auth.passwords import hash_secret
from tests.conftest import SQL, World

SECRET = "correct horse battery"


@dataclass(frozen=True)
class Stage:
    """A course with two groups, of which the first has the first half of the students."""

    department: str
    empty: str
    key: str
    course: int
    partition: int
    spare: int
    group: int
    other: int
    groups: tuple[int, ...]
    users: tuple[int, ...]
    member: int
    loose: int
    username: str
    account: str
    job: int
    # In which the members came to their group.
    changeset: str


async def set_stage(sql: SQL, *, students: int = 4, groups: int = 2) -> Stage:
    world = await World(sql).make(students)
    partition = await world.add_partition("TD")
    spare = await world.add_partition("TP", position=2)
    made = [
        await world.add_group(partition, f"G{n:03}", position=n, capacity=students)
        for n in range(1, groups + 1)
    ]
    members = world.users[: students // 2]
    await sql(
        "INSERT INTO memberships (course_id, partition_id, user_id, group_id)"
        " SELECT :course, :partition, u, :group FROM unnest(CAST(:users AS bigint[])) u",
        course=world.course_id,
        partition=partition,
        group=made[0],
        users=members,
    )
    await sql(
        "INSERT INTO cohort_settings (course_id, is_cohorted) VALUES (:course, true)",
        course=world.course_id,
    )
    await sql(
        "INSERT INTO content_partitions (course_id, id, name, position, groups)"
        """ VALUES (:course, 50, 'Content', 1, '[{"id": 1, "name": "One"}]')""",
        course=world.course_id,
    )
    empty = f"{world.department}-empty"
    await sql("INSERT INTO departments (acronym) VALUES (:acronym)", acronym=empty)
    ((username,),) = await sql("SELECT username FROM users WHERE id = :id", id=members[0])
    return Stage(
        department=world.department,
        empty=empty,
        key=world.course,
        course=world.course_id,
        partition=partition,
        spare=spare,
        group=made[0],
        other=made[1],
        groups=tuple(made),
        users=tuple(world.users),
        member=members[0],
        loose=world.users[-1],
        username=username,
        account=await _make_account(sql, f"machine-{world.department}", username),
        job=await _make_job(sql, world.course_id),
        changeset=await _changeset_of(sql, made[0]),
    )


async def _changeset_of(sql: SQL, group: int) -> str:
    ((changeset,),) = await sql(
        "SELECT DISTINCT changeset_id::text FROM changes"
        " WHERE group_id = :group AND kind = 'membership.assigned'",
        group=group,
    )
    return str(changeset)


async def _make_job(sql: SQL, course: int) -> int:
    """One that has ended."""
    result = (
        '{"cohorts": [{"cohort_name": "A", "exists": false, "learners_added": 0,'
        ' "learners_not_found": [], "invalid_email_addresses": [], "preassigned_learners": [],'
        ' "learners_not_allowed": []}], "without_identifier": 0, "error": null}'
    )
    ((job,),) = await sql(
        "INSERT INTO jobs (course_id, kind, state, total, attempted, failed, created_by, result,"
        " started_at, finished_at) VALUES (:course, 'cohort_upload', 'done', 1, 1, 1, 'anna',"
        " CAST(:result AS jsonb), now(), now()) RETURNING id",
        course=course,
        result=result,
    )
    return job


_hashes: dict[str, str] = {}


async def _make_account(sql: SQL, name: str, username: str) -> str:
    if SECRET not in _hashes:
        _hashes[SECRET] = await hash_secret(SECRET)
    await sql(
        "INSERT INTO accounts (name, secret_hash, username) VALUES (:name, :hash, :username)",
        name=name,
        hash=_hashes[SECRET],
        username=username,
    )
    return name


Make = Callable[[Stage], Any]


@dataclass(frozen=True)
class Visit:
    """A method, a path whose braces name members of the stage, and how to make the body."""

    method: str
    path: str
    json: Make | None = None
    form: Mapping[str, str] | None = None
    status: int = 200
    csv: str | None = None

    async def go(self, client: httpx.AsyncClient, stage: Stage) -> httpx.Response:
        return await client.request(self.method, self.path_on(stage), **self.payload(stage))

    def payload(self, stage: Stage) -> dict[str, Any]:
        """What ``httpx`` is to send besides the path; a form comes from the account."""
        if self.json is not None:
            return {"json": self.json(stage)}
        if self.form is not None:
            return {"data": self.form, "auth": (stage.account, SECRET)}
        if self.csv is not None:
            return {
                "content": self.csv.format(**vars(stage)),
                "headers": {"content-type": "text/csv"},
            }
        return {}

    def path_on(self, stage: Stage) -> str:
        return self.path.format(**vars(stage))


def get(path: str) -> Visit:
    return Visit("GET", path)


def delete(path: str) -> Visit:
    return Visit("DELETE", path, status=204)


def post(path: str, json: Make, status: int = 200) -> Visit:
    return Visit("POST", path, json, status=status)


def put(path: str, json: Make | None = None, status: int = 200) -> Visit:
    return Visit("PUT", path, json, status=status)


def patch(path: str, json: Make) -> Visit:
    return Visit("PATCH", path, json)


def upload(kind: str, csv: str) -> Visit:
    return Visit("POST", f"/v1/import/{kind}.csv", csv=csv)


def rows(stage: Stage) -> list[dict[str, Any]]:
    """Half of the students into the second group by id, the others by name into the first."""
    half = len(stage.users) // 2
    return [
        *({"user_id": user, "group_id": stage.other} for user in stage.users[:half]),
        *({"user_id": user, "group": "G001"} for user in stage.users[half:]),
    ]


COURSE, PARTITION, GROUP = (
    "/v1/courses/{course}",
    "/v1/partitions/{partition}",
    "/v1/groups/{group}",
)
ENROLLMENT = COURSE + "/enrollments/{member}"

TOUR: dict[str, Visit] = {
    # partitions
    "list_partitions": get(COURSE + "/partitions"),
    "create_partition": post(COURSE + "/partitions", lambda _: {"name": "new"}, 201),
    "order_partitions": put(
        COURSE + "/partitions/order", lambda stage: {"ids": [stage.spare, stage.partition]}
    ),
    "put_tracks": put(COURSE + "/tracks", lambda _: {"codes": ["A", "B"]}),
    "get_default_partition": get(COURSE + "/default-partition"),
    "get_partition": get(PARTITION),
    "edit_partition": patch(PARTITION, lambda _: {"name": "renamed", "show_rank_on_report": True}),
    "delete_partition": delete(PARTITION),
    # groups
    "create_group": post(PARTITION + "/groups", lambda _: {"name": "new"}, 201),
    "create_cohort": post(COURSE + "/cohorts", lambda _: {"name": "new"}, 201),
    "create_groups": post(
        PARTITION + "/groups/by-pattern", lambda _: {"pattern": "new #", "count": 3}, 201
    ),
    "order_groups": put(
        PARTITION + "/groups/order", lambda stage: {"ids": list(reversed(stage.groups))}
    ),
    "get_group": get(GROUP),
    "edit_group": patch(GROUP, lambda _: {"name": "renamed", "capacity": 1000}),
    "delete_group": delete(GROUP),
    # memberships
    "list_members": get(GROUP + "/members"),
    "assign_member": put(GROUP + "/members/{loose}"),
    "remove_member": delete(GROUP + "/members/{member}"),
    "leave_partition": delete(PARTITION + "/members/{member}"),
    "list_unassigned": get(PARTITION + "/unassigned"),
    "assign_many": post(PARTITION + "/assignments", lambda stage: {"rows": rows(stage)}),
    "list_user_course_groups": get(COURSE + "/users/{member}/groups"),
    "list_user_groups": get("/v1/users/{member}/groups"),
    # courses
    "list_courses": get("/v1/courses?department={department}"),
    "get_course_by_key": get("/v1/courses/by-key/{key}"),
    "put_course": put(
        "/v1/courses/by-key/{department}/new",
        lambda stage: {"department": stage.department, "title": "New"},
        201,
    ),
    "get_course": get(COURSE),
    "delete_course": delete(COURSE),
    "lock_course": put(COURSE + "/lock"),
    "unlock_course": Visit("DELETE", COURSE + "/lock"),
    "get_board": get(COURSE + "/board"),
    # callers
    "get_me": get("/v1/me"),
    "list_my_groups": get("/v1/me/groups"),
    # enrollments
    "list_enrollments": get(COURSE + "/enrollments"),
    "get_enrollment": get(ENROLLMENT),
    "put_enrollment": put(ENROLLMENT, lambda _: {"state": "withdrawn"}),
    "edit_enrollment": patch(ENROLLMENT, lambda _: {"state": "defaulted"}),
    "delete_enrollment": delete(ENROLLMENT),
    # users
    "list_users": get("/v1/users?department={department}"),
    "get_user_by_name": get("/v1/users/by-name/{username}"),
    "put_user": put(
        "/v1/users/by-name/new-{username}",
        lambda stage: {"family_name": "Hopper", "department": stage.department},
        201,
    ),
    "get_user": get("/v1/users/{member}"),
    "edit_user": patch(
        "/v1/users/{member}", lambda stage: {"external_ids": {"sis": stage.username}}
    ),
    "delete_user": delete("/v1/users/{member}"),
    "get_personal_data": get("/v1/users/{member}/personal-data"),
    "erase_person": post("/v1/users/{member}/erasure", lambda _: {"subjects": ["nobody"]}),
    # departments
    "list_departments": get("/v1/departments"),
    "get_department": get("/v1/departments/{department}"),
    "get_department_ids": get("/v1/departments/{department}/ids"),
    "put_department": put("/v1/departments/{department}-new", lambda _: {"name": "New"}, 201),
    "delete_department": delete("/v1/departments/{empty}"),
    # cohorts
    "get_cohort_settings": get(COURSE + "/cohort-settings"),
    "put_cohort_settings": put(
        COURSE + "/cohort-settings",
        lambda _: {"is_cohorted": False, "random_assignment": "balanced"},
    ),
    "assign_cohort": post(COURSE + "/cohort-assignments", lambda stage: {"user_id": stage.member}),
    "list_content_partitions": get(COURSE + "/content-partitions"),
    "put_content_partition": put(
        COURSE + "/content-partitions/51",
        lambda _: {"name": "Content", "groups": [{"id": 1, "name": "One"}]},
        201,
    ),
    "delete_content_partition": delete(COURSE + "/content-partitions/50"),
    "get_content_group": get(COURSE + "/content-partitions/50/users/{member}/group"),
    "assign_content_group": Visit("POST", COURSE + "/content-partitions/50/users/{member}/group"),
    "list_preassignments": get(COURSE + "/preassignments"),
    "cancel_preassignment": delete(COURSE + "/preassignments/1"),
    "retire_address": post("/v1/retirements", lambda _: {"email": "nobody@example.org"}),
    # jobs
    "upload_cohorts": Visit(
        "POST", COURSE + "/cohort-uploads", status=202, csv="cohort,email\nA,a@example.org\n"
    ),
    "list_jobs": get(COURSE + "/jobs"),
    "get_job": get("/v1/jobs/{job}"),
    # changes
    "list_changes": get("/v1/changes?course_id={course}"),
    "list_course_changes": get(COURSE + "/changes"),
    "stream_course_events": get(COURSE + "/events?seconds=0"),
    "undo_changeset": Visit("POST", "/v1/changesets/{changeset}/undo"),
    # accounts and tokens
    "list_accounts": get("/v1/accounts"),
    "get_account": get("/v1/accounts/{account}"),
    "put_account": put("/v1/accounts/new-{account}", lambda _: {"grants": ["groups:read"]}, 201),
    "delete_account": delete("/v1/accounts/{account}"),
    "issue_token": Visit("POST", "/v1/token", form={"grant_type": "client_credentials"}),
    "revoke_token": Visit("POST", "/v1/token/revoke", form={"token": "gsv_unknown"}),
    # roles
    "get_team": get(COURSE + "/team"),
    "put_team": put(
        COURSE + "/team",
        lambda stage: {"members": [{"username": stage.username, "roles": ["staff"]}]},
    ),
    "put_team_member": put(COURSE + "/team/{member}", lambda _: {"roles": ["moderator"]}),
    "get_user_roles": get("/v1/users/{member}/roles"),
    "put_user_roles": put("/v1/users/{member}/roles", lambda _: {"roles": ["staff"]}),
    # import and export
    "import_courses": post(
        "/v1/import/courses",
        lambda stage: {
            "rows": [
                {"department": stage.department, "course_key": f"{stage.key}/{n}"}
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_roster": post(
        "/v1/import/roster",
        lambda stage: {
            "rows": [
                {"username": f"{stage.username}-{n}", "course_key": stage.key}
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_structure": post(
        "/v1/import/structure",
        lambda stage: {
            "rows": [
                {"course_key": stage.key, "partition": "new", "group": f"N{n}"}
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_assignments": post(
        "/v1/import/assignments",
        lambda stage: {
            "rows": [
                {
                    "course_key": stage.key,
                    "user": stage.username,
                    "partition": "TD",
                    "group": f"G{n % 2 + 1:03}",
                }
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_courses_csv": upload("courses", "department,course_key\n{department},{key}/csv\n"),
    "import_roster_csv": upload("roster", "username,course_key\n{username}-csv,{key}\n"),
    "import_structure_csv": upload("structure", "course_key,partition,group\n{key},new,N1\n"),
    "import_assignments_csv": upload(
        "assignments", "course_key,user,partition,group\n{key},{username},TD,G002\n"
    ),
    "import_preassignments": post(
        "/v1/import/preassignments",
        lambda stage: {
            "rows": [
                {
                    "course_key": stage.key,
                    "partition": "Cohorts",
                    "group": "A",
                    "waiting_email": f"late{n}@example.org",
                }
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_preassignments_csv": upload(
        "preassignments",
        "course_key,partition,group,waiting_email\n{key},Cohorts,A,late@example.org\n",
    ),
    "import_content_groups": post(
        "/v1/import/content_groups",
        lambda stage: {
            "rows": [
                {
                    "course_key": stage.key,
                    "content_partition_id": 60 + n,
                    "content_partition": "C",
                    "content_group_id": 1,
                    "content_group": "G",
                }
                for n in range(len(stage.users))
            ]
        },
    ),
    "import_content_groups_csv": upload(
        "content_groups",
        "course_key,content_partition_id,content_partition\n{key},60,C\n",
    ),
    "import_roles": post(
        "/v1/import/roles",
        lambda stage: {
            "rows": [
                {"user": stage.username, "role": role, "course_key": stage.key}
                for role in ("staff", "moderator")
                for _ in stage.users
            ]
        },
    ),
    "import_roles_csv": upload("roles", "user,role,course_key\n{username},staff,{key}\n"),
    "export_table": get("/v1/export/roster?course_id={course}"),
    "export_partition": get("/v1/partitions/{partition}/export?as=canvas-groups"),
}
