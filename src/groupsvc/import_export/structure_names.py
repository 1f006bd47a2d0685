"""What the rows of a structure mean by the names of partitions and groups that they use."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence, Set
from typing import Final
from uuid import UUID

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import Note, both
from groupsvc.import_export.naming import GroupKey, Meant, PartitionKey
from groupsvc.import_export.places import Courses
from groupsvc.import_export.record_keys import KeyedRecord, provisional
from groupsvc.import_export.results import ReadRow

KEYS: Final = {"partition": "partition_key", "group": "key"}


class NamedStructure:
    """Rows in the names that are borne now, with what is to be said of them by line.

    Where a row has a key, the name of what is new is taken literally.
    """

    def __init__(self, rows: Sequence[ReadRow], courses: Courses) -> None:
        self.rows = list(rows)
        self.notes: dict[int, Note] = {}
        self._courses = courses

    def open(self) -> Iterator[tuple[PartitionKey, Values]]:
        """Rows whose courses are open to the caller, with the partition that they name."""
        for _, row in self.rows:
            if not isinstance(row, GroupsvcError) and (key := self._key(row)) is not None:
                yield key, row

    @property
    def groups(self) -> list[GroupKey]:
        return [(*key, row["group"]) for key, row in self.open() if "group" in row]

    @property
    def new_groups(self) -> list[GroupKey]:
        """Names that groups are about to get."""
        return [(*key, row["new_group"]) for key, row in self.open() if "new_group" in row]

    def keys(self, column: str) -> set[UUID]:
        return {row[column] for _, row in self.open() if column in row}

    @property
    def tells_former_names(self) -> bool:
        columns = ("partition_former_names", "former_names")
        return any(row.get(column) for _, row in self.open() for column in columns)

    def sought_partitions(self, known: Container[PartitionKey]) -> list[PartitionKey]:
        """Names that nothing bears, for which others may be meant."""
        return [key for key, row in self.open() if key not in known and "partition_key" not in row]

    def sought_groups(self, known: Container[GroupKey]) -> list[GroupKey]:
        return [
            (*key, row["group"])
            for key, row in self.open()
            if "group" in row and (*key, row["group"]) not in known and "key" not in row
        ]

    def read_partition_keys(
        self, records: Mapping[UUID, KeyedRecord], taken: Set[KeyedRecord]
    ) -> None:
        """Where the record of a key is, the row is about it; elsewhere it is about its name.

        A row with another key is not about what is ``taken``, whose own key is in the table: it is
        about something new, which may get the name that the other one gives away.
        """
        for line, row, course_id in self._keyed("partition"):
            self._read_key(line, row, "partition", records, course_id, taken)

    def read_group_keys(
        self,
        records: Mapping[UUID, KeyedRecord],
        taken: Set[KeyedRecord],
        ids: Mapping[PartitionKey, int],
    ) -> None:
        """The same of groups; partitions have been read. ``ids`` are those of partitions."""
        for line, row, course_id in self._keyed("group"):
            place = ids.get((course_id, row["partition"]), 0)
            self._read_key(line, row, "group", records, place, taken)

    def with_other_keys(
        self, records: Container[UUID], ids: Mapping[PartitionKey, int]
    ) -> set[tuple[int, int, str]]:
        """Groups whose names rows have with keys that mean nothing here."""
        return {
            (course_id, ids[course_id, row["partition"]], row["group"])
            for _, row, course_id in self._keyed("group")
            if row["key"] not in records and (course_id, row["partition"]) in ids
        }

    def _keyed(self, column: str) -> Iterator[tuple[int, Values, int]]:
        """Rows with a key of something that they name, with the id of their course."""
        for line, row in self.rows:
            if isinstance(row, GroupsvcError) or column not in row or KEYS[column] not in row:
                continue
            if (key := self._key(row)) is not None:
                yield line, row, key[0]

    def _read_key(
        self,
        line: int,
        row: Values,
        column: str,
        records: Mapping[UUID, KeyedRecord],
        place: int,
        taken: Set[KeyedRecord],
    ) -> None:
        record, given = records.get(row[KEYS[column]]), row[column]
        if record is None:
            if (place, given) in taken:
                row[f"new_{column}"], row[column] = given, provisional(row[KEYS[column]])
        elif record.place != place:
            row[KEYS[column]] = None
        else:
            row[f"new_{column}"], row[column] = given, record.name
            if record.name != given:
                said = "renamed", f"{record.name} gets a new name"
                self.notes[line] = both(self.notes.get(line), said)

    def read_partitions(self, meant: Mapping[int, Meant]) -> None:
        self._read("partition", lambda key: meant.get(key[0]))

    def read_groups(self, meant: Mapping[PartitionKey, Meant]) -> None:
        self._read("group", meant.get)

    def say_reused(self, notes: Mapping[GroupKey, Note]) -> None:
        for line, row in self.rows if notes else ():
            if isinstance(row, GroupsvcError) or "group" not in row:
                continue
            key = self._key(row)
            if key is not None and (*key, row["group"]) in notes:
                self.notes[line] = both(self.notes.get(line), notes[*key, row["group"]])

    def _read(self, column: str, find: Callable[[PartitionKey], Meant | None]) -> None:
        for at, (line, row) in enumerate(self.rows):
            if isinstance(row, GroupsvcError) or column not in row or KEYS[column] in row:
                continue
            key, text = self._key(row), row[column]
            found = find(key) if key is not None else None
            if found is None:
                continue
            if (why := found.refusals.get(text)) is not None:
                self.rows[at] = (line, why)
            elif text in found.names:
                row[column] = found.names[text]
                self.notes[line] = both(self.notes.get(line), found.notes[text])

    def _key(self, row: Values) -> PartitionKey | None:
        course = self._courses.get_held(row["course_key"])
        return (course.id, row["partition"]) if course is not None else None
