"""Every route that takes a body against everything that a body must not be."""

import json
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from tests.api.refusals import problem, told
from tests.conftest import SQL
from tests.tour import TOUR, Stage, set_stage

CANARY = "c4n4ry"
WITH_BODY = [name for name, visit in TOUR.items() if visit.json is not None]
# OAuth wants unknown parameters to be ignored.
WRITES = [
    name
    for name, visit in TOUR.items()
    if visit.method != "GET" and name not in ("issue_token", "revoke_token")
]
WITH_IDS = [
    pytest.param(name, part, id=f"{name}-{part}")
    for name, visit in TOUR.items()
    for part in ("course", "partition", "group", "member", "loose")
    if f"{{{part}}}" in visit.path.partition("?")[0]
]
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module")
async def stage(sql: SQL) -> Stage:
    """One for all: nothing is to happen on it."""
    return await set_stage(sql)


@pytest_asyncio.fixture(autouse=True)
async def _nothing_is_changed(sql: SQL, stage: Stage) -> Any:
    newest = "SELECT max(seq) FROM changes"
    before = await sql(newest)
    yield
    assert await sql(newest) == before


def not_json(detail: str) -> dict[str, Any]:
    return problem(400, "invalid_json", detail)


def doubled(body: dict[str, Any]) -> bytes:
    """The same members twice over."""
    members = json.dumps(body)[1:-1]
    return f"{{{members}, {members}}}".encode()


EMPTY = not_json("body is empty")
TOO_DEEP = not_json("body is nested too deeply")
HAZARDS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "empty": (b"", EMPTY),
    "blank": (b" \r\n\t", EMPTY),
    "cut off": (b'{"name": "c4n4ry', not_json("body is not JSON at line 1, column 10")),
    "two": (b"{} {}", not_json("body is not JSON at line 1, column 4")),
    "comment": (b"{/* c4n4ry */}", not_json("body is not JSON at line 1, column 2")),
    "UTF-16": ('{"name": "c4n4ry"}'.encode("utf-16"), not_json("body is not UTF-8")),
    "latin-1": ('{"name": "\u00e9"}'.encode("latin-1"), not_json("body is not UTF-8")),
    "mark": (b"\xef\xbb\xbf{}", not_json("body starts with a byte order mark")),
    "NaN": (b'{"name": NaN}', not_json("NaN and Infinity are not JSON")),
    "infinity": (b'{"name": -Infinity}', not_json("NaN and Infinity are not JSON")),
    "overflow": (b'{"name": 1e999}', not_json("a number is too large")),
    "digits": (b'{"name": ' + b"1" * 21 + b"}", not_json("a number has too many digits")),
    "NUL": (b'{"name": "c4n4ry\\u0000"}', not_json("text contains a NUL character")),
    "surrogate": (
        b'{"name": "c4n4ry\\ud800"}',
        not_json("text contains half of a surrogate pair"),
    ),
    "deep list": (b'{"name": ' + b"[" * 40 + b"]" * 40 + b"}", TOO_DEEP),
    "deep object": (b'{"name": ' * 40 + b"1" + b"}" * 40, TOO_DEEP),
    "bottomless": (b"[" * 100_000, TOO_DEEP),
}


@pytest.mark.parametrize("hazard", HAZARDS)
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_that_is_not_json_is_refused(
    client: httpx.AsyncClient, stage: Stage, name: str, hazard: str
) -> None:
    body, refusal = HAZARDS[hazard]
    visit = TOUR[name]
    answer = await client.request(visit.method, visit.path_on(stage), content=body, headers=JSON)
    assert told(answer) == refusal
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_member_that_comes_twice_is_refused(
    client: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    body = doubled(visit.payload(stage)["json"])
    answer = await client.request(visit.method, visit.path_on(stage), content=body, headers=JSON)
    assert told(answer) == not_json("an object has the same name twice")


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/xml",
        "*/*",
    ],
)
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_of_another_media_type_is_refused(
    client: httpx.AsyncClient, stage: Stage, name: str, media_type: str | None
) -> None:
    visit = TOUR[name]
    body = json.dumps(visit.payload(stage)["json"]).encode()
    headers = {} if media_type is None else {"content-type": media_type}
    answer = await client.request(visit.method, visit.path_on(stage), content=body, headers=headers)
    accepted = "text/csv or application/json" if "import" in name else "application/json"
    assert told(answer) == problem(415, "unsupported_media_type", f"send {accepted}")


@pytest.mark.parametrize("body", ["[]", "[{}]", '"c4n4ry"', "1", "true", "null"])
@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_body_that_is_no_object_is_refused(
    client: httpx.AsyncClient, stage: Stage, name: str, body: str
) -> None:
    visit = TOUR[name]
    answer = await client.request(visit.method, visit.path_on(stage), content=body, headers=JSON)
    message = "Input should be a valid dictionary or object to extract fields from"
    assert told(answer) == problem(
        422,
        "invalid",
        "one value is not valid",
        errors=[{"pointer": "#", "code": "model_attributes_type", "message": message}],
    )


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_member_that_nobody_knows_is_refused(
    client: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    body = visit.payload(stage)["json"] | {"unknown": CANARY, f"{CANARY} \n": CANARY}
    answer = await client.request(visit.method, visit.path_on(stage), json=body)
    entry = {"code": "extra_forbidden", "message": "Extra inputs are not permitted"}
    assert told(answer) == problem(
        422,
        "invalid",
        "2 values are not valid",
        errors=[{"pointer": "#/unknown", **entry}, {"pointer": "#", **entry}],
    )
    assert CANARY not in answer.text


@pytest.mark.parametrize("name", WRITES)
async def test_a_query_that_nobody_knows_is_no_real_run(
    client: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    path = visit.path_on(stage)
    join = "&" if "?" in path else "?"
    path += f"{join}unknown={CANARY}&{CANARY}%20%0A={CANARY}"
    answer = await client.request(visit.method, path, **visit.payload(stage))
    entry = {"code": "extra_forbidden", "message": "Extra inputs are not permitted"}
    assert told(answer) == problem(
        422,
        "invalid",
        "2 values are not valid",
        errors=[{"pointer": "#/query/unknown", **entry}, {"pointer": "#/query", **entry}],
    )
    assert CANARY not in answer.text


# A value of every JSON type, and those that a lenient reader would take for another one.
VALUES: dict[str, list[Any]] = {
    "string": [CANARY, "1", "true", "null", ""],
    "integer": [0, 1, -1],
    "huge integer": [2**63, -(2**63) - 1, 10**19],
    "number": [1.0, 1.5, -0.0, 1e300],
    "boolean": [True, False],
    "null": [None],
    "array": [[], [CANARY]],
    "object": [{}, {"name": CANARY}],
}


def types_of(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """The JSON types that a schema lets through."""
    schema = resolved(schema, document)
    if "anyOf" in schema:
        return {found for each in schema["anyOf"] for found in types_of(each, document)}
    if "enum" in schema or "const" in schema:
        return set()
    return {schema["type"]}


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return document["components"]["schemas"][schema["$ref"].split("/")[-1]]


def body_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema of what an operation takes, the first of several."""
    (operation,) = (
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if operation.get("operationId") == name
    )
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return resolved(schema.get("anyOf", [schema])[0], document)


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_member_of_another_type_is_refused(
    client: httpx.AsyncClient, app: FastAPI, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    good, document = visit.payload(stage)["json"], app.openapi()
    for member, schema in body_of(document, name)["properties"].items():
        for kind in VALUES.keys() - types_of(schema, document):
            for value in VALUES[kind]:
                answer = await client.request(
                    visit.method, visit.path_on(stage), json=good | {member: value}
                )
                refusal = told(answer)
                assert (refusal["status"], refusal["code"]) == (422, "invalid")
                for entry in refusal["errors"]:
                    assert entry["pointer"].split("/")[1] == member
                assert CANARY not in answer.text


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_member_that_must_be_there_is(
    client: httpx.AsyncClient, app: FastAPI, stage: Stage, name: str
) -> None:
    required = body_of(app.openapi(), name).get("required", [])
    visit = TOUR[name]
    answer = await client.request(visit.method, visit.path_on(stage), json={"unknown": 1})
    found = [(entry["pointer"], entry["code"]) for entry in told(answer)["errors"]]
    assert found == [
        *((f"#/{member}", "missing") for member in required),
        ("#/unknown", "extra_forbidden"),
    ]


NO_IDS = ["0", str(2**63), str(10**30), "9" * 1500, "-1", "+1", "1.5", "1.0", "1e3", "0x1", "1_0"]
NO_IDS += ["%201", "%D9%A1", "abc", "%00", ""]


@pytest.mark.parametrize(("name", "part"), WITH_IDS)
async def test_an_id_that_cannot_be_one_names_nothing(
    client: httpx.AsyncClient, stage: Stage, name: str, part: str
) -> None:
    visit = TOUR[name]
    request: Any = visit.payload(stage)
    for value in NO_IDS:
        path = visit.path.format(**{**vars(stage), part: value})
        answer = await client.request(visit.method, path, **request)
        assert told(answer) == problem(404, "not_found", "no such resource"), path


@pytest.mark.parametrize("name", WITH_BODY)
async def test_who_is_calling_is_asked_first(
    anonymous: httpx.AsyncClient, stage: Stage, name: str
) -> None:
    visit = TOUR[name]
    answer = await anonymous.request(visit.method, visit.path_on(stage), content=b"{")
    assert told(answer) == problem(401, "unauthenticated", "send a bearer token")


async def test_a_body_has_a_ceiling_which_is_higher_for_bulk(
    client: httpx.AsyncClient, stage: Stage
) -> None:
    large = b'{"rows": []' + b" " * 1_048_576 + b"}"
    path = TOUR["create_partition"].path_on(stage)
    refused = await client.post(path, content=large, headers=JSON)
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    bulk = await client.post(TOUR["assign_many"].path_on(stage), content=large, headers=JSON)
    assert bulk.status_code == 200
