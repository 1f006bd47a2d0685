"""What the rows of a table of assignments mean by the names that they use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import is_not

from groupsvc.core.users.recognition import Recognised
from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.assignment_plan import ResolvedRow
from groupsvc.import_export.dangers import Note, ambiguous, both, note
from groupsvc.import_export.naming import GroupKey, Meant, PartitionKey
from groupsvc.import_export.results import RowAnswer, refused


@dataclass(slots=True)
class NamedRows:
    """Rows in the names that are borne now; ``refused`` are those whose names mean several."""

    rows: list[ResolvedRow]
    notes: dict[int, Note] = field(default_factory=dict[int, Note])
    refused: dict[int, RowAnswer] = field(default_factory=dict[int, RowAnswer])

    def read_users(self, people: Mapping[tuple[str, str | None], Recognised]) -> None:
        """Rows keep what they call the user, who is looked up by it."""

        def read(row: ResolvedRow) -> ResolvedRow:
            found = people.get(row.named)
            if found is None or found.how == "exact":
                return row
            if found.person is None:
                raise ambiguous("user", found.near)
            self._note(row, note(found.how, found.person.username))
            return row

        self._each(read)

    def read_partitions(self, meant: Mapping[int, Meant]) -> bool:
        """Returns whether any row means another one than before."""

        def read(row: ResolvedRow) -> ResolvedRow:
            name = self._read(row, meant.get(row.course.id), row.partition)
            return row if name == row.partition else replace(row, partition=name)

        return self._each(read)

    def read_groups(self, meant: Mapping[PartitionKey, Meant]) -> bool:
        """Returns whether any row means another one than before."""

        def read(row: ResolvedRow) -> ResolvedRow:
            if row.group is None:
                return row
            name = self._read(row, meant.get(row.key), row.group)
            return row if name == row.group else replace(row, group=name)

        return self._each(read)

    def say_reused(self, notes: Mapping[GroupKey, Note]) -> None:
        for row in self.rows if notes else ():
            said = notes.get((*row.key, row.group)) if row.group is not None else None
            if said is not None:
                self._note(row, said)

    def _read(self, row: ResolvedRow, meant: Meant | None, text: str) -> str:
        if meant is None:
            return text
        if (why := meant.refusals.get(text)) is not None:
            raise why
        if text in meant.notes:
            self._note(row, meant.notes[text])
        return meant.names.get(text, text)

    def _note(self, row: ResolvedRow, said: Note) -> None:
        self.notes[row.line] = both(self.notes.get(row.line), said)

    def _each(self, read: Callable[[ResolvedRow], ResolvedRow]) -> bool:
        done: list[ResolvedRow] = []
        for row in self.rows:
            try:
                done.append(read(row))
            except GroupsvcError as why:
                self.refused[row.line] = refused(row.line, why)
        changed = len(done) != len(self.rows) or any(map(is_not, done, self.rows))
        self.rows = done
        return changed
