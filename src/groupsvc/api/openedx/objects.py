"""From what services know to the objects of this dialect, and back from its members."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from groupsvc.api.openedx.errors import ApiError
from groupsvc.api.openedx.reading import Body
from groupsvc.repositories.cohort_members import Person
from groupsvc.repositories.cohort_sets import Cohort, CohortSwitch, Member
from groupsvc.services.additions import Additions
from groupsvc.services.cohort_edits import ContentLink

MISSING_PARTITION = ApiError(
    400,
    "If group_id is specified, user_partition_id must also be specified.",
    "missing-user-partition-id",
)
_MOST = 2**63


def answer(value: Any, status: int = 200) -> Response:
    text = json.dumps(value, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def nothing() -> Response:
    return Response(status_code=204)
