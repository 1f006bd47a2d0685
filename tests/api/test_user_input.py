from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.api.people import ABSENT
from tests.api.refusals import HALF_A_PAIR, MISSING, NUL, invalid, problem, told
from tests.conftest import World

PATTERN = "string_pattern_mismatch"
NO_LINE = r"String should match pattern '^[^\x00-\x1f\x7f]*$'"
NO_ADDRESS = r"String should match pattern '^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$'"
NO_NUMBER = (
    r"String should match pattern "
    r"'^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$'"
)
NO_TEXT = "Input should be a valid string"


def bad(member: str, value: str, code: str, message: str) -> Any:
    return (f'{{"{member}":{value}}}', invalid(f"#/{member}", code, message))


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"email":"a\\u0000@b"}', NUL),
        ('{"family_name":"\\udfff"}', HALF_A_PAIR),
        ("{", problem(400, "invalid_json", "body is not JSON at line 1, column 2")),
        bad("email", '"nobody"', PATTERN, NO_ADDRESS),
        bad("email", '"a b@c"', PATTERN, NO_ADDRESS),
        bad("email", '""', PATTERN, NO_ADDRESS),
        bad("email", "true", "string_type", NO_TEXT),
        bad(
            "email",
            f'"{"x" * 250}@x.org"',
            "string_too_long",
            "String should have at most 254 characters",
        ),
        bad("family_name", "null", "string_type", NO_TEXT),
        bad("family_name", '"a\\tb"', PATTERN, NO_LINE),
        bad(
            "given_name",
            f'"{"x" * 256}"',
            "string_too_long",
            "String should have at most 255 characters",
        ),
        bad("civility", '"m"', "literal_error", "Input should be 'M', 'F' or 'X'"),
        bad("civility", "null", "literal_error", "Input should be 'M', 'F' or 'X'"),
        bad("student_number", "22104711", "string_type", NO_TEXT),
        bad("student_number", '""', "string_too_short", "String should have at least 1 character"),
        bad("national_number", '" 1"', PATTERN, NO_NUMBER),
        bad(
            "national_number",
            f'"{"1" * 65}"',
            "string_too_long",
            "String should have at most 64 characters",
        ),
        bad("department", '"\\n"', PATTERN, NO_LINE),
        bad("is_active", '"yes"', "bool_type", "Input should be a valid boolean"),
        bad("is_active", "1", "bool_type", "Input should be a valid boolean"),
        bad("is_retired", "true", "extra_forbidden", "Extra inputs are not permitted"),
        bad("id", "1", "extra_forbidden", "Extra inputs are not permitted"),
    ],
)
async def test_bodies_that_are_refused(
    method: str, body: str, answer: dict[str, Any], client: httpx.AsyncClient, world: World
) -> None:
    path = "/v1/users/by-name/x" if method == "PUT" else f"/v1/users/{world.users[0]}"
    refused = await client.request(
        method, path, content=body, headers={"content-type": "application/json"}
    )
    assert told(refused) == answer


NO_NAME = "the name must have 1 to 150 characters that can be stored"


@pytest.mark.parametrize("given", ["\x00", " ", "x" * 151])
async def test_usernames_that_cannot_be(
    given: str, client: httpx.AsyncClient, world: World
) -> None:
    entry = {"pointer": "#/username", "code": "invalid_name", "message": NO_NAME}
    refusal = problem(422, "invalid_name", NO_NAME, errors=[entry])
    path = f"/v1/users/by-name/{quote(given)}"
    assert told(await client.put(path, json={})) == refusal
    assert told(await client.get(path)) == ABSENT
    if given != "\x00":
        renamed = await client.patch(f"/v1/users/{world.users[0]}", json={"username": given})
        assert told(renamed) == refusal


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 400, "-1", "x", "1.0", "%00"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_ids_that_cannot_be_name_nobody(
    method: str, number: str, client: httpx.AsyncClient
) -> None:
    body = {} if method == "PATCH" else None
    assert told(await client.request(method, f"/v1/users/{number}", json=body)) == MISSING


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (
            "search=%00",
            invalid("#/query/search", PATTERN, r"String should match pattern '^[^\x00]*$'"),
        ),
        (
            "search=" + "x" * 201,
            invalid(
                "#/query/search", "string_too_long", "String should have at most 200 characters"
            ),
        ),
        ("department=%0A", invalid("#/query/department", PATTERN, NO_LINE)),
        (
            "limit=0",
            invalid(
                "#/query/limit", "greater_than_equal", "Input should be greater than or equal to 1"
            ),
        ),
        (
            "limit=201",
            invalid(
                "#/query/limit", "less_than_equal", "Input should be less than or equal to 200"
            ),
        ),
        (
            "limit=x",
            invalid(
                "#/query/limit",
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            ),
        ),
    ],
)
async def test_queries_that_are_refused(
    query: str, answer: dict[str, Any], client: httpx.AsyncClient
) -> None:
    assert told(await client.get(f"/v1/users?{query}")) == answer
