"""Users as the API shows them."""

from typing import Any
from urllib.parse import quote

import httpx

from tests.api.refusals import problem

ABSENT = problem(404, "not_found", "no such user")
NO_DEPARTMENT = problem(404, "not_found", "no such department")


def user(number: int, name: str, **known: Any) -> dict[str, Any]:
    """A user of whom nothing but this is known."""
    return {
        "id": number,
        "username": name,
        "email": None,
        "family_name": "",
        "given_name": "",
        "usual_name": None,
        "civility": "X",
        "student_number": None,
        "national_number": None,
        "department": None,
        "is_active": True,
        **known,
    }


async def put(client: httpx.AsyncClient, name: str, **known: Any) -> dict[str, Any]:
    answer = await client.put(f"/v1/users/by-name/{quote(name)}", json=known)
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    return body
