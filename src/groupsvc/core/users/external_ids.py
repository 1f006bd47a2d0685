"""The ids that other systems know users by."""

import re
from collections.abc import Container, Mapping
from typing import Final, TypeVar

from groupsvc.domain.errors import InvalidError

Id = TypeVar("Id", str, str | None)

SYSTEM: Final = re.compile("[a-z][a-z0-9_]{0,31}")
WHOLE_NUMBER: Final = re.compile("[1-9][0-9]{0,17}")  # fits where others store it in 64 bits


def checked_ids(given: Mapping[str, Id], numbering: Container[str]) -> Mapping[str, Id]:
    """Ids by system. Raises InvalidError for what is no name of a system.

    And for a text where a system has whole numbers: it is among the ``numbering`` ones.
    """
    for system, number in given.items():
        if SYSTEM.fullmatch(system) is None:
            raise InvalidError("a system is named by a-z, 0-9 and _", pointer="#/external_ids")
        if number is not None and system in numbering and WHOLE_NUMBER.fullmatch(number) is None:
            raise InvalidError("a whole number", pointer=f"#/external_ids/{system}")
    return given
