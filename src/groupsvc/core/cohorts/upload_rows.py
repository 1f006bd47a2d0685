"""The rows of an upload, put into cohorts some at a time: docs/compat/openedx.md, "CSV upload"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.core.cohorts.add_result import Additions, looked_up, stranger
from groupsvc.core.cohorts.members import meant_by
from groupsvc.core.cohorts.upload_file import UploadRow
from groupsvc.core.jobs.repository import Progress
from groupsvc.core.memberships.planning import Answer, AssignmentRequest, Plan, plan
from groupsvc.core.memberships.repository import GroupOccupancy
from groupsvc.core.memberships.service import write_plan
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.records import Person
from groupsvc.domain import rules
from groupsvc.domain.errors import NotFoundError

# The lists of one cohort in the result, and where an identifier that nobody has goes.
LISTS: Mapping[str, str] = {
    "unknown": "learners_not_found",
    "invalid": "invalid_email_addresses",
    "preassigned": "preassigned_learners",
}
NOT_ALLOWED = "learners_not_allowed"


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: Sequence[UploadRow]
    cohorts: Mapping[str | None, int]
    people: Mapping[str, Person]
    plan: Plan
    answers: Mapping[int, Answer]


class _Telling:
    """Adds to the lists of the result what they do not have yet, without searching them."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], set[str]] = {}

    def tell(self, told: dict[str, Any], list_name: str, identifier: str) -> None:
        given, place = _text(identifier), (told["cohort_name"], list_name)
        known = self._told.get(place)
        if known is None:
            known = self._told[place] = set(told[list_name])
        if given not in known:
            known.add(given)
            told[list_name].append(given)


async def take_rows(
    uow: UnitOfWork, course_id: int, rows: Sequence[UploadRow], progress: Progress
) -> None:
    """Put the users of some rows into their cohorts, and count what became of each row.

    The last row of a user wins. Raises LockedError, or NotFoundError without the course.
    """
    place = await uow.cohort_members.get_editable_course(course_id)
    if place is None:
        raise NotFoundError("no such course")
    rules.refuse_if_locked(place.is_locked)
    room: dict[int, GroupOccupancy] = {}
    if place.partition_id is not None:
        room = await uow.memberships.room(course_id, place.partition_id)
    sought = {key: None for row in rows if (key := looked_up(row.identifier)) is not None}
    people = await meant_by(uow, sought) if sought else {}
    partition_id = place.partition_id or 0
    batch = await _decide(uow, course_id, partition_id, rows, room, people)
    if batch.plan.entering:
        await write_plan(uow, course_id, partition_id, batch.plan)
    waiting = _count(batch, progress)
    if waiting:
        await uow.cohort_members.expect(course_id, partition_id, waiting)


async def _decide(
    uow: UnitOfWork,
    course_id: int,
    partition_id: int,
    rows: Sequence[UploadRow],
    room: dict[int, GroupOccupancy],
    people: Mapping[str, Person],
) -> _Batch:
    cohorts = {group.name: group_id for group_id, group in room.items()}
    wishes: list[AssignmentRequest] = []
    for line, row in enumerate(rows):
        person, group_id = people.get(looked_up(row.identifier) or ""), cohorts.get(row.cohort)
        if person is not None and group_id is not None:
            wishes.append(AssignmentRequest(line, person.id, group_id))
    users = sorted({wish.user_id for wish in wishes if wish.user_id is not None})
    standing = await uow.memberships.standing(course_id, partition_id, users) if users else {}
    made = plan(wishes, standing, room, enrolled_only=False)
    answers = {answer.line: answer for answer in made.answers}
    return _Batch(rows, cohorts, people, made, answers)


def _count(batch: _Batch, progress: Progress) -> list[tuple[str, int]]:
    """Add to the counters and to the result; answers who is to wait in which cohort."""
    waiting: list[tuple[str, int]] = []
    known = {each["cohort_name"]: each for each in progress.result["cohorts"]}
    telling = _Telling()
    for line, row in enumerate(batch.rows):
        progress.attempted += 1
        group_id, answer = batch.cohorts.get(row.cohort), batch.answers.get(line)
        told = known.get(_text(row.cohort))
        if told is None:
            told = known[_text(row.cohort)] = _untold(row.cohort, exists=group_id is not None)
            progress.result["cohorts"].append(told)
        if not row.identifier:
            progress.result["without_identifier"] += 1
            progress.failed += 1
        elif group_id is None:
            progress.failed += 1
        elif answer is not None:
            _count_known(progress, telling, told, row, answer)
        elif _count_stranger(progress, telling, told, row):
            waiting.append((row.identifier, group_id))
    return waiting


def _count_known(
    progress: Progress, telling: _Telling, told: dict[str, Any], row: UploadRow, answer: Answer
) -> None:
    if answer.result == "unchanged":
        progress.skipped += 1
    elif answer.result == "refused":
        progress.failed += 1
        telling.tell(told, NOT_ALLOWED, row.identifier)
    else:
        progress.succeeded += 1
        told["learners_added"] += 1


def _count_stranger(
    progress: Progress, telling: _Telling, told: dict[str, Any], row: UploadRow
) -> bool:
    """Whether the identifier is an address that is to wait."""
    sorted_out = Additions()
    stranger(sorted_out, row.identifier)
    for name, list_name in LISTS.items():
        if getattr(sorted_out, name):
            telling.tell(told, list_name, row.identifier)
    if sorted_out.preassigned:
        progress.preassigned += 1
    else:
        progress.failed += 1
    return bool(sorted_out.preassigned)


def _untold(name: str, *, exists: bool) -> dict[str, Any]:
    lists: dict[str, list[str]] = {each: [] for each in (*LISTS.values(), NOT_ALLOWED)}
    return {"cohort_name": _text(name), "exists": exists, "learners_added": 0, **lists}


def _text(given: str) -> str:
    """What the result can hold: JSON in the database has no NUL."""
    return given.replace("\x00", "\ufffd")
