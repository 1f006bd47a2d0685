"""Changes of a course to read on from: as pages, and as they happen."""

from typing import Annotated, Final

from fastapi import Header, Query
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.changes.feed import BEGINNING, Position
from groupsvc.core.changes.reader import Follower
from groupsvc.faces.v1.endpoints import JSON, LONGEST_CURSOR, Limit
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import ChangeFeedOut, PathId
from groupsvc.http.cursors import decode_cursor, encode_cursor
from groupsvc.http.dependencies import ChangeServiceDep
from groupsvc.http.event_stream import MEDIA_TYPE, EventStream
from groupsvc.http.routing import app_state, bearer

routes = Routes("changes")

NOW: Final = "now"
LONGEST: Final = 86_400
EXAMPLE: Final = """event: ready
data: {"cursor": "WzQyLCI1ZmFiMTIzNCJd", "heartbeat_seconds": 15.0}
id: WzQyLCI1ZmFiMTIzNCJd
retry: 2000

event: change
data: {"seq": 43, "kind": "membership.moved", "user_id": 7, "group_id": 5}
id: WzQzLCI5YzBkZWYxMiJd

: ping

event: end
data: {"reason": "stopping"}
retry: 1234

"""

After = Annotated[
    str | None,
    Query(max_length=LONGEST_CURSOR, description="A cursor, or `now` for what is to come"),
]
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=LONGEST_CURSOR,
        description="The id of the last event, which browsers send by themselves; before `after`",
    ),
]
ForSeconds = Annotated[
    float | None,
    Query(
        ge=0,
        le=LONGEST,
        description="End after so many seconds, for tools that show an answer when it is whole",
    ),
]


def _position(text: str | None, pointer: str) -> Position | None:
    """Raises InvalidError for what is none of ours."""
    key = decode_cursor(text, (int, str), pointer)
    return Position(*key) if key is not None else None


def _after(text: str | None) -> Position | None:
    return None if text == NOW else _position(text, "#/query/after")


@routes.get(
    "/courses/{course_id:int}/changes",
    "Changes of a course to read on from",
    ChangeFeedOut,
    errors=(409,),
)
async def list_course_changes(
    request: Request,
    course_id: PathId,
    changes: ChangeServiceDep,
    after: After = None,
    limit: Limit = None,
) -> Response:
    """Oldest first, from the beginning without `after`. What was committed is told once, and a
    change after those that it rests on: keep `next_cursor`, and read on with it at any time.

    A transaction that has changed something and is still running holds up what was committed
    beside it. 409 `history_replaced` says that a backup was restored: begin anew.
    """
    state = app_state(request)
    page = await changes.feed(
        course_id,
        state.tail.horizon,
        BEGINNING if after is None else _after(after),
        limit=limit or state.settings.page_size,
    )
    items = ",".join(line.body for line in page.lines)
    cursor, more = encode_cursor(page.position), "true" if page.more else "false"
    body = f'{{"items":[{items}],"next_cursor":"{cursor}","has_more":{more}}}'
    return Response(body, media_type=JSON)


@routes.get(
    "/courses/{course_id:int}/events",
    "Changes of a course as they happen",
    responses={
        200: {
            "description": "Server-sent events until the client goes",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE}},
        }
    },
    response_class=EventStream,
)
async def stream_course_events(
    request: Request,
    course_id: PathId,
    changes: ChangeServiceDep,
    after: After = None,
    last_event_id: LastEventId = None,
    seconds: ForSeconds = None,
) -> Response:
    """Each `change` as in the list of changes, once and in the same order; from now on without
    `after`. `ready` comes first: load the board after it. Resume with `Last-Event-ID` or `after`,
    at any replica, at any time.

    `reset` says that a backup was restored: load everything anew. `end` says why there is no more:
    `stopping`, `slow`, `unavailable` and `over` may be resumed at once; after `token_ended`,
    `permission_lost` and `course_gone` that is refused.
    """
    state, scope_state = app_state(request), request.scope["state"]
    known = _position(last_event_id or None, "#/header/Last-Event-ID") or _after(after)
    position, is_resumed = await changes.begin(course_id, state.tail.horizon, known)
    follower = Follower(
        bearer(request) or "",
        scope_state["subject"],
        course_id,
        position.seq,
        seconds,
        scope_state.get("abort", _nothing),
    )
    return EventStream(state.tail, follower, position, is_resumed=is_resumed)


def _nothing() -> None:
    """Where there is no connection of ours to let go of."""
