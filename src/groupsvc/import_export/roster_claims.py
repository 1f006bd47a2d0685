"""Who has what one user alone can have: name, address, numbers in a department, ids elsewhere."""

from collections.abc import Iterable
from typing import Final

from groupsvc.domain.lookalikes import lookalike
from groupsvc.import_export.records import RosterPerson

UNIQUE: Final = {
    "username": ("name_taken", "a user has this name"),
    "external_ids": ("external_id_taken", "another user has this id there"),
    "email": ("email_taken", "another user has this e-mail address"),
    "student_number": ("number_taken", "another user of the department has this student number"),
    "national_number": ("number_taken", "another user of the department has this national number"),
}
Claim = tuple[str, str | None, str]  # column, department or system, value


class Claims:
    """Usernames by claim; more than one of them contest it."""

    def __init__(self) -> None:
        self._holders: dict[Claim, dict[str, None]] = {}
        self._contested: dict[Claim, None] = {}

    def add(self, username: str, claims: Iterable[Claim]) -> None:
        for claim in claims:
            holders = self._holders.setdefault(claim, {})
            holders[username] = None
            if len(holders) > 1:
                self._contested[claim] = None

    def remove(self, username: str, claims: Iterable[Claim]) -> None:
        for claim in claims:
            self._holders[claim].pop(username, None)

    def contested(self) -> list[tuple[Claim, list[str]]]:
        """Those that more than one have now."""
        self._contested = {
            claim: None for claim in self._contested if len(self._holders[claim]) > 1
        }
        return [(claim, list(self._holders[claim])) for claim in self._contested]


def folded(email: str) -> str:
    """As the database compares addresses: the letters of ASCII in lower case, no others."""
    return email.lower() if email.isascii() else "".join(map(_lower, email))


def claims_of(person: RosterPerson) -> list[Claim]:
    """What nobody else may have. Numbers are free outside departments."""
    claims: list[Claim] = [("username", None, person.username)]
    if person.email is not None:
        claims.append(("email", None, folded(person.email)))
    if person.department is not None:
        if person.student_number is not None:
            claims.append(("student_number", person.department, person.student_number))
        if person.national_number is not None:
            claims.append(("national_number", person.department, person.national_number))
    claims += (("external_ids", system, each) for system, each in person.external_ids.items())
    return claims


def _lower(char: str) -> str:
    return char.lower() if char.isascii() else char


def looks_like(email: str | None, stored: str | None) -> bool:
    """Whether an address differs from the stored one in what nobody sees, which is kept then."""
    if not email or not stored or folded(email) == folded(stored):
        return False
    return lookalike(email) == lookalike(stored)
