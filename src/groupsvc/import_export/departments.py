"""The departments that rows name, also where they are written otherwise."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.batches import BatchRepository
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import NOTHING, Note
from groupsvc.import_export.naming import Naming, Sees
from groupsvc.import_export.results import ReadRow


class NamedDepartments(NamedTuple):
    """``names`` go by acronym. The ``rows`` are in the acronyms that there are."""

    names: dict[str, str]
    rows: list[ReadRow]
    notes: dict[int, Note]


async def read_departments(
    uow: UnitOfWork, rows: Sequence[ReadRow], sees: Sees, is_literal: Callable[[Values], bool]
) -> NamedDepartments:
    """Rows that are literal are left as they are; those that may mean several are refused."""
    told = {
        line: row
        for line, row in rows
        if not isinstance(row, GroupsvcError) and "department" in row
    }
    batch = uow.repository(BatchRepository)
    acronyms = sorted({row["department"] for row in told.values()})
    names = await batch.departments(acronyms) if acronyms else {}
    others = {
        line: row
        for line, row in told.items()
        if row["department"] not in names and not is_literal(row)
    }
    if not others:
        return NamedDepartments(names, list(rows), {})
    missing = sorted({row["department"] for row in others.values()})
    meant = await Naming(uow, creates=False, accept=NOTHING).departments(missing, sees)
    if meant.names:
        names |= await batch.departments(sorted({*meant.names.values()}))
    notes = {
        line: meant.notes[row["department"]]
        for line, row in others.items()
        if row["department"] in meant.notes
    }
    refused = {
        line: meant.refusals[row["department"]]
        for line, row in others.items()
        if row["department"] in meant.refusals
    }
    for row in others.values():
        row["department"] = meant.names.get(row["department"], row["department"])
    return NamedDepartments(names, [(line, refused.get(line, row)) for line, row in rows], notes)
