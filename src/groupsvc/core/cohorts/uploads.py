"""Uploads of tables that put users into cohorts: checked at once, done later as a job.

The cases are in docs/compat/openedx.md, "CSV upload".
"""

import asyncio
import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from groupsvc.core.cohorts.add_result import unmatched
from groupsvc.core.jobs.repository import Progress
from groupsvc.core.memberships.planning import AssignmentRequest, RowResult
from groupsvc.core.memberships.service import plan_requests, write_plan
from groupsvc.core.service import Service
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.identifiers import find_people, lookup_text
from groupsvc.domain import rules
from groupsvc.domain.errors import InvalidError, NotFoundError
from groupsvc.domain.json_resource import JsonResource, Page
from groupsvc.domain.limits import LARGEST
from groupsvc.domain.principal import Permission
from groupsvc.domain.vocabulary import UploadWords

KIND: Final = "cohort_upload"
NO_RESULT: Final[Mapping[str, Any]] = {"cohorts": [], "without_identifier": 0, "error": None}
NEWEST: Final = LARGEST
# As a spreadsheet has. Faces that take no more than two megabytes have no room for so many.
MOST_LINES: Final = 1_048_576

NO_COHORT: Final = "The file must contain a 'cohort' column containing cohort names."
NO_IDENTIFIER: Final = "The file must contain a 'username' column, an 'email' column, or both."


class UnusableUploadError(InvalidError):
    """The file as a whole is refused."""

    code = "unusable_upload"


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An empty ``identifier`` or ``cohort`` is one that the row does not have."""

    identifier: str
    cohort: str


class CohortUploadService(Service):
    """Whoever may write the groups of a course uploads to it and reads what became of that."""

    async def accept_for_key(self, key: str, content: bytes) -> None:
        """Accept a table for a course; for an unknown one there is nothing to do.

        Raises UnusableUploadError, then ForbiddenError.
        """
        total = await _count(content)
        found = await self._uow.cohorts.find_settings(key)
        if found is None:
            return
        course = found.course
        self._require(Permission.GROUPS_WRITE, course.department, course.course)
        await self._enqueue(course.course_id, content, total)

    async def accept(self, course_id: int, content: bytes) -> JsonResource[dict[str, Any]]:
        """Accept a table for a course; returns the job.

        Raises NotFoundError, ForbiddenError, LockedError or UnusableUploadError, in this order.
        """
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_WRITE, course.department, course.key)
        self._refuse_if_locked(course.is_locked)
        job_id = await self._enqueue(course.id, content, await _count(content))
        document = await self._uow.jobs.read(job_id)
        assert document is not None
        return document

    async def read(self, job_id: int) -> JsonResource[dict[str, Any]]:
        return self._authorize_read(
            await self._uow.jobs.read(job_id), "job", Permission.GROUPS_WRITE
        )

    async def page(self, course_id: int, *, before: int | None, limit: int) -> Page:
        """The jobs of a course, newest first."""
        course = await self._uow.courses.find(course_id)
        if course is None:
            raise NotFoundError("no such course")
        self._require(Permission.GROUPS_WRITE, course.department, course.key)
        return await self._uow.jobs.page(course.id, before=before or NEWEST, limit=limit)

    async def _enqueue(self, course_id: int, content: bytes, total: int) -> int:
        return await self._uow.jobs.enqueue(
            course_id, KIND, content, total=total, result=dict(NO_RESULT)
        )


async def _count(content: bytes) -> int:
    return len(await asyncio.to_thread(read_rows, content))


def read_rows(content: bytes) -> Sequence[UploadRow]:
    """The rows of a table, top to bottom. A byte order mark and any line ends are fine.

    Names in the header are exact; other columns and the order do not matter. Raises
    UnusableUploadError for what is not UTF-8 and for a header that lacks a column.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableUploadError(str(error)) from error
    lines: list[list[str]] = []
    try:
        for cells in csv.reader(io.StringIO(text, newline="")):
            if cells or not lines:
                lines.append(cells)
            if len(lines) > MOST_LINES:
                raise UnusableUploadError(f"The file has more than {MOST_LINES} lines.")
    except csv.Error as error:
        raise UnusableUploadError(f"The file is not a table: {error}") from error
    header = lines[0] if lines else []
    if "cohort" not in header:
        raise UnusableUploadError(NO_COHORT)
    if "email" not in header and "username" not in header:
        raise UnusableUploadError(NO_IDENTIFIER)
    return [_row(dict(zip(header, cells, strict=False))) for cells in lines[1:]]


def _row(cells: Mapping[str, str]) -> UploadRow:
    # In the form of stored names.
    cohort = unicodedata.normalize("NFC", (cells.get("cohort") or "").strip())
    return UploadRow(cells.get("email") or cells.get("username") or "", cohort)


async def write_rows(
    uow: UnitOfWork, course_id: int, rows: Sequence[UploadRow], progress: Progress
) -> None:
    """Put the users of some rows into their cohorts, and count what became of each row.

    The last row of a user wins. Raises LockedError, or NotFoundError without the course.
    """
    course = await uow.cohorts.get_course_for_update(course_id)
    if course is None:
        raise NotFoundError("no such course")
    rules.refuse_if_locked(course.is_locked)
    partition_id = course.partition_id or 0
    groups = await uow.memberships.occupancy(course_id, partition_id) if partition_id else {}
    cohorts = {group.name: group_id for group_id, group in groups.items()}
    people = await find_people(uow, (row.identifier for row in rows))
    requests: list[AssignmentRequest] = []
    for line, row in enumerate(rows):
        person, group_id = people.get(lookup_text(row.identifier) or ""), cohorts.get(row.cohort)
        if person is not None and group_id is not None:
            requests.append(AssignmentRequest(line, person.id, group_id))
    planned = await plan_requests(
        uow, course_id, partition_id, requests, groups, enrolled_only=False
    )
    await write_plan(uow, course_id, partition_id, planned)
    answers = {answer.line: answer for answer in planned.answers}
    report = _Report(progress, uow.vocabulary.upload)
    waiting: list[tuple[str, int]] = []
    for line, row in enumerate(rows):
        group_id = cohorts.get(row.cohort)
        if report.count(row, answers.get(line), exists=group_id is not None):
            waiting.append((row.identifier, group_id or 0))
    if waiting:
        await uow.cohorts.preassign(course_id, partition_id, waiting)


class _Report:
    """Counts rows, and names identifiers in the result of a job: once in each list."""

    def __init__(self, progress: Progress, words: UploadWords) -> None:
        self._progress, self._words = progress, words
        self._cohorts: dict[str, dict[str, Any]] = {
            each[words.cohort]: each for each in progress.result["cohorts"]
        }
        self._named: dict[int, set[str]] = {}

    def count(self, row: UploadRow, answer: RowResult | None, *, exists: bool) -> bool:
        """Returns whether the identifier is an address that is to wait."""
        progress, cohort = self._progress, self._cohort(row.cohort, exists)
        progress.attempted += 1
        if not row.identifier:
            progress.result["without_identifier"] += 1
        if not row.identifier or not exists:
            progress.failed += 1
        elif answer is None:
            return self._count_unmatched(row.identifier, cohort)
        elif answer.result == "unchanged":
            progress.skipped += 1
        elif answer.result == "refused":
            progress.failed += 1
            self._name(cohort[self._words.refused], row.identifier)
        else:
            progress.succeeded += 1
            cohort[self._words.added] += 1
        return False

    def _count_unmatched(self, identifier: str, cohort: dict[str, Any]) -> bool:
        outcome = unmatched(identifier)
        self._name(cohort[getattr(self._words, outcome)], identifier)
        is_waiting = outcome == "preassigned"
        self._progress.preassigned += is_waiting
        self._progress.failed += not is_waiting
        return is_waiting

    def _cohort(self, name: str, exists: bool) -> dict[str, Any]:
        words, text = self._words, _storable(name)
        if text not in self._cohorts:
            cohort: dict[str, Any] = {words.cohort: text, "exists": exists, words.added: 0}
            for each in (words.unknown, words.invalid, words.preassigned, words.refused):
                cohort[each] = []
            self._cohorts[text] = cohort
            self._progress.result["cohorts"].append(cohort)
        return self._cohorts[text]

    def _name(self, identifiers: list[str], identifier: str) -> None:
        text = _storable(identifier)
        named = self._named.setdefault(id(identifiers), set(identifiers))
        if text not in named:
            named.add(text)
            identifiers.append(text)


def _storable(text: str) -> str:
    """JSON in the database has no NUL."""
    return text.replace("\x00", "\ufffd")
