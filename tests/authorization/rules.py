"""What follows from a line of the table: the outcome of a cell, by rules that are written down.

None of it is taken from the program. The rules, in the order in which they are asked:

Native face: whoever holds what is needed nowhere at all is told so, wherever the thing is. Whoever
holds it where the thing is may. Whoever sees the thing, by any permission there, is told that this
one is missing here; for all others there is no such thing. An import tells so row by row.

ScoDoc face: only what is held everywhere counts under the plain address, and also what is held in
the whole department under the address of a department. In that of another department the thing is
not there. Grants of one course count for nothing.

Open edX face: whoever may write the groups of the course may everything. Others are told the same
whether or not there is such a course, but where the platform looks for it first (``found``).
"""

from enum import StrEnum
from typing import Final

from .callers import Caller
from .declared import PLACES_OF, Row

ADDRESSES: Final = ("plain", "own department", "other department", "no department")
READ: Final = frozenset({"groups:read"})


class Outcome(StrEnum):
    ALLOWED = "allowed"
    # Held nowhere; held, but not here; no such thing.
    FORBIDDEN = "forbidden"
    FORBIDDEN_HERE = "forbidden here"
    ABSENT = "absent"
    # A list that has nothing of the course, an import whose rows are all refused.
    NOTHING = "nothing"
    LOCKED = "locked"
    NOT_EDITABLE = "not editable"
    NO_DEPARTMENT = "no department"


def v1(row: Row, caller: Caller) -> Outcome:
    if row.where == "nowhere":
        return Outcome.ALLOWED
    places = PLACES_OF[row.where]
    may = caller.holds(row.needs, places)
    if row.kind in ("person", "somebody"):
        # Who is known may ask; whom they find is another question.
        sees = caller.is_in(places) or row.kind == "somebody"
        return _decided(may=may, sees=sees)
    if not caller.holds(row.needs):
        return Outcome.FORBIDDEN
    seen = PLACES_OF[row.sees or row.where]
    if row.kind in ("lists", "imports"):
        told = row.kind == "imports" and caller.is_in(seen)
        outcome = Outcome.FORBIDDEN_HERE if told else Outcome.NOTHING
        return Outcome.ALLOWED if may else outcome
    if row.kind == "hidden":
        return _decided(may=may, sees=False)
    return _decided(may=may, sees=row.where == "everywhere" or caller.is_in(seen))


def scodoc(row: Row, caller: Caller, address: str) -> Outcome:
    places = {
        "plain": frozenset({"everywhere"}),
        "own department": frozenset({"everywhere", "own department"}),
        "other department": frozenset({"everywhere", "other department"}),
        "no department": frozenset[str](),
    }[address]
    if address == "no department":
        return Outcome.NO_DEPARTMENT
    if not caller.holds(row.needs, places):
        return Outcome.FORBIDDEN
    if address != "other department":
        return Outcome.ALLOWED
    return Outcome.NOTHING if row.kind == "lists" else Outcome.ABSENT


def openedx(row: Row, caller: Caller) -> Outcome:
    places = PLACES_OF[row.where]
    if caller.holds(row.needs, places):
        return Outcome.ALLOWED
    if row.kind == "page" or (row.kind == "staff" and caller.holds(READ, places)):
        return Outcome.ABSENT
    return Outcome.FORBIDDEN


def expected(face: str, row: Row, caller: Caller, state: str, address: str) -> Outcome:
    """Who may is asked first, then whether it can be done just now."""
    if face == "v1":
        outcome = v1(row, caller)
    elif face == "scodoc":
        outcome = scodoc(row, caller, address)
    else:
        outcome = openedx(row, caller)
    if outcome is not Outcome.ALLOWED:
        return outcome
    if state == "locked" and row.while_ != "always":
        return Outcome.LOCKED
    if state == "not editable" and row.while_ == "editable":
        return Outcome.NOT_EDITABLE
    return Outcome.ALLOWED


def _decided(*, may: bool, sees: bool) -> Outcome:
    if may:
        return Outcome.ALLOWED
    return Outcome.FORBIDDEN_HERE if sees else Outcome.ABSENT
