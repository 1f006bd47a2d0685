"""The rows of a batch of assignments, as they are given."""

from collections.abc import Iterable
from typing import TypedDict


class AssignmentRow(TypedDict, total=False):
    """One row of a batch: the user and the group, each by id or by name; no group at all removes.

    ``user`` is a username, an e-mail address or a number.
    """

    user_id: int | None
    user: str | None
    group_id: int | None
    group: str | None


class AssignmentRows:
    """Rows by the column, which takes a fraction of an object for each.

    ``users`` and ``groups`` are names, by place, where there is no id.
    """

    def __init__(self, rows: Iterable[AssignmentRow] = ()) -> None:
        self.user_ids: list[int | None] = []
        self.group_ids: list[int | None] = []
        self.users: dict[int, str] = {}
        self.groups: dict[int, str] = {}
        self._same: dict[int | None, int | None] = {}  # many rows, few groups
        self.extend(rows)

    def __len__(self) -> int:
        return len(self.user_ids)

    def extend(self, rows: Iterable[AssignmentRow], /) -> None:
        for place, row in enumerate(rows, start=len(self.user_ids)):
            user_id, group_id = row.get("user_id"), row.get("group_id")
            self.user_ids.append(user_id)
            self.group_ids.append(self._same.setdefault(group_id, group_id))
            if user_id is None and (user := row.get("user")) is not None:
                self.users[place] = user
            if group_id is None and (group := row.get("group")) is not None:
                self.groups[place] = group
