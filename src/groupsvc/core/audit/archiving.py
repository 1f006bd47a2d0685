"""Old lines of the change log go to files, with the seals that hold for them there as well."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

from groupsvc.core.audit import archives
from groupsvc.core.audit.repository import Archive, AuditRepository, first_after
from groupsvc.core.audit.seals import Line, fault_of_lines
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import ConflictError

SEALS_OF_A_FILE: Final = 20
NUMBERS_AT_ONCE: Final = 10_000


async def archive_some(uow: UnitOfWork, directory: Path, days: int) -> Archive | None:
    """Write the oldest lines that are in no file yet, if they were sealed so many days ago.

    Raises ConflictError for lines that are not as they were sealed.
    """
    await uow.begin()
    audit = uow.repository(AuditRepository)
    if not await audit.take_turn():
        return None
    due = await audit.due(days, SEALS_OF_A_FILE)
    if not due:
        return None
    parts: list[list[Line]] = []
    before = await audit.seal_before(due[0].id)
    for seal in due:
        lines = await audit.lines(first_after(before), seal.last_seq)
        fault = await asyncio.to_thread(fault_of_lines, seal, lines)
        if fault is not None:
            raise ConflictError(f"nothing was archived: {fault}")
        parts.append(lines)
        before = seal
    written = await asyncio.to_thread(archives.write, directory, parts)
    await audit.add_archive(written)
    return written


async def removals(audit: AuditRepository) -> AsyncGenerator[int]:
    """Delete what is in files, of courses that are gone; a part of it at a time.

    Lines of a course stay as long as the course: answers about its past are made of them.
    """
    files = await audit.archives()
    first = await audit.first_line()
    if not files or first is None:
        return
    for after in range(first - 1, files[-1].last_seq, NUMBERS_AT_ONCE):
        last_seq = min(after + NUMBERS_AT_ONCE, files[-1].last_seq)
        yield await audit.remove_archived(after, last_seq)
