"""What each face says of each outcome, whole."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx

from .declared import Row
from .requests import Request
from .rules import Outcome

Expect = tuple[int, Mapping[str, Any] | None]  # status, and members that the body must have

_NOWHERE: Final = "this needs another permission"
_NOT_FOUND: Final = (
    "404 Not Found: The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)
_NOT_ADMITTED: Final = "You do not have permission to perform this action."


def _v1(outcome: Outcome, row: Row, path: str) -> Expect:
    del path
    # Of several permissions that would do the first is told.
    needed = "groups:read" if "groups:read" in row.needs else max(row.needs, default="")
    is_users = row.kind == "lists" and len(row.needs) > 1
    here = outcome is Outcome.FORBIDDEN_HERE and row.kind != "somebody"
    detail = f"{_NOWHERE} here" if here or is_users else _NOWHERE
    forbidden = 403, _forbidden(detail, needed)
    found: Mapping[Outcome, Expect] = {
        Outcome.FORBIDDEN: forbidden,
        Outcome.FORBIDDEN_HERE: forbidden,
        Outcome.ABSENT: (404, {"code": "not_found", "title": "Not found", "status": 404}),
        Outcome.LOCKED: (409, {"code": "course_locked", "detail": "the course is locked"}),
        Outcome.NOT_EDITABLE: (409, {"code": "groups_not_editable"}),
        Outcome.NOTHING: (200, None),
    }
    return found[outcome]


def _forbidden(detail: str, permission: str) -> Mapping[str, Any]:
    return {
        "type": "urn:groupsvc:problem:forbidden",
        "title": "Not permitted",
        "status": 403,
        "detail": detail,
        "code": "forbidden",
        "permission": permission,
    }


def _scodoc(outcome: Outcome, row: Row, path: str) -> Expect:
    del row
    status, message = {
        Outcome.FORBIDDEN: (403, "Non autorise"),
        Outcome.ABSENT: (404, _NOT_FOUND),
        Outcome.NO_DEPARTMENT: (404, f"Invalid dept: {path.split('/')[2]}"),
        Outcome.LOCKED: (403, "formsemestre verrouillé"),
        Outcome.NOT_EDITABLE: (403, "partition non editable"),
        Outcome.NOTHING: (200, ""),
    }[outcome]
    if status == 200:
        return 200, None
    return status, {"error": HTTPStatus(status).phrase, "message": message, "status": status}


def _openedx(outcome: Outcome, row: Row, path: str) -> Expect:
    status, message, code = {
        Outcome.FORBIDDEN: (403, _NOT_ADMITTED, None),
        Outcome.ABSENT: (404, "Course not found.", None),
        Outcome.LOCKED: (400, "The course is locked.", "course-locked"),
    }[outcome]
    if row.kind == "page":
        return status, None if status == 404 else {"error": message}
    if path.startswith("/courses/"):
        return status, {"detail": message}
    if "/v2/" in path and "/group_configurations" not in path:
        phrase = HTTPStatus(status).phrase
        about = {"type": "about:blank", "title": phrase, "status": status}
        return status, {**about, "detail": message, "instance": path}
    return status, {"developer_message": message, **({"error_code": code} if code else {})}


_FACES: Final[Mapping[str, Callable[[Outcome, Row, str], Expect]]] = {
    "v1": _v1,
    "scodoc": _scodoc,
    "openedx": _openedx,
}
_WHOLE: Final = frozenset({Outcome.FORBIDDEN, Outcome.FORBIDDEN_HERE, Outcome.NO_DEPARTMENT})


def fault(
    face: str, row: Row, request: Request, path: str, outcome: Outcome, answer: httpx.Response
) -> str | None:
    """What is wrong with an answer, if the outcome is to be this one."""
    if row.kind == "imports" and outcome is not Outcome.FORBIDDEN:
        return _import_fault(row, outcome, answer)
    if outcome is Outcome.ALLOWED:
        status, body = request.status, None
    else:
        status, body = _FACES[face](outcome, row, path)
    if answer.status_code != status:
        return f"{answer.status_code} is not {status}: {answer.text[:200]}"
    if body is None:
        return None
    told: dict[str, Any] = json.loads(answer.content)
    told.pop("request_id", None)
    wanted = dict(body)
    if face == "v1" and outcome not in _WHOLE:
        told = {name: told.get(name) for name in wanted}
    return None if told == wanted else f"{told} is not {wanted}"


def _import_fault(row: Row, outcome: Outcome, answer: httpx.Response) -> str | None:
    """A row that is refused is an answer to that row alone."""
    if answer.status_code != 200:
        return f"{answer.status_code} is not 200: {answer.text[:200]}"
    results = {each["result"] for each in answer.json()["rows"]}
    if outcome is Outcome.ALLOWED:
        return f"refused: {answer.text[:300]}" if "refused" in results else None
    if outcome is Outcome.FORBIDDEN_HERE:
        (permission,) = row.needs
        told = {(each["code"], each["message"]) for each in answer.json()["rows"]}
        # New users are put into a whole department.
        ends = ("here",) if row.sees is None else ("here", "where the user belongs")
        return (
            None
            if told <= {("forbidden", f"this needs {permission} {end}") for end in ends}
            else f"{told}"
        )
    # Nothing is to be done for some of the rows.
    nothing = {"refused", "unchanged"} if outcome is Outcome.LOCKED else {"refused"}
    return None if "refused" in results <= nothing else f"rows were {results}"
