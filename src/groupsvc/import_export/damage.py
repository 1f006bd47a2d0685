"""Numbers that a spreadsheet has damaged: new ones are refused, or said where they are literal."""

from collections.abc import Iterable
from typing import Final

from groupsvc.domain.lookalikes import differ_by_damage, shows_damage
from groupsvc.import_export import dangers
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import Accepted, Note

NUMBERS: Final = ("student_number", "national_number")


def judge_damage(
    columns: Iterable[str], before: object | None, row: Values, accept: Accepted
) -> Note | None:
    """What is to be said of a row with a key, whose numbers are taken as they are.

    Raises ConflictError for others, unless that is accepted.
    """
    found = [column for column in columns if _is_damaged(row.get(column), before, column)]
    if not found:
        return None
    if "key" in row:
        return dangers.taken_damaged(found)
    if "damaged" not in accept:
        raise dangers.damaged(found[0])
    return None


def _is_damaged(given: str | None, before: object | None, column: str) -> bool:
    stored: str | None = getattr(before, column, None)
    if given is None or given == stored:
        return False
    may_be_list = column not in NUMBERS
    return shows_damage(given, may_be_list=may_be_list) or (
        stored is not None and differ_by_damage(given, stored)
    )
