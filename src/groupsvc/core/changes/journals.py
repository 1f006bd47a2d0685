"""The change log in the words of other systems, line by line.

A journal shows the lines that the other system would have written, and each as it words them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groupsvc.core.accounts.authentication import ACCOUNT

Line = dict[str, Any]

# Why somebody left a group, and the method that is said to have taken him out of it.
REMOVALS = {
    "partition": "partition_remove_etud",
    "group_deleted": "group_delete",
    "partition_deleted": "partition_delete",
}


@dataclass(frozen=True, slots=True)
class Journal:
    """``kinds`` are the changes it knows; ``render`` words one of them."""

    kinds: Sequence[str]
    render: Callable[[Line], Line]

    def lines(self, items: Sequence[str]) -> list[str]:
        """JSON texts of changes to JSON texts of journal lines."""
        return [json.dumps(self.render(json.loads(item)), ensure_ascii=False) for item in items]


def _scodoc(change: Line) -> Line:
    """A line of ScoDoc's Scolog."""
    if change["kind"] == "membership.removed":
        left: Mapping[str, Any] = change["before"]
        method = REMOVALS.get(change["cause"] or "", "group_remove_etud")
        msg = f"Retrait du groupe {left['group_name']} de {left['partition_name']}"
    else:
        entered: Mapping[str, Any] = change["after"]
        method = "changeGroup"
        msg = (
            f"formsemestre_id={change['course_id']},partition_name={entered['partition_name']}, "
            f"group_name={entered['group_name']}"
        )
    return {
        "date": change["at"],
        "method": method,
        "msg": msg,
        "etudid": change["user_id"],
        "author": change["actor"].removeprefix(ACCOUNT),
        "formsemestre_id": change["course_id"],
        "changeset_id": change["changeset_id"],
    }


JOURNALS: Mapping[str, Journal] = {
    "scodoc": Journal(("membership.assigned", "membership.moved", "membership.removed"), _scodoc),
}
