"""What becomes of usernames and e-mail addresses that are added to a cohort. Pure."""

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Literal

from groupsvc.core.memberships.repository import Entry
from groupsvc.core.users.identifiers import lookup_text
from groupsvc.core.users.records import Person
from groupsvc.domain.email_addresses import is_address

Unmatched = Literal["unknown", "preassigned", "invalid"]


@dataclass(frozen=True, slots=True)
class MovedUser:
    """``previous`` is the name of the cohort that the user was in."""

    person: Person
    previous: str | None


@dataclass(frozen=True, slots=True)
class AddResult:
    """Each list in the order of the identifiers: docs/compat/openedx.md, "Adding users"."""

    added: list[Person] = field(default_factory=list[Person])
    moved: list[MovedUser] = field(default_factory=list[MovedUser])
    present: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    unmatched: dict[Unmatched, list[str]] = field(
        default_factory=lambda: {"unknown": [], "preassigned": [], "invalid": []}
    )


def sort_out(
    identifiers: Sequence[object],
    people: Mapping[str, Person],
    entries: Mapping[int, Entry],
    refused: Set[int],
) -> AddResult:
    """Say of every identifier what became of it: of several for one user the first decides."""
    result, seen = AddResult(), set[int]()
    for identifier in identifiers:
        if not isinstance(identifier, str):
            result.unmatched["unknown"].append(json.dumps(identifier))
            continue
        person = people.get(lookup_text(identifier) or "")
        if person is None:
            result.unmatched[unmatched(identifier)].append(identifier)
            continue
        if person.id in refused:
            result.refused.append(identifier)
        elif person.id in seen or (entry := entries.get(person.id)) is None:
            result.present.append(identifier)
        elif entry.previous_id is None:
            result.added.append(person)
        else:
            result.moved.append(MovedUser(person, entry.previous_name))
        seen.add(person.id)
    return result


def unmatched(identifier: str) -> Unmatched:
    """Nobody has this name or address. An address counts as it was given, spaces and all."""
    if "@" not in identifier:
        return "unknown"
    return "preassigned" if is_address(identifier) else "invalid"
