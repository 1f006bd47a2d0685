"""What becomes of usernames and e-mail addresses that are added to a cohort. Pure."""

import json
import unicodedata
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from groupsvc.core.memberships.repository import Entry
from groupsvc.core.users.records import Person
from groupsvc.domain.email_addresses import LONGEST, is_address


@dataclass(frozen=True, slots=True)
class Change:
    """A user who was moved, and the name of the cohort he was moved from."""

    person: Person
    previous: str | None


@dataclass(frozen=True, slots=True)
class Additions:
    """Each list in the order of the identifiers: docs/compat/openedx.md, "Adding users"."""

    added: list[Person] = field(default_factory=list[Person])
    changed: list[Change] = field(default_factory=list[Change])
    present: list[str] = field(default_factory=list[str])
    unknown: list[str] = field(default_factory=list[str])
    preassigned: list[str] = field(default_factory=list[str])
    invalid: list[str] = field(default_factory=list[str])
    not_allowed: list[str] = field(default_factory=list[str])


def looked_up(identifier: object) -> str | None:
    """What an identifier is looked up as; None for what can be nobody's."""
    if not isinstance(identifier, str):
        return None
    sought = identifier.strip()
    if not sought.isascii():
        sought = unicodedata.normalize("NFC", sought)
        if any("\ud800" <= char <= "\udfff" for char in sought):
            return None
    return sought if 0 < len(sought) <= LONGEST and "\x00" not in sought else None


def sort_out(
    identifiers: Sequence[object],
    people: Mapping[str, Person],
    entries: Mapping[int, Entry],
    refused: Set[int],
) -> Additions:
    """Say of every identifier what became of it: of several for one user the first decides."""
    additions, seen = Additions(), set[int]()
    for identifier in identifiers:
        person = people.get(looked_up(identifier) or "")
        if not isinstance(identifier, str):
            additions.unknown.append(json.dumps(identifier))
        elif person is None:
            stranger(additions, identifier)
        elif person.id in refused:
            additions.not_allowed.append(identifier)
        elif person.id in seen or (entry := entries.get(person.id)) is None:
            additions.present.append(identifier)
        elif entry.previous_id is None:
            additions.added.append(person)
        else:
            additions.changed.append(Change(person, entry.previous_name))
        if person is not None:
            seen.add(person.id)
    return additions


def stranger(additions: Additions, identifier: str) -> None:
    """Nobody has this name or address. An address counts as it was given, spaces and all."""
    if "@" not in identifier:
        additions.unknown.append(identifier)
    elif is_address(identifier):
        additions.preassigned.append(identifier)
    else:
        additions.invalid.append(identifier)
