"""Rows of users who cannot all have what they bring."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from groupsvc.domain.errors import ConflictError, GroupsvcError
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import Note
from groupsvc.import_export.records import RosterPerson
from groupsvc.import_export.results import RowAnswer
from groupsvc.import_export.roster_claims import UNIQUE, Claim, claims_of, folded

NO_LINE: Final = (0,)


@dataclass(slots=True)
class History:
    """The rows of one user, and what becomes of them."""

    before: RosterPerson | None
    rows: list[tuple[int, Values]] = field(default_factory=list[tuple[int, Values]])
    conflicts: dict[int, GroupsvcError] = field(default_factory=dict[int, GroupsvcError])
    answers: list[RowAnswer] = field(default_factory=list[RowAnswer])
    after: RosterPerson | None = None
    places: dict[int, str] = field(default_factory=dict[int, str])
    brought: dict[Claim, list[int]] = field(default_factory=dict[Claim, list[int]])
    notes: dict[int, Note] = field(default_factory=dict[int, Note])

    def kept_claims(self) -> set[Claim]:
        return set(claims_so_far(self.after))

    def claims(self) -> set[Claim]:
        """Those of the user in the end, and those that they had for a while."""
        return self.kept_claims() | self.brought.keys()

    def lines_of(self, claim: Claim) -> Sequence[int]:
        """The rows that bring it; 0 when the user had it before."""
        return NO_LINE if claim in claims_so_far(self.before) else self.brought.get(claim, NO_LINE)


def claims_so_far(person: RosterPerson | None) -> list[Claim]:
    return claims_of(person) if person is not None else []


def gives(row: Values, claim: Claim) -> bool:
    """Whether a row says what its user has already since a row before."""
    column, place, value = claim
    if column == "username":
        return bool(row.get("new_username", row["username"]) == value)
    if column == "external_ids":
        return bool(row.get(column, {}).get(place) == value)
    given = row.get(column)
    return given is not None and (folded(given) if column == "email" else given) == value


def conflicts(
    contested: Iterable[tuple[Claim, Sequence[str]]], histories: Mapping[str, History]
) -> dict[str, dict[int, GroupsvcError]]:
    """Which rows of whom cannot have what they bring, in the order of the rows that have it.

    What a row that is refused just now would have is left for later: others may have it then.
    """
    judged: list[tuple[int, str, Claim, Mapping[str, Sequence[int]]]] = []
    for claim, names in contested:
        lines = {
            name: histories[name].lines_of(claim) if name in histories else NO_LINE
            for name in names
        }
        owners = [
            (lines[name][0], name)
            for name in names
            if name not in histories or claim in histories[name].kept_claims()
        ]
        if owners:
            judged.append((*min(owners), claim, lines))
    found: dict[str, dict[int, GroupsvcError]] = {}
    for line, owner, claim, bringing in sorted(judged, key=itemgetter(0, 1)):
        if line in found.get(owner, ()):
            continue
        code, message = UNIQUE[claim[0]]
        why = ConflictError(message, code=code)
        for name, own in bringing.items():
            keeps = name in histories and claim in histories[name].kept_claims()
            if name != owner and own[0] and (keeps or own[0] > line):
                found.setdefault(name, {}).update(dict.fromkeys(own, why))
    return found
