"""What was done is undone."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field

from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import Id, Output
from groupsvc.http.dependencies import UndoServiceDep

routes = Routes("changes")


class ReversedChange(Output):
    """A line of the change log as the undo writes it, or would."""

    kind: Annotated[str, Field(examples=["membership.moved"])]
    course_id: Id
    partition_id: Id | None
    group_id: Id | None
    user_id: Id | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class UndoOut(Output):
    changeset_id: Annotated[
        str | None,
        Field(description="Of the undo, to undo it in turn; null when nothing is written"),
    ]
    undoes: str
    written: Annotated[
        bool, Field(description="False for a dry run, and when nothing is to change")
    ]
    counts: Annotated[
        dict[str, int],
        Field(description="Changes of each kind", examples=[{"membership.moved": 5}]),
    ]
    changes: Annotated[list[ReversedChange], Field(description="The first hundred of them")]


@routes.post("/changesets/{changeset_id}/undo", "Undo what one request changed", UndoOut, bulk=True)
async def undo_changeset(
    changeset_id: Annotated[
        UUID, Path(description="`changeset_id` of its lines in the change log")
    ],
    undo: UndoServiceDep,
    dry_run: Annotated[
        bool, Query(description="Answer what would be changed, and write nothing")
    ] = False,
) -> UndoOut:
    """Reverses one changeset: members, groups, partitions, their order and names.

    What the undo writes is a changeset of its own, which can be undone: that does it again. Its
    lines say which one they undo (`cause` is `undo:<id>` or `redo:<id>`). Deleted groups come back
    as they were, with their ids and members.

    409 `changed_since` when anything that it touched has been changed since and not been undone;
    `changes` has the last hundred of these, of `count`. 409 `not_undoable` for `kinds` of changes
    that are not undone: of users, enrollments that come or go, courses, departments, accounts and
    roles. Whatever the rules refuse now is refused as ever. Needs `roster:write` too for tracks,
    states of enrollments and content groups.
    """
    done = await undo.undo(str(changeset_id), dry_run=dry_run)
    written = bool(done.counts) and not dry_run
    return UndoOut(
        changeset_id=done.changeset_id if written else None,
        undoes=str(changeset_id),
        written=written,
        counts=dict(done.counts),
        changes=[ReversedChange.model_validate(each) for each in done.changes],
    )
