"""Tokens where the clients of the platform ask for them."""

import httpx
import pytest
import pytest_asyncio

from tests.api.logins import GRANT, SECRET, fresh_name, put
from tests.api.openedx.conftest import Course, told

ADDRESSES = ["/oauth2/access_token", "/oauth2/access_token/"]


@pytest_asyncio.fixture
async def name(client: httpx.AsyncClient, course: Course) -> str:
    """An account of course staff, with the secret above."""
    name = fresh_name()
    grants = [f"groups:write@course:{course.key}"]
    assert (await put(client, name, grants=grants, secret=SECRET)).status_code == 201
    return name


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize(
    ("asked", "scheme", "scope"),
    [
        ({"token_type": "jwt"}, "JWT", "read write"),
        ({"token_type": "JWT", "scope": "cohorts:read"}, "JWT", "cohorts:read"),
        ({"token_type": "bearer"}, "Bearer", "read write"),
        ({}, "Bearer", "read write"),
    ],
)
async def test_a_client_gets_a_token_in_the_scheme_it_asks_for(
    anonymous: httpx.AsyncClient,
    course: Course,
    name: str,
    address: str,
    asked: dict[str, str],
    scheme: str,
    scope: str,
) -> None:
    form = {**GRANT, **asked, "client_id": name, "client_secret": SECRET}
    answer = await anonymous.post(address, data=form)
    assert answer.status_code == 200
    body = answer.json()
    token = body.pop("access_token")
    assert body == {"token_type": scheme, "expires_in": 3600, "scope": scope}
    assert answer.headers["cache-control"] == "no-store"
    headers = {"authorization": f"{scheme} {token}"}
    assert told(await anonymous.get(course.cohorts, headers=headers)) == (200, [])


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        (GRANT, 401, "invalid_client"),
        ({**GRANT, "client_id": "nobody", "client_secret": SECRET}, 401, "invalid_client"),
    ],
)
async def test_a_client_that_is_refused(
    anonymous: httpx.AsyncClient, form: dict[str, str], status: int, code: str
) -> None:
    answer = await anonymous.post("/oauth2/access_token", data={**form, "token_type": "jwt"})
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) == {"error", "error_description"}


async def test_other_methods_and_addresses(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.get("/oauth2/access_token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await anonymous.post("/oauth2/authorize")).status_code == 404
    answer = await anonymous.post("/oauth2/access_token", json=GRANT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
