"""What an import does only when it is told to: it could ruin what is there, or be a mistake."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, Literal, get_args

from groupsvc.domain.errors import ConflictError, InvalidError
from groupsvc.domain.lookalikes import MOST_NEAR, How

Danger = Literal["damaged", "lookalike", "stale", "large"]
Accepted = frozenset[Danger]

DANGERS: Final[tuple[Danger, ...]] = get_args(Danger)
NOTHING: Final[Accepted] = frozenset()
# Said of a row that is done all the same.
NOTES: Final[dict[How, str]] = {
    "lookalike": "read as {}, which looks alike",
    "damaged": "read as the undamaged number of {}",
    "former_name": "a former name of {}",
}
ALLOWED_BY: Final[dict[How, Danger]] = {"lookalike": "lookalike", "former_name": "stale"}
FEW: Final = 5  # people whom a list may always take out, withdraw or erase something of
MOST_PERCENT: Final = 20

Note = tuple[str, str]  # code, message


def accepted(text: str | None) -> Accepted:
    """Dangers that are named with commas between. Raises InvalidError for anything else."""
    given = {each.strip() for each in (text or "").split(",")} - {""}
    found = frozenset[Danger](each for each in DANGERS if each in given)
    if len(found) != len(given):
        raise InvalidError(
            f"what can be accepted is {', '.join(DANGERS)}", code="invalid_accept", pointer="accept"
        )
    return found


def note(how: How, name: str) -> Note:
    return how, NOTES[how].format(name)


def reused(bearer: str) -> Note:
    """Of a name that is somebody's, and was another's before."""
    return "reused_name", f"{bearer} was called so before"


def both(one: Note | None, other: Note) -> Note:
    """What is said of a row that has two names of the kind; the code is that of the first."""
    return other if one is None else (one[0], f"{one[1]}; {other[1]}")


def together(ones: Mapping[int, Note], others: Mapping[int, Note]) -> dict[int, Note]:
    """What is said of rows, by line."""
    return {**ones, **{line: both(ones.get(line), said) for line, said in others.items()}}


def ambiguous(what: str, near: Collection[str]) -> ConflictError:
    return _with_near(f"several {what}s may be meant", f"ambiguous_{what}", near)


def passed_on(what: str) -> ConflictError:
    message = f"another row gives this name to somebody else, so that either {what} may be meant"
    return ConflictError(message, code=f"ambiguous_{what}")


def looks_alike(what: str, near: Collection[str]) -> ConflictError:
    return _with_near(f"this looks like another {what}", "lookalike", near)


def is_former(what: str, near: Collection[str]) -> ConflictError:
    return _with_near(f"this was the name of another {what}", "stale", near)


def damaged(column: str, near: Collection[str] = ()) -> ConflictError:
    message = f"{column} looks as if a spreadsheet had damaged it"
    return _with_near(message, "damaged", near)


def taken_damaged(columns: Collection[str]) -> Note:
    told = "looks as if a spreadsheet had damaged it, and counts as it is"
    if len(columns) > 1:
        told = "look as if a spreadsheet had damaged them, and count as they are"
    return "damaged", f"{' and '.join(columns)} {told}"


REFUSALS: Final[dict[Danger, Callable[[str, Collection[str]], ConflictError]]] = {
    "damaged": damaged,
    "lookalike": looks_alike,
    "stale": is_former,
}


def _with_near(message: str, code: str, near: Collection[str]) -> ConflictError:
    names = sorted(near)[:MOST_NEAR]
    return ConflictError(
        f"{message}: {', '.join(names)}" if names else message, code=code, near=names
    )


def is_large(lost: int, before: int) -> bool:
    """Whether more go than a list usually takes away: then it is rather the wrong list."""
    return lost > FEW and lost * 100 > before * MOST_PERCENT


def large(lost: int, before: int, words: str) -> ConflictError:
    return ConflictError(f"{lost} of {before} {words}", code="large")
