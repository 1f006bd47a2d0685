from typing import Any

import httpx
import pytest

from tests.api.enrolled import address
from tests.api.refusals import HALF_A_PAIR, MISSING, NUL, invalid, problem, told
from tests.conftest import World

STATES = "Input should be 'active', 'withdrawn' or 'defaulted'"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ('{"state":"active","track":"\\u0000"}', NUL),
        ('{"state":"active","track":"\\ud834"}', HALF_A_PAIR),
        (
            "[1]",
            invalid(
                "#",
                "model_attributes_type",
                "Input should be a valid dictionary or object to extract fields from",
            ),
        ),
        ('{"state":"gone"}', invalid("#/state", "literal_error", STATES)),
        ('{"state":null}', invalid("#/state", "literal_error", STATES)),
        ('{"state":true}', invalid("#/state", "literal_error", STATES)),
        (
            '{"state":"active","track":1}',
            invalid("#/track", "string_type", "Input should be a valid string"),
        ),
        (
            f'{{"state":"active","track":"{"x" * 2001}"}}',
            invalid("#/track", "string_too_long", "String should have at most 2000 characters"),
        ),
        (
            '{"state":"active","user_id":1}',
            invalid("#/user_id", "extra_forbidden", "Extra inputs are not permitted"),
        ),
    ],
)
async def test_bodies_that_are_refused(
    method: str, body: str, answer: dict[str, Any], client: httpx.AsyncClient, world: World
) -> None:
    path, headers = address(world, world.users[0]), {"content-type": "application/json"}
    refused = await client.request(method, path, content=body, headers=headers)
    assert told(refused) == answer


async def test_a_state_is_needed_to_enroll(client: httpx.AsyncClient, world: World) -> None:
    refused = told(await client.put(address(world, world.users[0]), json={}))
    assert refused == invalid("#/state", "missing", "Field required")


@pytest.mark.parametrize("track", ["", "  ", "x" * 256])
async def test_tracks_that_cannot_be(track: str, client: httpx.AsyncClient, world: World) -> None:
    detail = "the name must have 1 to 255 characters that can be stored"
    entry = {"pointer": "#/track", "code": "invalid_name", "message": detail}
    refused = await client.patch(address(world, world.users[0]), json={"track": track})
    assert told(refused) == problem(422, "invalid_name", detail, errors=[entry])


@pytest.mark.parametrize("number", ["0", str(2**63), "9" * 400, "-1", "x", "%00"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_ids_that_cannot_be_name_nothing(
    method: str, number: str, client: httpx.AsyncClient, world: World
) -> None:
    body = {"state": "active"} if method in ("PUT", "PATCH") else None
    for path in (
        f"/v1/courses/{world.course_id}/enrollments/{number}",
        f"/v1/courses/{number}/enrollments/{world.users[0]}",
    ):
        assert told(await client.request(method, path, json=body)) == MISSING
    assert told(await client.get(f"/v1/courses/{number}/enrollments")) == MISSING


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("state=gone", "#/query/state", "literal_error"),
        ("search=%00", "#/query/search", "string_pattern_mismatch"),
        ("limit=0", "#/query/limit", "greater_than_equal"),
        ("cursor=x", "#/query/cursor", "invalid_cursor"),
        ("cursor=" + "x" * 2049, "#/query/cursor", "string_too_long"),
    ],
)
async def test_queries_that_are_refused(
    query: str, pointer: str, code: str, client: httpx.AsyncClient, world: World
) -> None:
    refused = told(await client.get(f"/v1/courses/{world.course_id}/enrollments?{query}"))
    assert (refused["status"], [(e["pointer"], e["code"]) for e in refused["errors"]]) == (
        422,
        [(pointer, code)],
    )
