"""The change log."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.requests import Request

from groupsvc.core.changes.feed import BEGINNING, Position
from groupsvc.domain.json_resource import Page
from groupsvc.faces.v1.endpoints import Paging
from groupsvc.faces.v1.journal_schemas import JournalName, OpenedxEventOut, ScodocLineOut
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import MOST, ChangeOut, PageOut, Time
from groupsvc.http.cursors import decode_cursor
from groupsvc.http.dependencies import ChangeServiceDep
from groupsvc.http.routing import app_state

routes = Routes("changes")

AnyId = Annotated[int | None, Query(ge=1, le=MOST)]
AnyName = Annotated[str | None, Query(max_length=300, pattern=r"^[^\x00]*$")]
Journal = Annotated[
    JournalName | None,
    Query(alias="as", description="In whose words: only the lines that this system would write"),
]


@routes.get(
    "/changes",
    "The change log",
    PageOut[ChangeOut] | PageOut[ScodocLineOut] | PageOut[OpenedxEventOut],
    errors=(409,),
)
async def list_changes(
    request: Request,
    changes: ChangeServiceDep,
    page: Paging,
    course_id: AnyId = None,
    partition_id: AnyId = None,
    group_id: AnyId = None,
    user_id: AnyId = None,
    actor: AnyName = None,
    kind: AnyName = None,
    request_id: AnyName = None,
    changeset_id: UUID | None = None,
    since: Time | None = None,
    until: Time | None = None,
    journal: Journal = None,
) -> Page:
    """Newest first. `since` is included, `until` is not.

    `as=scodoc` lists who entered and left which group, as ScoDoc's journal does. An `etudid` is
    that of the ScoDoc face; the filters take our own ids.

    `as=openedx` lists what happened to cohorts as events of Open edX, oldest first. Its
    `next_cursor` is null when there is nothing new: keep the last one, and read on with it later.
    409 `history_replaced` says that a backup was restored: begin anew.
    """
    filters: dict[str, Any] = {
        "limit": page.limit,
        "course_id": course_id,
        "partition_id": partition_id,
        "group_id": group_id,
        "user_id": user_id,
        "actor": actor,
        "kind": kind,
        "request": request_id,
        "changeset": str(changeset_id) if changeset_id else None,
        "since": since,
        "until": until,
    }
    state = app_state(request)
    known = state.journals[journal] if journal is not None else None
    if known is not None and journal == "openedx":
        key = decode_cursor(page.cursor, (int, str))
        after = Position(*key) if key is not None else BEGINNING
        found = await changes.cohort_page(
            state.tail.horizon, system=known.system, after=after, **filters
        )
    else:
        (before,) = decode_cursor(page.cursor, (int,)) or (None,)
        kinds = known.kinds if known is not None else None
        found = await changes.page(
            before=before, kinds=kinds, by_known_id=known is not None, **filters
        )
    return known.translate(found) if known is not None else found
