"""What the rows of a table of courses mean by the keys that they use."""

from collections.abc import Container, Iterable, Mapping, Sequence
from uuid import UUID

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.dangers import Note, both
from groupsvc.import_export.naming import Meant
from groupsvc.import_export.results import ReadRow, RowAnswer, readable


class NamedCourses:
    """Rows in the keys that courses have now, with what is to be said of them by line.

    ``keyed`` are the keys of courses by those of their records.
    """

    def __init__(self, rows: Sequence[ReadRow], notes: Mapping[int, Note]) -> None:
        self.rows = list(rows)
        self.notes = dict(notes)
        self.keyed: Mapping[UUID, str] = {}

    @property
    def record_keys(self) -> set[UUID]:
        return {row["key"] for row in readable(self.rows) if "key" in row}

    @property
    def course_keys(self) -> set[str]:
        told = {row["course_key"] for row in readable(self.rows) if "course_key" in row}
        return told | {*self.keyed.values()}

    def sought(self, known: Container[str]) -> list[str]:
        """Keys of no course, for which another one may be meant, in the order of the rows."""
        found = (
            row["course_key"]
            for row in readable(self.rows)
            if "course_key" in row and "key" not in row and row["course_key"] not in known
        )
        return list(dict.fromkeys(found))

    def read(self, meant: Meant) -> None:
        for at, (line, row) in enumerate(self.rows):
            if isinstance(row, GroupsvcError) or "key" in row:
                continue
            text = row.get("course_key", "")
            if text in meant.refusals:
                self.rows[at] = (line, meant.refusals[text])
            elif text in meant.names:
                row["course_key"] = meant.names[text]
                self.notes[line] = both(self.notes.get(line), meant.notes[text])

    def tell_subjects(self, answers: Iterable[RowAnswer]) -> None:
        """Courses go by the key so far, and by the one that they get."""
        for answer, (_, row) in zip(answers, self.rows, strict=True):
            if not isinstance(row, GroupsvcError) and "course_key" in row:
                key = row["course_key"]
                answer.subjects = (key, self.keyed.get(row["key"], key) if "key" in row else key)
