"""Rows of a roster that tell by a key who is meant."""

from collections.abc import Iterable, Mapping, Set
from uuid import UUID

from groupsvc.domain.errors import GroupsvcError
from groupsvc.import_export.columns import Values
from groupsvc.import_export.dangers import Note, passed_on
from groupsvc.import_export.record_keys import provisional
from groupsvc.import_export.results import ReadRow


class RosterKeys:
    """``keyed`` are the usernames that those have now whose keys are in rows of the batch.

    ``named`` are usernames of whoever has a row with a key in the table, in this batch or another;
    ``given_up`` are those of them that rows of other batches give away.
    """

    def __init__(
        self,
        keyed: Mapping[UUID, str],
        named: Set[str] = frozenset(),
        given_up: Set[str] = frozenset(),
    ) -> None:
        self.keyed = keyed
        self.named = {*keyed.values(), *named}
        self.notes: dict[int, Note] = {}
        self._given_up = given_up

    def read(self, rows: Iterable[ReadRow]) -> list[ReadRow]:
        """Rows in the usernames that those who are meant have now.

        A row with another key is not about somebody whose own key is in the table, whatever its
        name: it is about somebody new, who may get the name that the other one gives away. One
        without a key could be about either.
        """
        given = list(rows)
        given_up = {*self._given_up, *self._given_up_by(given)}
        return [(line, self._read(line, row, given_up)) for line, row in given]

    def _given_up_by(self, rows: Iterable[ReadRow]) -> Iterable[str]:
        for _, row in rows:
            if isinstance(row, GroupsvcError) or "key" not in row:
                continue
            now = self.keyed.get(row["key"])
            if now is not None and row.get("username", now) != now:
                yield now

    def _read(
        self, line: int, row: Values | GroupsvcError, given_up: Set[str]
    ) -> Values | GroupsvcError:
        if isinstance(row, GroupsvcError):
            return row
        given = row.get("username")
        if "key" not in row:
            return passed_on("user") if given in given_up else row
        username = self.keyed.get(row["key"])
        if username is None:
            if given in self.named:
                row["username"], row["new_username"] = provisional(row["key"]), given
            return row
        row["username"], row["is_literal"] = username, True
        if given not in (None, username):
            row["new_username"] = given
            self.notes[line] = "renamed", f"{username} gets a new name"
        return row
