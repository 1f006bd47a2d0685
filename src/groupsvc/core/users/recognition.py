"""Who is meant by a text in a list that is nobody's name, address or number as it stands."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Candidate, Person, Sought
from groupsvc.domain.lookalikes import How, differ_by_damage, lookalike, similar
from groupsvc.domain.principal import Place, Principal

Named = tuple[str, str | None]  # a text, and the department that decides among several numbers


@dataclass(slots=True)
class Recognised:
    """Who is meant and how that was found; nobody when several may be, who are ``near``."""

    person: Person | None
    how: How = "exact"
    near: tuple[str, ...] = ()


async def recognise(
    uow: UnitOfWork, principal: Principal, named: Collection[Named]
) -> dict[Named, Recognised]:
    """Users by username, e-mail address or number; failing that by what looks like it.

    What matches as it stands always wins. Then come names that look alike, numbers that a
    spreadsheet has damaged and names that somebody had before, each if one person alone fits.
    Texts that are nobody's are left out. Refusals name only users whom the caller may know of.
    """
    called = await uow.users.by_username({text for text, _ in named}) if named else {}
    found = {key: Recognised(called[key[0]]) for key in named if key[0] in called}
    others = [key for key in named if key not in found]
    exact = await uow.users.identify(others) if others else {}
    found |= {key: Recognised(person) for key, person in exact.items()}
    missing = [key for key in others if key not in exact]
    if missing:
        sought = {text: Sought(text, similar(text)) for text, _ in missing}
        candidates = await uow.users.candidates(dict.fromkeys(sought.values()))
        for key in missing:
            near = candidates.get(sought[key[0]], ())
            judged = choose(key, near, lambda each: sees(principal, each))
            if judged is not None:
                found[key] = judged
    return found


def sees(principal: Principal, candidate: Candidate) -> bool:
    if candidate.department is None:
        return principal.visible_scope.everywhere
    return principal.sees(Place(candidate.department))


def choose(
    key: Named, candidates: Sequence[Candidate], in_sight: Callable[[Candidate], bool]
) -> Recognised | None:
    text, department = key
    for how, fits in FITS.items():
        fitting = {each.person.id: each for each in candidates if fits(text, each)}
        if len(fitting) > 1 and how == "damaged":
            own = {key: each for key, each in fitting.items() if each.department == department}
            fitting = own if len(own) == 1 else fitting
        if len(fitting) == 1:
            (only,) = fitting.values()
            return Recognised(only.person, how)
        if fitting:
            names = [each.person.username for each in fitting.values() if in_sight(each)]
            return Recognised(None, how, tuple(names))
    return None


def is_called(text: str, candidate: Candidate) -> bool:
    """As of somebody who was created after the names were looked up as they stand."""
    return candidate.former is None and candidate.person.username == text


def looks_alike(text: str, candidate: Candidate) -> bool:
    wanted, person = lookalike(text), candidate.person
    return candidate.former is None and (
        lookalike(person.username) == wanted
        or (person.email is not None and lookalike(person.email) == wanted)
    )


def has_number(text: str, candidate: Candidate) -> bool:
    numbers = (candidate.student_number, candidate.national_number)
    return any(number is not None and differ_by_damage(text, number) for number in numbers)


def had_name(text: str, candidate: Candidate) -> bool:
    return candidate.former is not None and lookalike(candidate.former) == lookalike(text)


FITS: Final[Mapping[How, Callable[[str, Candidate], bool]]] = {
    "exact": is_called,
    "lookalike": looks_alike,
    "damaged": has_number,
    "former_name": had_name,
}
