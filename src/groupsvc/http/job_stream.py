"""Server-sent events of a job: how far it is, until it has ended.

Whoever follows one asks for it about once a second, as themselves: so what they may not read any
more is not told. That is one statement, and jobs are few; there is no channel of them.
"""

import asyncio
from contextlib import suppress
from time import monotonic
from typing import Any, Final

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from groupsvc.core.changes.reader import End
from groupsvc.core.jobs.service import OPEN, JobService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import (
    ForbiddenError,
    GroupsvcError,
    NotFoundError,
    UnauthenticatedError,
)
from groupsvc.domain.json_resource import JsonResource
from groupsvc.http.edge_refusals import TooLargeError
from groupsvc.http.event_stream import HEADERS, MEDIA_TYPE, end_event
from groupsvc.http.routing import AppState

PAUSE: Final = 0.5  # seconds between two looks


class JobStream(Response):
    media_type = MEDIA_TYPE

    def __init__(self, wired: AppState, job_id: int, token: str, seconds: float | None) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(HEADERS)
        self._wired, self._job_id, self._token = wired, job_id, token
        self._seconds = seconds if seconds is not None else float("inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ThrottledError and UnavailableError before anything is sent."""
        state: dict[str, Any] = scope["state"]
        subject, tail = state["subject"], self._wired.tail
        tail.admit(subject)
        gone = asyncio.create_task(_until_gone(receive))
        closing = asyncio.create_task(tail.closing.wait())
        try:
            for told in state.get("on_stream", ()):
                told()
            for name in ("uow", "principal"):
                state.pop(name, None)
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            until = monotonic() + (0 if state.get("is_head") else self._seconds)
            try:
                async with asyncio.timeout(None) as patience:
                    why = await self._follow(send, until, {gone, closing}, patience)
            except TimeoutError:
                # Nothing has been taken for long.
                state.get("abort", _nothing)()
                return
            await send({"type": "http.response.body", "body": end_event(why)})
        finally:
            gone.cancel()
            closing.cancel()
            tail.dismiss(subject)

    async def _follow(
        self, send: Send, until: float, others: set[asyncio.Task[Any]], patience: asyncio.Timeout
    ) -> End:
        """Send what there is until somebody ends it, or the job has ended."""
        quiet = self._wired.tail.terms.quiet
        known, sent_at = b"", monotonic()
        while True:
            document, why = await self._look()
            if document is None:
                return why
            part = b""
            if document.body != known:
                known = document.body
                part = format_sse_event(data_str=known.decode(), event="progress")
            elif monotonic() >= sent_at + quiet:
                part = KEEPALIVE_COMMENT
            if part:
                patience.reschedule(asyncio.get_running_loop().time() + 2 * quiet)
                await send({"type": "http.response.body", "body": part, "more_body": True})
                patience.reschedule(None)
                sent_at = monotonic()
            left = until - monotonic()
            if document.data["state"] not in OPEN or left <= 0:
                return End.OVER
            ended, _ = await asyncio.wait(
                others, timeout=min(PAUSE, left), return_when=asyncio.FIRST_COMPLETED
            )
            if ended:
                return End.STOPPING

    async def _look(self) -> tuple[JsonResource[dict[str, Any]] | None, End]:
        async def read(uow: UnitOfWork) -> JsonResource[dict[str, Any]]:
            principal = await self._wired.authenticator.principal(uow, self._token)
            return await JobService(uow, principal).read(self._job_id)

        try:
            return await self._wired.units.run("live", read), End.OVER
        except UnauthenticatedError:
            return None, End.TOKEN
        except (ForbiddenError, NotFoundError):
            return None, End.FORBIDDEN
        except GroupsvcError:
            return None, End.UNAVAILABLE


async def _until_gone(receive: Receive) -> None:
    with suppress(TooLargeError):
        while (await receive())["type"] != "http.disconnect":
            pass


def _nothing() -> None:
    """Where there is no connection of ours to let go of."""
