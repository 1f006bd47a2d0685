"""What the native face takes and answers about many memberships at once."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from groupsvc.faces.v1.schemas import GivenName, Id, Input, Output, RowsIn, WhenKnown


class AssignmentRowIn(TypedDict, total=False):
    """The user and the group by id or by name. No group, or null: out of every group."""

    # There are many of these, and to make a dictionary takes a fraction of what a model takes.
    __pydantic_config__ = Input.model_config  # type: ignore[misc]

    user_id: Id | None
    user: Annotated[str | None, Field(max_length=320, description="Username, e-mail or number")]
    group_id: Id | None
    group: GivenName | None


class AssignmentsIn(RowsIn):
    rows: Annotated[list[AssignmentRowIn], Field(max_length=100_000)]
    mode: Literal["all_or_nothing", "row_by_row"] = "all_or_nothing"
    dry_run: bool = False


class AssignmentRowOut(Output):
    line: Annotated[int, Field(ge=1, description="Place of the row in the request, from 1")]
    result: Literal["assigned", "moved", "removed", "unchanged", "refused"]
    user_id: Id | None
    group_id: Id | None
    previous_group_id: Id | None
    code: Annotated[
        # The last three say how names were read, the others why a row was refused.
        Literal["unknown_user", "ambiguous_user", "unknown_group", "ambiguous_group"]
        | Literal["not_enrolled", "group_full", "lookalike", "damaged", "former_name"]
        | None,
        Field(description="Why the row was refused, or how its names were read"),
    ]
    near: Annotated[WhenKnown[list[str]], Field(description="What the name may mean")] = None


class AssignmentsOut(Output):
    written: Annotated[bool, Field(description="False for a dry run, and when all was refused")]
    counts: dict[str, int]
    rows: list[AssignmentRowOut]
