"""Changes of cohorts as the events that Open edX emits: docs/compat/openedx.md, "Events".

A line of the change log may stand for several events.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from groupsvc.core.changes.journal import Change, Journal
from groupsvc.core.cohorts.assignment import AUTOMATIC

Event = tuple[str, dict[str, Any]]

CREATED: Final = "edx.cohort.created"
CREATION_REQUESTED: Final = "edx.cohort.creation_requested"
ADDED: Final = "edx.cohort.user_added"
REMOVED: Final = "edx.cohort.user_removed"
ADD_REQUESTED: Final = "edx.cohort.user_add_requested"
PREASSIGNED: Final = "edx.cohort.email_address_preassigned"
MEMBERSHIP_CHANGED: Final = "org.openedx.learning.cohort_membership.changed.v1"


def render_events(change: Change) -> list[dict[str, Any]]:
    """The events that one change stands for."""
    return [
        {
            "name": name,
            "payload": payload,
            "at": change["at"],
            "course_key": change["course_key"],
            "actor": change["actor"],
            "request_id": change["request_id"],
            "changeset_id": change["changeset_id"],
            "seq": change["seq"],
        }
        for name, payload in EVENTS[change["kind"]](change)
    ]


def _created(change: Change) -> list[Event]:
    made = change["after"]
    events = [(CREATED, {"cohort_id": made["id"], "cohort_name": made["name"]})]
    if change["cause"] != AUTOMATIC:
        requested = {"cohort_name": made["name"], "cohort_id": made["id"]}
        events.append((CREATION_REQUESTED, requested))
    return events


def _assigned(change: Change) -> list[Event]:
    entered = change["after"]
    return [
        _membership_changed(change),
        (ADDED, _member(change, entered)),
        _add_requested(change, entered, None),
    ]


def _moved(change: Change) -> list[Event]:
    left, entered = change["before"], change["after"]
    return [
        (REMOVED, _member(change, left)),
        (ADDED, _member(change, entered)),
        _membership_changed(change),
        _add_requested(change, entered, left),
    ]


def _removed(change: Change) -> list[Event]:
    return [(REMOVED, _member(change, change["before"]))]


def _preassigned(change: Change) -> list[Event]:
    payload = {
        "user_email": change["email"],
        "cohort_id": change["group_id"],
        "cohort_name": change["group_name"],
    }
    return [(PREASSIGNED, payload)]


def _user_id(change: Change) -> int:
    """The id that the platform knows the user by, or ours where that is not known."""
    return int(change["external_id"] or change["user_id"])


def _member(change: Change, cohort: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cohort_id": cohort["group_id"],
        "cohort_name": cohort["group_name"],
        "user_id": _user_id(change),
    }


def _add_requested(
    change: Change, entered: Mapping[str, Any], left: Mapping[str, Any] | None
) -> Event:
    payload = {
        "user_id": _user_id(change),
        "cohort_id": entered["group_id"],
        "cohort_name": entered["group_name"],
        "previous_cohort_id": left["group_id"] if left else None,
        "previous_cohort_name": left["group_name"] if left else None,
    }
    return ADD_REQUESTED, payload


def _membership_changed(change: Change) -> Event:
    """Personal data is that of today; of a user who has been deleted there is none.

    The schema of the event has no null there.
    """
    user = change["user"]
    pii = {"username": "", "email": "", "name": ""}
    if user is not None:
        pii = {
            "username": user["username"],
            "email": user["email"] or "",
            "name": f"{user['given_name']} {user['family_name']}".strip(),
        }
    person = {
        "pii": pii,
        "id": _user_id(change),
        "is_active": user["is_active"] if user is not None else False,
    }
    course = {"course_key": change["course_key"], "display_name": "", "start": None, "end": None}
    name = change["after"]["group_name"]
    return MEMBERSHIP_CHANGED, {"cohort": {"user": person, "course": course, "name": name}}


EVENTS: Final[Mapping[str, Callable[[Change], list[Event]]]] = {
    "group.created": _created,
    "membership.assigned": _assigned,
    "membership.moved": _moved,
    "membership.removed": _removed,
    "preassignment.created": _preassigned,
    "preassignment.updated": _preassigned,
}

JOURNAL: Final = Journal("openedx", tuple(EVENTS), render_events)
