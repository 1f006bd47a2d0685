"""Requests full of marked names, addresses and secrets, for every operation of every face."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from tests.conftest import SQL
from tests.test_repository import DOCUMENTS, operations
from tests.tour import Stage, set_stage

MARK: Final = "kanarie7"
ADDRESS, NAME, SECRET = f"{MARK}@{MARK}.example", f"Zo\u00eb {MARK}", f"gsv_{MARK}secret"
BASIC: Final = base64.b64encode(f"{MARK}:{MARK}".encode()).decode()
MARKS: Final = (MARK, BASIC.lower())

HEADERS: Final[Mapping[str, str]] = {
    "x-request-id": f"{MARK} is no id",
    "if-match": f'"{MARK}"',
    "if-none-match": f'"{MARK}"',
    "idempotency-key": f"{MARK}-key",
    "cookie": f"edx-jwt-cookie-header-payload={MARK}; sessionid={MARK}",
    "user-agent": MARK,
    "referer": f"https://{MARK}.example/{MARK}?{MARK}",
    "origin": f"https://{MARK}.example",
    "x-forwarded-for": MARK,
    "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01",
    "tracestate": f"who={MARK}",
    "baggage": f"who={MARK}",
}
CREDENTIALS: Final = (
    {"authorization": f"Bearer {SECRET}"},
    {"authorization": f"Bearer eyJhbGciOiJub25lIn0.{MARK}.{MARK}"},
    {"authorization": f"Basic {BASIC}"},
    {"authorization": f"{MARK} {MARK}"},
)


class Sent(NamedTuple):
    method: str
    path: str
    options: dict[str, Any]


async def marked_stage(sql: SQL) -> Stage:
    """A stage on which everything that has a name has a marked one."""
    stage = await set_stage(sql)
    await sql(
        "UPDATE users SET family_name = :name, usual_name = :name,"
        " given_name = CAST(:mark AS text), email = id || CAST(:address AS text),"
        " username = CAST(:mark AS text) || id"
        " WHERE id = ANY(CAST(:users AS bigint[]))",
        name=NAME,
        mark=MARK,
        address=ADDRESS,
        users=list(stage.users),
    )
    await sql("UPDATE courses SET title = :name WHERE id = :id", name=NAME, id=stage.course)
    for table in ("partitions", "groups"):
        await sql(
            f"UPDATE {table} SET name = CAST(:name AS text) || id"
            " WHERE course_id = :id AND name IS NOT NULL",
            name=NAME,
            id=stage.course,
        )
    return stage


def _places(stage: Stage) -> dict[str, object]:
    """What the parameters of paths may name."""
    return {
        "course_id": stage.course,
        "formsemestre_id": stage.course,
        "key": stage.key,
        "partition_id": stage.partition,
        "group_id": stage.group,
        "cohort_id": stage.group,
        "user_id": stage.member,
        "etudid": stage.member,
        "username": f"{MARK}{stage.member}",
        "acronym": stage.department,
        "dept": stage.department,
        "job_id": stage.job,
        "changeset_id": stage.changeset,
        "content_partition_id": 1,
        "configuration_id": 1,
        "preassignment_id": 1,
        "dept_id": 1,
        "kind": "roster",
        "start": 0,
        "name": MARK,
        "nip": MARK,
        "ine": MARK,
        "edt_id": MARK,
    }


def requests(stage: Stage) -> Iterator[Sent]:
    """Of each operation some that may succeed and some that are refused; removals come last."""
    found = [
        (*place.split(" ", 1), operation, document)
        for document in DOCUMENTS.values()
        for place, operation in operations(document)
    ]
    for method, path, operation, document in sorted(found, key=lambda each: each[0] == "DELETE"):
        path = document["servers"][0]["url"].rstrip("/") + path
        real = path.format(**_places(stage))
        if operation["operationId"] == "stream_course_events":
            real += "?seconds=0"  # else it would not end
        query = {
            each["name"]: MARK for each in operation.get("parameters", ()) if each["in"] == "query"
        }
        yield Sent(method, real, _body(operation, document))
        yield Sent(method, real, {"params": query, "headers": HEADERS, **_garbage(method)})
        everywhere = path.format(**dict.fromkeys(_places(stage), MARK))
        yield Sent(method, everywhere, {"params": {MARK: ADDRESS}, "headers": HEADERS})
        credentials = CREDENTIALS[len(path) % len(CREDENTIALS)]
        yield Sent(
            method, real, {"headers": {**HEADERS, **credentials}, **_body(operation, document)}
        )


def _garbage(method: str) -> dict[str, Any]:
    return {} if method in ("GET", "DELETE") else {"content": f'{{"{MARK}": "{ADDRESS}'.encode()}


def _body(operation: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A body of the first kind that the operation takes, marked wherever it can be."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return {"json": _value(content["application/json"].get("schema", {}), document, 0)}
    if "text/csv" in content:
        columns = "username,email,family_name,given_name,course_key,state,partition,group,user"
        row = ",".join([MARK, ADDRESS, NAME, *[MARK] * 6])
        return {"content": f"{columns}\n{row}\n", "headers": {"content-type": "text/csv"}}
    if "multipart/form-data" in content:
        csv = f"username,email,cohort\n{MARK},{ADDRESS},{NAME}\n"
        return {"files": {"uploaded-file": (f"{MARK}.csv", csv)}, "data": {MARK: NAME}}
    if content:
        return {"data": {"grant_type": "client_credentials", "client_secret": SECRET, MARK: MARK}}
    return {}


def _value(schema: Mapping[str, Any], document: Mapping[str, Any], depth: int) -> Any:
    if "$ref" in schema:
        return _value(
            document["components"]["schemas"][schema["$ref"].rsplit("/")[-1]], document, depth
        )
    if "anyOf" in schema or "oneOf" in schema:
        return _value((schema.get("anyOf") or schema["oneOf"])[0], document, depth)
    if depth > 6:
        return MARK
    if schema.get("type") == "object" or "properties" in schema:
        members = schema.get("properties", {MARK: {}})
        return {name: _value(each, document, depth + 1) for name, each in members.items()}
    if schema.get("type") == "array":
        return [_value(schema.get("items", {}), document, depth + 1)]
    if "enum" in schema:
        return schema["enum"][0]
    plain = {"integer": 1, "boolean": False, "number": 1}
    if schema.get("type") in plain:
        return plain[schema["type"]]
    return ADDRESS if schema.get("format") == "email" else NAME
