"""From what services know to the objects of this dialect, and back from its members."""

import json
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_json
from starlette.responses import Response

from groupsvc.core.cohorts.add_result import AddResult
from groupsvc.core.cohorts.records import Cohort, CohortEdit, Member, StoredCohortSettings
from groupsvc.core.users.records import Person
from groupsvc.faces.openedx.reading import Body

_MOST_DIGITS: Final = 19


def answer(value: Any, status: int = 200) -> Response:
    return Response(_encoded(value), status, media_type="application/json")


def _encoded(value: Any) -> bytes:
    try:
        return to_json(value)
    except PydanticSerializationError:  # half of a surrogate pair comes back as it came: escaped
        return json.dumps(value, separators=(",", ":")).encode()


def no_content() -> Response:
    return Response(status_code=204)


def settings(found: StoredCohortSettings) -> dict[str, Any]:
    return {"id": found.id, "is_cohorted": found.is_cohorted}


def cohort(found: Cohort) -> dict[str, Any]:
    return {
        "name": found.name,
        "id": found.id,
        "user_count": found.user_count,
        "assignment_type": found.assignment_type,
        "user_partition_id": found.content_partition_id,
        "group_id": found.content_group_id,
    }


def member(found: Member) -> dict[str, Any]:
    """An account without names has one space for a name."""
    return {**_person(found), "name": f"{found.given_name} {found.family_name}"}


def _person(found: Person) -> dict[str, Any]:
    return {"username": found.username, "email": found.email or ""}


def add_result(found: AddResult) -> dict[str, Any]:
    """The lists in their order; ``not_allowed`` only when the cohort refused somebody."""
    lists: dict[str, Any] = {
        "added": [_person(person) for person in found.added],
        "changed": [
            {
                "email": moved.person.email or "",
                "previous_cohort": moved.previous,
                "username": moved.person.username,
            }
            for moved in found.moved
        ],
        "present": found.present,
        "unknown": found.unmatched["unknown"],
        "preassigned": found.unmatched["preassigned"],
        "invalid": found.unmatched["invalid"],
    }
    return {**lists, "not_allowed": found.refused} if found.refused else lists


def cohort_edit(body: Body, *, relink: bool = True) -> CohortEdit:
    """What a body asks for; services check the values in their order."""
    return CohortEdit(
        name=body.get("name"),
        assignment_type=body.get("assignment_type"),
        relink=relink,
        content_partition_id=_number(body, "user_partition_id"),
        content_group_id=_number(body, "group_id"),
    )


def _number(body: Body, name: str) -> object:
    """In a form all values are text."""
    value = body.get(name)
    if not body.is_form or not isinstance(value, str):
        return value
    is_number = value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS
    return int(value) if is_number else value
