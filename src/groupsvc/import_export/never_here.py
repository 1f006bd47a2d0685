"""Rows about what another system no longer has, and this one never had: nothing is to be done."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.tables import Row

# A cell of such rows, besides those that the table declares.
TO_BE_GONE: Final = "to be gone"
_CODES: Final = frozenset(("unknown_user", "unknown_course"))
_MESSAGE: Final = "what is to be deleted was never here"


def say_never_here(rows: Iterable[Row], answers: Iterable[RowAnswer]) -> list[RowAnswer]:
    return [
        replace(answer, result="unchanged", code="never_here", message=_MESSAGE)
        if answer.code in _CODES and TO_BE_GONE in row.cells
        else answer
        for row, answer in zip(rows, answers, strict=True)
    ]
