"""What a refusal looks like, whole."""

from typing import Any

import httpx

from groupsvc.http.problems import ConflictProblem

TITLES = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not permitted",
    404: "Not found",
    409: "Conflict",
    412: "Changed in the meantime",
    415: "Unsupported Media Type",
    422: "Invalid input",
}


def problem(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    return {
        "type": f"urn:groupsvc:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }


def invalid(pointer: str, code: str, message: str) -> dict[str, Any]:
    """One value that a schema does not let through."""
    entry = {"pointer": pointer, "code": code, "message": message}
    return problem(422, "invalid", "one value is not valid", errors=[entry])


def told(response: httpx.Response) -> dict[str, Any]:
    """The problem in an answer without the id of the request and, of a conflict, what is there now.

    ``test_conflicts.py`` is about that; here it has to be told, and to be as it is documented.
    """
    body = told_whole(response)
    if response.status_code == 409:
        ConflictProblem.model_validate_json(response.content)
        for name in ("etag", "current", "changes"):
            del body[name]
    return body


def told_whole(response: httpx.Response) -> dict[str, Any]:
    """The problem in an answer, without the id of the request."""
    body: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json", body
    assert response.status_code == body["status"], body
    assert body.pop("request_id")
    return body


MISSING = problem(404, "not_found", "no such resource")
ANONYMOUS = problem(401, "unauthenticated", "send a bearer token")
HALF_A_PAIR = problem(400, "invalid_json", "text contains half of a surrogate pair")
NUL = problem(400, "invalid_json", "text contains a NUL character")
