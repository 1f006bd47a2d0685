"""Files of other systems through the API: each operation takes what a file brings of its kind."""

from typing import Any

import httpx
import pytest

from tests.api.refusals import problem, told
from tests.api.tables import CSV, NO_COURSE, answered, upload
from tests.conftest import SQL, Auth, MakeWorld, World
from tests.foreign_files import FILES, ForeignFile
from tests.rostering import archive, bundle

PEOPLE = ("ada", "bob")


class Course:
    """Two persons who are known by everything, and the partitions TD and TP."""

    def __init__(self, sql: SQL) -> None:
        self.world = World(sql)

    async def make(self) -> "Course":
        await self.world.make(0)
        self.prefix = self.world.department.lower()
        await self.world.sql(
            "INSERT INTO users (department_id, username, email, student_number, national_number,"
            " sort_key) SELECT :department, :prefix || name, :prefix || name || '@x.example',"
            " :prefix || n, :prefix || 'n' || n, name"
            " FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS named (name, n)",
            department=self.world.department_id,
            prefix=self.prefix,
            names=list(PEOPLE),
        )
        for partition, groups in (("TD", ("TD 1", "TD 2")), ("TP", ("TP 1",))):
            partition_id = await self.world.add_partition(partition, position=len(partition))
            for position, group in enumerate(groups, 1):
                await self.world.add_group(partition_id, group, position=position)
        return self

    def said(self, file: ForeignFile) -> dict[str, Any]:
        return {"course": self.world.course, "partition": "TD", **file.beside}

    async def places(self) -> list[tuple[str, str]]:
        found = await self.world.sql(
            "SELECT u.username, g.name FROM memberships m JOIN users u ON u.id = m.user_id"
            " JOIN groups g ON g.course_id = m.course_id AND g.id = m.group_id"
            " WHERE m.course_id = :course ORDER BY u.username, g.name",
            course=self.world.course_id,
        )
        return [(name.removeprefix(self.prefix), group) for name, group in found]

    async def states(self) -> dict[str, str]:
        found = await self.world.sql(
            "SELECT u.username, e.state FROM enrollments e JOIN users u ON u.id = e.user_id"
            " WHERE e.course_id = :course",
            course=self.world.course_id,
        )
        return {name.removeprefix(self.prefix): state for name, state in found}


@pytest.fixture
async def course(sql: SQL) -> Course:
    return await Course(sql).make()


@pytest.mark.parametrize("name", FILES)
async def test_a_file_brings_what_is_asked_for(
    client: httpx.AsyncClient, course: Course, name: str
) -> None:
    file = FILES[name]
    text = file.text(prefix=course.prefix)
    for kind in sorted(file.rows, reverse=True):
        answer = await upload(client, kind, text, **course.said(file))
        body = answer.json()
        assert answer.status_code == 200, body
        assert body.get("format") == file.format
        assert [row["result"] for row in body["rows"] if row["code"]] == []
        assert len(body["rows"]) == len(file.rows[kind])
    users = {
        course.prefix + name: name for each in PEOPLE for name in (each, f"{each}@x.example")
    } | {f"{course.prefix}{n}": name for n, name in enumerate(PEOPLE, 1)}
    if "roster" in file.rows:
        states = {"ada": "active", "bob": "withdrawn" if name == "scodoc" else "active"}
        assert await course.states() == states | ({"eve": "active"} if name == "markus" else {})
    if "assignments" in file.rows:
        expected = {
            (
                users.get(row["user"].format(prefix=course.prefix), row["user"])
                .removesuffix("@x.example")
                .removeprefix("{prefix}"),
                row["group"],
            )
            for row in file.rows["assignments"]
            if row["group"]
        }
        assert set(await course.places()) == expected


async def test_an_answer_says_what_was_read_as_what(
    client: httpx.AsyncClient, course: Course
) -> None:
    file = FILES["canvas"]
    text = file.text(prefix=course.prefix)
    await upload(client, "roster", text, course=course.world.course)
    answer = await upload(client, "assignments", text, **course.said(file))
    assert answer.json() == answered(
        "assignments",
        (2, "assigned"),
        (3, "assigned"),
        format="canvas-groups",
        columns={"login_id": "user", "user_id": "user", "group_name": "group"},
        ignored=list(file.ignored),
    )


async def test_every_group_of_a_cell_is_looked_for_in_the_course(
    client: httpx.AsyncClient, course: Course
) -> None:
    world = course.world
    other = await world.add_partition("Options", position=3)
    await world.add_group(other, "TP 1")
    head = "First name,Last name,Username,Groups\n"
    await upload(client, "roster", f"{head}A,B,{course.prefix}ada,\nA,B,{course.prefix}bob,\n")
    text = head + "".join(
        f'A,B,{course.prefix}{user},"{groups}"\n'
        for user, groups in (
            ("ada", "td 1, Options A"),
            ("ada", "TP 1"),
            ("bob", "TD 1,TD 2"),
            ("bob", "TP 1,"),
        )
    )
    await upload(client, "roster", text, course=world.course)
    twice = "groups of this name are in several partitions: Options, TP"
    nowhere = "no partition has a group of this name, and none is told"
    several = "there are several groups of the partition TD"
    answer = await upload(client, "assignments", text, course=world.course)
    assert (
        answer.json()["rows"]
        == answered(
            "assignments",
            (2, "assigned", "lookalike", "read as TD 1, which looks alike"),
            (2, "refused", "malformed_row", nowhere),
            (3, "refused", "malformed_row", twice),
            (4, "refused", "malformed_row", several),
            (4, "refused", "malformed_row", several),
            (5, "refused", "malformed_row", twice),
        )["rows"]
    )
    assert await course.places() == [("ada", "TD 1")]
    said = {"course": world.course, "partition": "TP"}
    answer = await upload(client, "assignments", text, **said)
    assert [(row["line"], row["result"], row["code"]) for row in answer.json()["rows"]] == [
        (2, "unchanged", "lookalike"),
        (2, "refused", "unknown_group"),
        (3, "assigned", None),
        (4, "refused", "malformed_row"),
        (4, "refused", "malformed_row"),
        (5, "assigned", None),
    ]
    assert await course.places() == [("ada", "TD 1"), ("ada", "TP 1"), ("bob", "TP 1")]


async def test_nothing_is_said_of_a_course_out_of_sight(
    anonymous: httpx.AsyncClient, course: Course, auth: Auth, make_world: MakeWorld
) -> None:
    other = await make_world(0)
    headers = CSV | auth(f"groups:write@department:{other.department}")
    text = f'First name,Last name,Username,Groups\nA,B,{course.prefix}ada,"TD 1,TD 2,X"\n'
    answer = await anonymous.post(
        "/v1/import/assignments",
        content=text,
        headers=headers,
        params={"course": course.world.course},
    )
    unknown = (2, "refused", *NO_COURSE)
    assert answer.json()["rows"] == answered("assignments", *[unknown] * 3)["rows"]


@pytest.mark.parametrize(
    ("kind", "content", "query", "detail"),
    [
        (
            "assignments",
            "login_id,group_name\n",
            {},
            "line 1: Canvas, groups of a group set needs the columns course_key, partition; "
            "it has login_id, group_name; course, partition, map may help",
        ),
        (
            "roster",
            "Section,Address\n",
            {"map": "family_name=Section"},
            "line 1: a table of roster needs the columns username or email or student_number or "
            "national_number; it has Section, Address; map may help",
        ),
        (
            "roster",
            "username\n",
            {"map": "email=Mail"},
            "line 1: there is no column called Mail",
        ),
        (
            "structure",
            "group_name,uid\n",
            {"format": "prairielearn-groups"},
            "line 1: PrairieLearn, groups of an assessment bring no structure; format may help",
        ),
        (
            "assignments",
            "ada,TD 1\n",
            {"columns": "user", "course": "C", "partition": "TD"},
            "line 1: there are 2 cells where 1 columns are named",
        ),
    ],
)
async def test_what_is_missing_is_told_with_what_helps(
    client: httpx.AsyncClient, kind: str, content: str, query: Any, detail: str
) -> None:
    answer = await upload(client, kind, content, **query)
    assert told(answer) == problem(422, "unusable_table", detail, line=1)


@pytest.mark.parametrize(
    ("query", "code", "detail"),
    [
        ({"map": "mail"}, "invalid_map", "map is written as ours=THEIRS, with commas between"),
        ({"format": "moodle"}, "invalid_format", None),
    ],
)
async def test_parameters_are_checked(
    client: httpx.AsyncClient, query: Any, code: str, detail: str | None
) -> None:
    answer = told(await upload(client, "roster", "username\n", **query))
    assert answer["code"] == code
    assert answer["status"] == 422
    assert detail in (None, answer["detail"])


async def test_rows_of_json_take_nothing_from_beside(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/import/roster?course=C", json={"rows": []})
    detail = "rows of JSON name everything themselves"
    assert told(answer) == problem(422, "invalid_rows", detail)


async def test_a_map_may_be_given_in_parts(client: httpx.AsyncClient, course: Course) -> None:
    text = f"Who,Where\n{course.prefix}ada,TD 1\n"
    await upload(client, "roster", text, course=course.world.course, map="username=Who")
    said = {"course": course.world.course, "partition": "TD", "map": ["user=Who", "group=Where"]}
    answer = await client.post("/v1/import/assignments.csv", content=text, headers=CSV, params=said)
    columns = {"Who": "user", "Where": "group"}
    assert answer.json() == answered("assignments", (2, "assigned"), columns=columns)
    assert await course.places() == [("ada", "TD 1")]


async def test_an_unenrolled_member_is_taken_out(client: httpx.AsyncClient, course: Course) -> None:
    said = {"course": course.world.course, "partition": "TD"}
    await upload(client, "roster", f"username\n{course.prefix}ada\n", course=said["course"])
    text = (
        f"Action,Username,Org Defined ID,Group Name,Group Code\nEnroll,{course.prefix}ada,,TD 1,\n"
    )
    assert (await upload(client, "assignments", text, **said)).json()["counts"] == {"assigned": 1}
    answer = await upload(client, "assignments", text.replace("Enroll,", "UNENROLL,"), **said)
    assert answer.json()["counts"] == {"removed": 1}
    assert await course.places() == []


async def test_a_bundle_has_its_lines_by_file(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    school = world.department.lower()
    files = bundle("1.2", students=2, school=school)
    files["enrollments.csv"] = files["enrollments.csv"].replace(f"{school}-u1,", "nobody,", 1)
    headers = {"content-type": "application/zip"}
    results: dict[str, Any] = {}
    for kind in ("courses", "roster", "roles"):
        answer = await client.post(
            f"/v1/import/{kind}", content=archive(files), headers=headers, params={"dry_run": False}
        )
        body = answer.json()
        assert answer.status_code == 200, body
        assert (body["kind"], body["format"]) == (kind, "oneroster")
        results[kind] = [(row["file"], row["line"], row["result"]) for row in body["rows"]]
    assert results == {
        "courses": [
            ("orgs.csv", 3, "created"),
            ("classes.csv", 2, "created"),
            ("classes.csv", 3, "created"),
        ],
        "roster": [
            *(("users.csv", line, "created") for line in range(2, 7)),
            ("enrollments.csv", 2, "refused"),
            *(("enrollments.csv", line, "created") for line in range(3, 6)),
        ],
        "roles": [("enrollments.csv", line, "assigned") for line in range(6, 9)],
    }
    answer = await client.post("/v1/import/structure", content=archive(files), headers=headers)
    assert answer.json() == answered("structure", format="oneroster")


ZIP = {"content-type": "application/zip"}


async def test_how_the_files_of_a_bundle_were_read_is_told(
    client: httpx.AsyncClient, world: World
) -> None:
    files = bundle("1.1", students=2, school=world.department.lower())
    for name, old, new in (
        ("users.csv", "Family 1", "Famille Éluard"),
        ("enrollments.csv", "beginDate,endDate", "beginDate,endDate,,"),
        ("classes.csv", "Class 1", '"Class\n1"'),
    ):
        files[name] = files[name].replace(old, new, 1)
    content = {name: text.encode("windows-1252") for name, text in files.items()}
    for kind, mended in (
        ("courses", [("classes.csv", "line_breaks", 2, 1)]),
        (
            "roster",
            [
                ("classes.csv", "line_breaks", 2, 1),
                ("enrollments.csv", "empty_columns", 1, 1),
            ],
        ),
    ):
        answer = await client.post(f"/v1/import/{kind}", content=archive(content), headers=ZIP)
        body = answer.json()
        assert answer.status_code == 200, body
        found = [
            tuple(each[name] for name in ("file", "kind", "line", "count"))
            for each in body["mended"]
        ]
        assert sorted(found) == mended
        assert body.get("encoding") == ("Windows-1252" if kind == "roster" else None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("course", "C"),
        ("partition", "TD"),
        ("map", "email=Mail"),
        ("columns", "user,,group"),
        ("sheet", "Sheet 1"),
        ("format", "canvas-groups"),
    ],
)
async def test_what_means_nothing_for_a_bundle_is_refused(
    client: httpx.AsyncClient, world: World, name: str, value: str
) -> None:
    files = bundle("1.2", students=1, school=world.department.lower())
    answer = await client.post(
        "/v1/import/roster", content=archive(files), headers=ZIP, params={name: value}
    )
    message = f"{name} means nothing for OneRoster 1.1 and 1.2, a bundle of CSV files"
    entry = {"pointer": name, "code": f"invalid_{name}", "message": message}
    assert told(answer) == problem(422, f"invalid_{name}", message, errors=[entry])


async def test_a_bundle_may_be_called_one_and_nothing_else_may(
    client: httpx.AsyncClient, world: World
) -> None:
    files = bundle("1.1", students=1, school=world.department.lower())
    said = {"format": "oneroster", "dry_run": True}
    answer = await client.post(
        "/v1/import/courses", content=archive(files), headers=ZIP, params=said
    )
    assert answer.json()["counts"] == {"created": 3}
    answer = await upload(client, "roster", "username\nx\n", **said)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_format")


async def test_what_is_deleted_and_was_never_here_is_left_alone(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    school = world.department.lower()
    files = bundle("1.2", students=3, school=school, gone=1, deleted=1)
    files["classes.csv"] = files["classes.csv"].replace(f"{school}-c1,", f"{school}-c1,tobedeleted")
    last = files["enrollments.csv"].splitlines()[-1]
    files["enrollments.csv"] = files["enrollments.csv"].replace(
        last, last.replace(",,,", ",tobedeleted,,", 1)
    )
    found: dict[str, Any] = {}
    for kind in ("courses", "roster", "roles"):
        answer = await client.post(f"/v1/import/{kind}", content=archive(files), headers=ZIP)
        found[kind] = answer.json()
    assert [each["counts"] for each in found.values()] == [
        {"created": 2},
        {"created": 7, "unchanged": 5},
        {"assigned": 1, "unchanged": 1},
    ]
    never = {
        "result": "unchanged",
        "code": "never_here",
        "message": "what is to be deleted was never here",
    }
    assert [
        (row["file"], row["line"])
        for row in found["roster"]["rows"]
        if never.items() <= row.items()
    ] == [
        ("users.csv", 4),
        *(("enrollments.csv", line) for line in (2, 3, 4, 7)),
    ]
    rows = await sql(
        "SELECT u.username, e.state FROM users u LEFT JOIN enrollments e ON e.user_id = u.id"
        " WHERE u.username LIKE :name ORDER BY u.username, e.state",
        name=f"{school}.s%",
    )
    assert [tuple(row) for row in rows] == [
        (f"{school}.s1", "active"),
        (f"{school}.s2", "active"),
    ]


async def test_ids_of_a_bundle_are_taken_as_they_are(
    client: httpx.AsyncClient, sql: SQL, world: World
) -> None:
    """What differs by case alone is something else, also where only one of the two is there."""
    school = world.department.lower()
    files = bundle("1.1", students=2, school=school)
    head, first, *others = files["classes.csv"].splitlines()
    one, other = f"{school}-c1", f"{school.upper()}-C1"
    assert first.startswith(one)
    files["classes.csv"] = "\n".join((head, first, first.replace(one, other), *others))
    third = f"{school.upper()}-c1"
    places = files["enrollments.csv"]
    head, first, *others = places.splitlines()
    student = [first.replace(one, key) for key in (one, other, third)]
    files["enrollments.csv"] = "\n".join((head, *student))
    headers = {"content-type": "application/zip"}
    told: dict[str, Any] = {}
    for kind in ("courses", "roster"):
        answer = await client.post(
            f"/v1/import/{kind}", content=archive(files), headers=headers, params={"dry_run": False}
        )
        told[kind] = [
            (row["file"], row["result"], row["code"])
            for row in answer.json()["rows"]
            if row["file"] in ("classes.csv", "enrollments.csv", "orgs.csv")
        ]
    assert told == {
        "courses": [("orgs.csv", "created", None), *[("classes.csv", "created", None)] * 3],
        "roster": [
            *[("enrollments.csv", "created", None)] * 2,
            ("enrollments.csv", "refused", "unknown_course"),
        ],
    }
    found = await sql(
        'SELECT key FROM courses WHERE lower(key) = :key ORDER BY key COLLATE "C"', key=one
    )
    assert [key for (key,) in found] == [other, one]
    ((departments,),) = await sql(
        "SELECT count(*) FROM departments WHERE lower(acronym) = :name", name=school
    )
    assert departments == 2
