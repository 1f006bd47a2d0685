"""What holds for imports of every kind: forms of the body, dry runs, permissions, repetition."""

import asyncio
from typing import Any, get_args

import httpx
import pytest

from groupsvc.faces.v1.uploads import ROWS
from groupsvc.import_export.columns import Empty, Kind
from groupsvc.import_export.encodings import LABELS
from groupsvc.import_export.kinds import KINDS
from tests.api.refusals import invalid, problem, told
from tests.api.tables import CSV, NO_COURSE, all_of, answered, rows, table, upload
from tests.conftest import SQL, Auth, World

HEADER = ("username", "family_name", "course_key")


async def usernames(world: World) -> list[str]:
    found = await world.sql(
        "SELECT username FROM users u JOIN enrollments e ON e.user_id = u.id"
        " WHERE e.course_id = :course ORDER BY u.id",
        course=world.course_id,
    )
    return [name for (name,) in found]


@pytest.fixture
async def empty(sql: SQL) -> World:
    return await World(sql).make(0)


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text.encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").replace("\r\n", "\r").encode(),
    ],
    ids=["plain", "bom", "semicolon", "tab and cr"],
)
async def test_a_table_comes_in_many_forms(
    client: httpx.AsyncClient, empty: World, form: Any
) -> None:
    name = f"{empty.department}-é"
    answer = await upload(client, "roster", form(table(HEADER, (name, "Î", empty.course))))
    assert answer.json() == answered("roster", (2, "created"))
    assert await usernames(empty) == [name]


async def test_json_rows_are_the_same_table(client: httpx.AsyncClient, empty: World) -> None:
    given = [
        {"username": f"{empty.department}-1", "course_key": empty.course, "is_active": False},
        {"username": f"{empty.department}-2", "course_key": empty.course, "family_name": "'=x"},
        {"username": f"{empty.department}-3", "course_key": "none", "student_number": None},
    ]
    answer = await client.post("/v1/import/roster", json={"rows": given})
    assert answer.json() == answered(
        "roster", (1, "created"), (2, "created"), (3, "refused", *NO_COURSE)
    )
    found = await empty.sql(
        "SELECT username, family_name, is_active FROM users WHERE department_id = :id ORDER BY id",
        id=empty.department_id,
    )
    assert found == [
        (f"{empty.department}-1", "", False),
        (f"{empty.department}-2", "'=x", True),
    ]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rows_of_json_have_the_columns_of_the_table(kind: Kind) -> None:
    model, _ = ROWS[kind.name]
    rules = {column.name: column.empty for column in kind.declared}
    fields = model.model_fields
    assert list(fields) == list(kind.columns)
    for name, field in fields.items():
        assert field.is_required() == (rules[name] is Empty.REFUSED), name
        takes_null = rules[name] in (Empty.KEEPS, Empty.CLEARS)
        assert (type(None) in get_args(field.annotation)) == takes_null, name


UNUSABLE = [
    (b"", "line 1: there is no header"),
    (b"username,family_name,username\n", "line 1: the header names a column twice"),
    (
        b"family_name\nx\n",
        "line 1: a table of roster needs the columns username or email or student_number or"
        " national_number; it has family_name; map may help",
    ),
    (b"username,family_name\nx,y\nz,\x00\n", "line 3: there is a NUL character"),
    (b"username,family_name\nx,\xc3\xa9\nz,\xe9\n", "line 3: this is not UTF-8"),
    (b"PK\x03\x04", "line 1: this workbook cannot be read"),
    (b'username,family_name\nx,"y\nz,y\n', "line 2: the quotes do not match from here on"),
]


@pytest.mark.parametrize(("content", "message"), UNUSABLE)
async def test_a_table_that_cannot_be_read_changes_nothing(
    client: httpx.AsyncClient, sql: SQL, content: bytes, message: str
) -> None:
    before = await sql("SELECT max(seq) FROM changes")
    answer = await upload(client, "roster", content)
    line = int(message.split(":")[0].removeprefix("line "))
    assert told(answer) == problem(422, "unusable_table", message, line=line)
    assert await sql("SELECT max(seq) FROM changes") == before


async def test_columns_that_nobody_knows_are_not_read(
    client: httpx.AsyncClient, empty: World
) -> None:
    name = f"{empty.department}-1"
    content = table(("hobby", *HEADER, "", "hobby"), ("x", name, "", empty.course, "", "y"))
    answer = await upload(client, "roster", content)
    assert answer.json() == answered("roster", (2, "created"), ignored=["hobby", "hobby"])


async def test_a_header_alone_imports_nothing(client: httpx.AsyncClient) -> None:
    answer = await upload(client, "roster", "username\n")
    assert answer.json() == answered("roster")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/xml"])
async def test_another_media_type_is_refused(
    client: httpx.AsyncClient, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await client.post("/v1/import/roster", content=b"username\n", headers=headers)
    detail = "send text/csv or application/json"
    assert told(answer) == problem(415, "unsupported_media_type", detail)


async def test_a_charset_that_nobody_knows_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "text/csv; charset=ebcdic"}
    answer = await client.post("/v1/import/roster", content=b"username\n", headers=headers)
    detail = f"the charset may be one of {', '.join(LABELS)}"
    assert told(answer) == problem(415, "unsupported_media_type", detail)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            {"rows": [{"username": "x"}, {"username": 5}]},
            invalid("#/rows/1/username", "string_type", "Input should be a valid string"),
        ),
        (
            {"rows": [{"username": "x", "hobby": "y"}]},
            invalid("#/rows/0/hobby", "extra_forbidden", "Extra inputs are not permitted"),
        ),
        ({}, invalid("#/rows", "missing", "Field required")),
    ],
)
async def test_json_of_another_shape_is_refused(
    client: httpx.AsyncClient, body: Any, refusal: Any
) -> None:
    assert told(await client.post("/v1/import/roster", json=body)) == refusal


async def test_json_has_its_limits(client: httpx.AsyncClient) -> None:
    many = {"rows": [{"username": "x"}] * 10_001}
    assert told(await client.post("/v1/import/roster", json=many))["errors"] == [
        {
            "pointer": "#/rows",
            "code": "too_long",
            "message": "List should have at most 10000 items after validation, not 10001",
        }
    ]
    large = b'{"rows":[' + b" " * 8_388_608 + b"]}"
    headers = {"content-type": "application/json"}
    answer = await client.post("/v1/import/roster", content=large, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_a_bad_row_keeps_no_other_from_its_place(
    client: httpx.AsyncClient, empty: World
) -> None:
    name = empty.department
    content = (
        b"username,family_name,course_key\n"
        + f"{name}-1,Ada,{empty.course}\n".encode()
        + b"short\n"
        + b"too,long,by,far\n"
        + f"{name}-2,{'x' * 1_000_000},{empty.course}\n".encode()
        + f'{name}-3,"Ada"y,{empty.course}\n'.encode()
        + f",Ada,{empty.course}\n".encode()
        + f'"{name}-4","A\n\nda",{empty.course}\n'.encode()
        + f"{'y' * 151},Ada,{empty.course}\n".encode()
        + f"{name}-5,Ada,{empty.course}\n".encode()
    )
    answer = await upload(client, "roster", content)
    length = "the name must have 1 to 150 characters that can be stored"
    assert answer.json() == answered(
        "roster",
        (2, "created"),
        (3, "refused", "malformed_row", "there are 1 cells where the header has 3"),
        (4, "refused", "malformed_row", "there are 4 cells where the header has 3"),
        (5, "refused", "invalid_value", "family_name has more than 255 characters"),
        (6, "refused", "malformed_row", "the quotes do not match"),
        (7, "refused", "missing_value", "username is empty"),
        (8, "created"),
        (11, "refused", "invalid_name", f"username: {length}"),
        (12, "created"),
        mended=[{"kind": "line_breaks", "line": 8, "count": 1}],
    )
    assert await usernames(empty) == [f"{name}-1", f"{name}-4", f"{name}-5"]


async def test_what_only_the_database_refuses_is_refused_to_its_row_alone(
    client: httpx.AsyncClient, empty: World
) -> None:
    # A pair of characters that newer servers compose, and this Python or an older one does not.
    name = f"{empty.department}-\U000105d2\u0307"
    ((composed,),) = await empty.sql("SELECT CAST(:name AS text) IS NFC NORMALIZED", name=name)
    given = [(f"{empty.department}-1", "x"), (name, "x"), (f"{empty.department}-2", "x")]
    found = await rows(client, "roster", HEADER[:2], *given)
    refused = ("refused", "invalid_name", "the name cannot be stored as it is")
    outcome = ("created", None, None) if composed else refused
    assert found == [(2, "created", None, None), (3, *outcome), (4, "created", None, None)]


async def test_a_dry_run_answers_the_same_and_writes_nothing(
    client: httpx.AsyncClient, empty: World
) -> None:
    one, two = f"{empty.department}-1", f"{empty.department}-2"
    content = table(
        ("username", "email", "course_key"),
        (one, f"{one}@example.org", empty.course),
        (two, f"{one}@EXAMPLE.org", empty.course),
        (one, f"{two}@example.org", empty.course),
        (two, f"{one}@example.org", empty.course),
        (two, f"{one}@example.org", empty.course),
    )
    expected = (
        (2, "created"),
        (3, "created"),
        (4, "updated"),
        (5, "updated"),
        (6, "unchanged"),
    )
    before = await empty.sql("SELECT max(seq) FROM changes")
    tried = await upload(client, "roster", content, dry_run=True)
    assert tried.json() == answered("roster", *expected, dry_run=True)
    assert await usernames(empty) == []
    assert await empty.sql("SELECT max(seq) FROM changes") == before
    done = await upload(client, "roster", content)
    assert done.json() == answered("roster", *expected)
    assert await usernames(empty) == [one, two]


async def test_an_import_is_one_changeset(client: httpx.AsyncClient, empty: World) -> None:
    given = [(f"{empty.department}-{n}", "x", empty.course) for n in range(3)]
    await rows(client, "roster", HEADER, *given)
    found = await empty.sql(
        "SELECT DISTINCT actor, cause, changeset_id FROM changes"
        " WHERE course_id = :course AND kind = 'enrollment.created'",
        course=empty.course_id,
    )
    assert [(actor, cause) for actor, cause, _ in found] == [("root", "import")]


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_repeated_import_is_answered_again(
    client: httpx.AsyncClient, empty: World, dry_run: bool
) -> None:
    name = f"{empty.department}-1"
    headers = {**CSV, "idempotency-key": name}
    content = table(HEADER, (name, "Ada", empty.course))
    url = f"/v1/import/roster?dry_run={dry_run}"
    answers = [await client.post(url, content=content, headers=headers) for _ in range(2)]
    assert [each.json() for each in answers] == [
        answered("roster", (2, "created"), dry_run=dry_run)
    ] * 2
    assert answers[1].headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("kind", "needed"),
    [
        ("courses", "roster:write"),
        ("roster", "roster:write"),
        ("structure", "groups:write"),
        ("assignments", "groups:write"),
        ("roles", "admin"),
    ],
)
async def test_an_import_needs_its_permission(
    anonymous: httpx.AsyncClient, auth: Auth, kind: str, needed: str
) -> None:
    others = {"groups:read", "groups:write", "roster:write", "admin"} - {needed}
    nobody = await upload(anonymous, kind, "x\n")
    assert told(nobody) == problem(401, "unauthenticated", "send a bearer token")
    headers = CSV | auth(*others)
    answer = await anonymous.post(f"/v1/import/{kind}", content="x\n", headers=headers)
    detail = "this needs another permission"
    assert told(answer) == problem(403, "forbidden", detail, permission=needed)


async def test_places_out_of_sight_are_unknown_and_others_forbidden(
    anonymous: httpx.AsyncClient, auth: Auth, sql: SQL
) -> None:
    mine, seen, hidden = [await World(sql).make(1) for _ in range(3)]
    headers = CSV | auth(
        f"groups:write@department:{mine.department}", f"groups:read@course:{seen.course}"
    )
    given = [
        (world.course, username, "TD", "A")
        for world in (mine, seen, hidden)
        for (username,) in await sql("SELECT username FROM users WHERE id = :id", id=world.users[0])
    ]
    content = table(("course_key", "user", "partition", "group"), *given)
    answer = await anonymous.post(
        "/v1/import/assignments?create=true", content=content, headers=headers
    )
    assert answer.json() == answered(
        "assignments",
        (2, "assigned"),
        (3, "refused", "forbidden", "this needs groups:write here"),
        (4, "refused", *NO_COURSE),
    )


async def test_rosters_that_race_for_the_same_users_create_each_once(
    client: httpx.AsyncClient, empty: World
) -> None:
    names = [f"{empty.department}-{n:03}" for n in range(60)]
    forward = table(HEADER, *((name, "x", empty.course) for name in names))
    backward = table(HEADER, *((name, "x", empty.course) for name in reversed(names)))
    answers = await asyncio.gather(
        *(upload(client, "roster", text) for text in (forward, backward) * 3)
    )
    assert [answer.status_code for answer in answers] == [200] * 6
    counts = [answer.json()["counts"] for answer in answers]
    assert sum(each.get("created", 0) for each in counts) == 60
    assert sum(each.get("unchanged", 0) for each in counts) == 300
    assert sorted(await usernames(empty)) == names


async def test_more_rows_than_a_batch(
    client: httpx.AsyncClient, empty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groupsvc.import_export.reading.BATCH", 3)
    given = [(f"{empty.department}-{n % 7}", "x", empty.course) for n in range(10)]
    assert await rows(client, "roster", HEADER, *given) == [
        *all_of("created", 7),
        *all_of("unchanged", 3, first=9),
    ]
