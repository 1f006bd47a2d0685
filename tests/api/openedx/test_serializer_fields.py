"""Members of bodies against what the framework of the platform makes of the same.

``serializers.json`` is its own output; ``make_serializers.py`` says how to write it again.
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import BaseModel

from groupsvc.faces.openedx.errors import ApiError
from groupsvc.faces.openedx.reading import Body
from groupsvc.faces.openedx.serializer_fields import read_members
from groupsvc.faces.openedx.v2_bodies import CohortInV2, CohortPatchV2, SettingsInV2, UsersInV2

MODELS: dict[str, type[BaseModel]] = {
    "settings": SettingsInV2,
    "cohort": CohortInV2,
    "patch": CohortPatchV2,
    "users": UsersInV2,
}
TABLE = json.loads(Path(__file__).with_name("serializers.json").read_text())


def body_of(given: Any) -> Body:
    if not isinstance(given, str):
        return Body(given)
    values = parse_qs(given, keep_blank_values=True)
    return Body({name: each[-1] for name, each in values.items()}, values, is_form=True)


def outcome(kind: str, given: Any) -> Any:
    try:
        return read_members(body_of(given), MODELS[kind]).model_dump(exclude_unset=True)
    except ApiError as error:
        return error.message if error.status_code == 400 else error


@pytest.mark.parametrize("kind", MODELS)
def test_every_body_is_read_as_the_framework_reads_it(kind: str) -> None:
    cases = [(given, expected) for name, given, expected in TABLE if name == kind]
    assert len(cases) > 40
    found = [(given, outcome(kind, given), expected) for given, expected in cases]
    # As texts: True is 1, and 1.0 as well.
    assert [each for each in found if json.dumps(each[1]) != json.dumps(each[2])] == []
