"""The headers of tables: what a file brings, and what its columns are."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from groupsvc.import_export.beside import FILLED, Beside
from groupsvc.import_export.columns import Kind, plain
from groupsvc.import_export.foreign.format import Format
from groupsvc.import_export.foreign.formats import BY_NAME, FORMATS
from groupsvc.import_export.kinds import KINDS, ROLES
from groupsvc.import_export.parts import BoundPart, Part, Take
from groupsvc.import_export.raw_rows import UnusableTableError
from groupsvc.import_export.tables import UNIT, Row, Table, with_rest

_SHOWN: Final = 30  # columns that a refusal names
_LONGEST: Final = 60
_OWN: Final = {
    kind.name: Part(
        kind,
        {column.name: Take((column.name, *column.aliases)) for column in kind.declared},
    )
    for kind in KINDS
}
# A spreadsheet of ours for two: who they are, and which group they are in.
_LIST: Final = (_OWN["roster"], replace(_OWN["assignments"], is_optional=True))
# What a list of groups may have of a roster besides who is meant.
_OF_GROUPS: Final = {"course_key", "department", "action", "key"}


class HeaderError(UnusableTableError):
    """``options`` are what a caller may say beside the file."""

    def __init__(self, message: str, *options: str) -> None:
        super().__init__(message, 1)
        self.options = tuple(dict.fromkeys(options))

    def add_advice(self, options: str) -> None:
        self.message = f"{self.message}; {options} may help"


@dataclass(frozen=True, slots=True)
class Understood:
    """What a file brings.

    ``columns`` are ours by what it calls them, where that is something else, ``ignored`` are those
    that are not read, and ``left_out`` are kinds of tables for which something is missing.
    """

    parts: tuple[BoundPart, ...]
    format: Format | None
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    left_out: Mapping[str, Sequence[str]]
    mapped: Collection[str]
    can_enroll: bool = False


class Header:
    """The names of a file's columns. Each has a key, by which it is looked for."""

    def __init__(self, given: Sequence[str], beside: Beside) -> None:
        self.given = tuple(" ".join(name.split()) for name in given)
        self.keys = tuple(_unique(map(plain, self.given)))
        self.beside = beside
        self.mapped = {
            ours: plain(theirs)
            for ours, theirs in beside.columns.items()
            if plain(theirs) in self.keys
        }

    def bind(self, part: Part, *, is_own: bool) -> BoundPart:
        kind = part.kind
        takes: dict[str, Take] = {}
        for name in kind.columns:
            # Of a file of another system, only what it cannot mean otherwise.
            default = Take((name,)) if name in ("course_key", "partition") else Take(())
            wanted = part.columns.get(name, default)
            if name in self.mapped:
                takes[name] = Take((self.mapped[name],))
            elif (found := wanted.within(self.keys)) is not None:
                takes[name] = found
        fills = {
            name: value
            for name, value in self.beside.fills().items()
            if name in kind.columns and not (is_own and name in takes)
        }
        if kind is ROLES and ("course_key" in takes or "course_key" in fills):
            fills.pop("department", None)
        if not is_own and "course_key" not in takes and "course_key" not in fills:
            takes.pop("state", None)
        return BoundPart(kind, takes, fills, self._several(part), self._spread(part, takes))

    def understand(self, parts: Sequence[BoundPart], foreign: Format | None) -> Understood:
        """Raises HeaderError when something is missing."""
        for part in parts:
            self._refuse_missing(part, foreign)
            self._refuse_twice(part)
        used = {key for part in parts for key in part.used}
        names = dict(zip(self.keys, self.given, strict=True))
        ours = {
            key: name
            for part in reversed(parts)
            for name, each in part.takes.items()
            for key in each.names
        }
        columns = {
            name: ours[key] for key, name in names.items() if key in ours and ours[key] != name
        }
        ignored = tuple(name for key, name in names.items() if key not in used and name)
        return Understood(tuple(parts), foreign, columns, ignored, {}, self.mapped)

    def _several(self, part: Part) -> tuple[str, str] | None:
        if part.several is None:
            return None
        names, between = part.several
        key = next((key for key in map(plain, names) if key in self.keys), None)
        return (key, between) if key is not None else None

    def _spread(self, part: Part, takes: Mapping[str, Take]) -> dict[str, str]:
        if not part.spread:
            return {}
        others = {key for each in takes.values() for key in each.names}
        others |= set(map(plain, part.spread))
        pairs = zip(self.keys, self.given, strict=True)
        return {key: name for key, name in pairs if key not in others and name}

    def _refuse_missing(self, part: BoundPart, foreign: Format | None) -> None:
        missing = part.missing()
        if not missing:
            return
        what = foreign.title if foreign is not None else f"a table of {part.kind.name}"
        options = [FILLED.get(name, "map") for name in missing]
        raise HeaderError(
            f"{what} needs the columns {', '.join(missing)}; {self.shown()}", *options, "map"
        )

    def _refuse_twice(self, part: BoundPart) -> None:
        counts = Counter(map(plain, self.given))
        if any(counts[key] > 1 for key in part.used):
            raise UnusableTableError("the header names a column twice", 1)

    def shown(self) -> str:
        names = [name[:_LONGEST] for name in self.given if name][:_SHOWN]
        more = ", ..." if len(self.given) > _SHOWN else ""
        return f"it has {', '.join(names)}{more}"


def understand(given: Sequence[str], beside: Beside, kind: Kind | None = None) -> Understood:
    """What a file with this header brings, or of that one ``kind`` alone.

    Raises UnusableTableError when nothing in it means anything, or not enough.
    """
    header = Header(given, beside)
    if beside.format is not None:
        return _of_format(header, BY_NAME[beside.format], kind)
    own = [header.bind(part, is_own=True) for part in _OWN.values() if kind in (None, part.kind)]
    exact = [part for part in own if _is_exact(header, part)]
    if exact:
        return header.understand([max(exact, key=lambda part: len(part.takes))], None)
    for each in sorted(FORMATS, key=lambda each: -len(each.tells)):
        if each.is_told_by(header.keys) and _brings(each, kind):
            return _of_format(header, each, kind)
    if kind is None and _is_list(header):
        return _chosen(header, _LIST, None, None)
    nearest = max(own, key=lambda part: (len(part.takes), not part.missing()))
    if not nearest.takes:
        known = ", ".join(each.name for each in KINDS)
        raise HeaderError(
            f"the header is of none of the tables {known}; {header.shown()}", "map", "columns"
        )
    return header.understand([nearest], None)


def rows_of(table: Table, part: BoundPart) -> Iterator[Row]:
    """The rows of a part, as they are read."""
    keys = tuple(_unique(map(plain, table.header)))
    if part.several is not None and part.several[1] == UNIT:
        table = with_rest(table)
    if not part.is_plain:
        for row in replace(table, header=keys).rows:
            yield from part.rows(row)
        return
    ours = {each.names[0]: name for name, each in part.takes.items()}
    # What is not read must not be taken for one of ours.
    header = tuple(ours.get(key, f"-{place}") for place, key in enumerate(keys))
    yield from replace(table, header=header).rows


def _of_format(header: Header, foreign: Format, kind: Kind | None) -> Understood:
    if not _brings(foreign, kind):
        raise HeaderError(f"{foreign.title} bring no {kind.name if kind else 'table'}", "format")
    return _chosen(header, foreign.parts, foreign, kind)


def _chosen(
    header: Header, parts: Sequence[Part], foreign: Format | None, kind: Kind | None
) -> Understood:
    chosen: list[BoundPart] = []
    left_out: dict[str, Sequence[str]] = {}
    for part in parts:
        is_asked = kind is part.kind
        if (kind is not None and not is_asked) or (
            part.enrolls and not (is_asked or header.beside.enroll)
        ):
            continue
        bound = header.bind(part, is_own=foreign is None)
        if part.is_optional and not is_asked and bound.missing():
            if "group" in bound.names:
                left_out[part.kind.name] = bound.missing()
            continue
        chosen.append(bound)
    enrolls = kind is None and any(part.enrolls for part in parts) and not header.beside.enroll
    understood = header.understand(chosen, foreign)
    return replace(understood, left_out=left_out, can_enroll=enrolls)


def _brings(foreign: Format, kind: Kind | None) -> bool:
    return kind is None or any(part.kind is kind for part in foreign.parts)


def _is_exact(header: Header, part: BoundPart) -> bool:
    """Whether it is the table as we write it, under whatever names."""
    named = {key for key, name in zip(header.keys, header.given, strict=True) if name}
    return (
        part.used >= named
        and not part.missing()
        and all(each.is_plain for each in part.takes.values())
    )


def _is_list(header: Header) -> bool:
    """Whether it says who the persons are, and in which groups."""
    roster, assignments = (header.bind(part, is_own=True) for part in _LIST)
    told = roster.takes.keys() - _OF_GROUPS
    return "group" in assignments.takes and len(told) > 1 and not roster.missing()


def _unique(keys: Iterator[str]) -> Iterator[str]:
    """Each once: the first of several has the name."""
    found: set[str] = set()
    for place, key in enumerate(keys):
        yield key if key not in found else f"{key} {place}"
        found.add(key)
