"""The headers of tables: which kind each one is of, and which columns it names."""

from collections.abc import Sequence
from dataclasses import replace

from groupsvc.import_export.columns import Kind
from groupsvc.import_export.kinds import KINDS
from groupsvc.import_export.tables import Table, UnusableTableError


def kind_of(header: Sequence[str]) -> Kind:
    """The kind of table that a header belongs to, or comes nearest to.

    Raises UnusableTableError when it has no column of any.
    """

    def nearness(kind: Kind) -> tuple[bool, int]:
        named = set(kind.named(header))
        return kind.required <= named <= set(kind.columns), len(named & set(kind.columns))

    nearest = max(KINDS, key=nearness)
    if nearness(nearest) == (False, 0):
        known = ", ".join(kind.name for kind in KINDS)
        raise UnusableTableError(f"the header is of none of the tables {known}", 1)
    return nearest


def fit(table: Table, kind: Kind) -> Table:
    """The table with the names of the columns of its kind.

    Raises UnusableTableError, which says what is missing or in the way.
    """
    fitted = replace(table, header=kind.named(table.header))
    missing = [name for name in kind.columns if name in kind.required - set(fitted.header)]
    if missing:
        raise UnusableTableError(
            f"a table of {kind.name} needs the columns {', '.join(missing)}", 1
        )
    unknown = [place for place, name in enumerate(fitted.header, 1) if name not in kind.columns]
    if unknown:
        raise UnusableTableError(
            f"a table of {kind.name} has no such column as its number "
            f"{', '.join(map(str, unknown))}; it has {', '.join(kind.columns)}",
            1,
        )
    return fitted


def renamed(header: Sequence[str], kind: Kind) -> dict[str, str]:
    """Columns by the names that a header has for them, where these are others."""
    pairs = zip(header, kind.named(header), strict=True)
    return {" ".join(given.split()): name for given, name in pairs if given != name}
