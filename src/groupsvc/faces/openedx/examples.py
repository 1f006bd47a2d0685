"""What the document of this dialect fills in. Names are those of the demo institution."""

from collections.abc import Mapping
from typing import Any, Final

from groupsvc.http.examples import Example, at

USUAL: Final[Mapping[str, Any]] = {
    "cohort_id": 65,
    "configuration_id": 50,
    "key": "course-v1:INFO+PROG1+2026",
    "username": "demo001",
}


def _cohort(name: str) -> Example:
    return at({"name": name, "assignment_type": "manual"})


_USERS: Final = at({"users": ["demo002", "demo003@example.org"]})
_ON: Final = at({"is_cohorted": True})
_EDIT: Final = at({"name": "Cohort A", "assignment_type": "manual"})

OWN: Final[Mapping[str, Example | None]] = {
    "access_token": at(
        {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demonstration"}
    ),
    "put_settings": _ON,
    "put_cohort_settings_v2": _ON,
    "edit_instructor_settings": _ON,
    "create_cohort": _cohort("Cohort H"),
    "create_cohort_v2": _cohort("Cohort I"),
    "post_new_instructor_cohort": _cohort("Cohort K"),
    "put_new_instructor_cohort": _cohort("Cohort L"),
    "patch_new_instructor_cohort": _cohort("Cohort M"),
    "edit_cohort": _EDIT,
    "edit_cohort_v2": _EDIT,
    "post_instructor_cohort": _EDIT,
    "put_instructor_cohort": _EDIT,
    "patch_instructor_cohort": _EDIT,
    "add_users": _USERS,
    "add_users_v2": _USERS,
    "add_user": at({}),
    "add_instructor_users": at({"users": "demo002, demo003@example.org"}),
    "remove_instructor_user": None,
}
