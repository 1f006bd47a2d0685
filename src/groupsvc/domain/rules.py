"""The rules that Python decides, each once, and the refusal that each of them stands for.

The database enforces the same rules for whatever gets past or races (``sql/schema``);
``db/constraints.py`` gives its refusals the words that stand here. The table in
``docs/architecture.md`` leads from each rule to its function, its constraint and its test.
"""

from datetime import date

from groupsvc.domain.errors import (
    ConflictError,
    FullError,
    InvalidError,
    LastRandomCohortError,
    LockedError,
    NameTakenError,
    NotEditableError,
    NotEnrolledError,
)


def course_locked() -> LockedError:
    return LockedError("the course is locked")


def refuse_if_locked(is_locked: bool) -> None:
    """A locked course refuses every change to its partitions, groups and memberships."""
    if is_locked:
        raise course_locked()


def not_editable() -> NotEditableError:
    return NotEditableError("the groups of this partition are not editable")


def refuse_if_not_editable(groups_editable: bool) -> None:
    """A partition that says so refuses to create, rename and delete its groups."""
    if not groups_editable:
        raise not_editable()


def default_partition(words: str) -> ConflictError:
    return ConflictError(words, code="default_partition")


def refuse_if_default(kind: str, what: str = "group") -> None:
    """The default partition and its group follow the roster and cannot be edited."""
    if kind == "default":
        raise default_partition(f"the default {what} is derived from the roster")


def not_enrolled() -> NotEnrolledError:
    return NotEnrolledError("the user is not enrolled in the course")


def refuse_if_not_enrolled(is_enrolled: bool) -> None:
    """Only enrolled users are in groups, but for cohorts, which take any known user."""
    if not is_enrolled:
        raise not_enrolled()


def takes_anybody(kind: str) -> bool:
    return kind == "cohorts"


def group_full() -> FullError:
    return FullError("the group has no place left")


def is_overfull(capacity: int | None, taken: int) -> bool:
    """A group with a capacity is never over it."""
    return capacity is not None and taken > capacity


def capacity_below_members() -> FullError:
    return FullError("the group has more members than that")


def refuse_if_below_members(capacity: int | None, before: int | None, members: int) -> None:
    """A capacity is not lowered below the members that the group has."""
    if capacity is not None and capacity != before and capacity < members:
        raise capacity_below_members()


def name_taken(words: str) -> NameTakenError:
    """A name is used once: departments, users, courses, partitions, groups and accounts."""
    return NameTakenError(words)


def kind_taken() -> ConflictError:
    """A course has one tracks partition and one cohorts partition at most."""
    return ConflictError("the course has a partition of this kind already", code="kind_taken")


def tracks_not_editable() -> ConflictError:
    """The groups of a tracks partition follow the declared tracks."""
    return ConflictError(
        "the groups of a tracks partition are never editable", code="tracks_partition"
    )


def keeps_its_name(kind: str) -> ConflictError:
    return ConflictError("this partition keeps its name", code=f"{kind}_partition")


def refuse_if_keeps_its_name(kind: str, before: str | None, name: object) -> None:
    """The default partition, tracks and cohorts keep the names that they have."""
    if kind != "ordinary" and name != before:
        raise keeps_its_name(kind)


def name_reserved() -> ConflictError:
    return ConflictError("this name is kept for the tracks", code="reserved_name")


def is_name_reserved(kind: str, name: str, tracks_name: str) -> bool:
    """What readers call the tracks partition is the name of no other one."""
    return name == tracks_name and kind != "tracks"


def refuse_if_name_is_reserved(kind: str, name: str, tracks_name: str) -> None:
    if is_name_reserved(kind, name, tracks_name):
        raise name_reserved()


def last_random() -> LastRandomCohortError:
    return LastRandomCohortError("one cohort must take users at random")


def refuse_if_last_random(is_last: bool) -> None:
    """Once a course has a cohort that takes users at random, it keeps one.

    Deleting it is another matter: the next one who comes has the default cohort made anew.
    """
    if is_last:
        raise last_random()


def ends_before_it_starts() -> InvalidError:
    return InvalidError(
        "the course ends before it starts", code="invalid_dates", pointer="#/ends_on"
    )


def refuse_if_ends_before_it_starts(starts_on: date | None, ends_on: date | None) -> None:
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        raise ends_before_it_starts()
