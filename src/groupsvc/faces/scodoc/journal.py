"""Changes of memberships as the lines that ScoDoc writes into its journal (Scolog)."""

from collections.abc import Mapping
from typing import Any, Final

from groupsvc.core.accounts.authentication import ACCOUNT
from groupsvc.core.changes.journal import Change, Journal

# Why somebody left a group, and the method that is said to have taken them out of it.
REMOVALS = {
    "partition": "partition_remove_etud",
    "group_deleted": "group_delete",
    "partition_deleted": "partition_delete",
}


def _render(change: Change) -> list[dict[str, Any]]:
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
    line = {
        "date": change["at"],
        "method": method,
        "msg": msg,
        "etudid": change["user_id"],
        "author": change["actor"].removeprefix(ACCOUNT),
        "formsemestre_id": change["course_id"],
        "changeset_id": change["changeset_id"],
    }
    return [line]


JOURNAL: Final = Journal(
    "scodoc", ("membership.assigned", "membership.moved", "membership.removed"), _render
)
