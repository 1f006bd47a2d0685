"""Requests that are left to be done as jobs, and how they are done then.

A job has the request as it came, and is answered by the same endpoint: what it answers is kept in
the transaction that brought it about. Who asked is looked up anew.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Header
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Scope

from groupsvc.core.accounts.authentication import Asker
from groupsvc.core.jobs.lease import Lease, store_output
from groupsvc.core.jobs.repository import INPUT, PART, Ending
from groupsvc.core.jobs.service import JobService, LeftRequest
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import UnavailableError
from groupsvc.domain.principal import Permission, Principal, lost_permission
from groupsvc.http.edge import local_path
from groupsvc.http.routing import AppState, app_state, bearer
from groupsvc.http.spool import Spool, SpooledResponse, spooled_body
from groupsvc.http.strict_request import media_type_is_json

JSON: Final = "application/json"
ASYNC: Final = "respond-async"
# Of the answer, those that are told again.
KEPT_HEADERS: Final = ("content-disposition", "left-out")
# Of an error: what is there now, and who changed what, may be read where it is.
KEPT_FACTS: Final = ("status", "code", "errors", "kinds", "permission")

KINDS: Final = ("import", "export", "assignments", "undo")


async def documented_preference(
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="`respond-async` leaves it to be done as a job: 202 and its address",
        ),
    ] = None,
) -> Any:
    """Documents the header; the route acts on it."""
    return prefer


PREFERABLE: Final = Depends(documented_preference)


def running(request: Request) -> Lease | None:
    """The job that the request is done as, if it is one; it takes counts, and may be let go."""
    run: RequestRun | None = request.scope["state"].get("job")
    return run.lease if run is not None else None


def tell_total(request: Request, rows: int) -> None:
    """How many rows there are, if it is done as a job."""
    if (job := running(request)) is not None:
        job.total = rows


def prefers_job(request: Request) -> bool:
    given = ",".join(request.headers.getlist("prefer")).lower()
    return any(each.partition(";")[0].strip() == ASYNC for each in given.split(","))


async def is_to_be_left(request: Request, kind: str) -> bool:
    """Whether the client wants a job, or has sent so much that it becomes one.

    Of JSON an import takes little, and says so at once.
    """
    state = request.scope["state"]
    if state.get("job") is not None or state.get("is_head"):
        return False
    if prefers_job(request):
        return True
    if kind == "import" and media_type_is_json(request.headers.get("content-type")):
        return False
    return await _size(request) > app_state(request).settings.job_bytes


async def leave(request: Request, kind: str) -> Response:
    """202 with the job that does the request."""
    state, wired = request.scope["state"], app_state(request)
    path, query = local_path(request.scope), request.scope["query_string"].decode("latin-1")
    given = {
        "method": request.method,
        "path": path,
        "query": query,
        "content_type": request.headers.get("content-type"),
    }
    asker = await wired.authenticator.asker(bearer(request) or "")
    left = LeftRequest(f"{request.method} {path}", given, asker._asdict())
    jobs = JobService(state["uow"], state["principal"])
    settings = wired.settings
    document = await jobs.leave(kind, left, _content(request), most=settings.jobs_per_caller)
    headers = {"location": f"/v1/jobs/{document.data['id']}"}
    if prefers_job(request):
        headers["preference-applied"] = ASYNC
    return Response(document.body, 202, headers, JSON, BackgroundTask(wired.jobs.wake))


async def _size(request: Request) -> int:
    if request.method == "GET":
        return 0
    length = request.headers.get("content-length")
    if length is not None:
        return int(length)
    spool = await spooled_body(request)
    return spool.size()


async def _content(request: Request) -> AsyncIterator[bytes]:
    if request.method == "GET":
        return
    spool = await spooled_body(request)
    while part := spool.read(PART):
        yield part


class RequestRun:
    """One request that was left, while it is done."""

    def __init__(self, lease: Lease, wired: AppState) -> None:
        self.lease, self._wired = lease, wired
        self._asker = Asker(**dict(lease.job.asker or {"subject": ""}))
        self._is_erased = lease.job.asker is None
        self.replay: Response | None = None
        self.is_kept = False
        self.decisions: list[Any] = []

    async def caller(self, uow: UnitOfWork, permission: Permission | None) -> Principal:
        """Raises ForbiddenError when whoever asked may not any more."""
        self.is_kept = False
        self.lease.restart()
        if self._is_erased:
            raise lost_permission()
        principal = await self._wired.authenticator.again(uow, self._asker)
        if permission is not None and not principal.holds(permission):
            raise lost_permission()
        return principal

    async def keep(self, uow: UnitOfWork, response: Response) -> None:
        """End the job in the transaction of the request, unless its answer is yet to be read."""
        self.decisions = [*uow.decisions]
        if isinstance(response, StreamingResponse) and not isinstance(response, SpooledResponse):
            return
        self.lease.check()
        await uow.begin()
        parts = response.parts() if isinstance(response, SpooledResponse) else _whole(response)
        await self.finish(uow, parts, response.headers)
        self.is_kept = True

    async def finish(
        self, uow: UnitOfWork, parts: AsyncIterator[bytes], headers: Mapping[str, str]
    ) -> None:
        most = self._wired.settings.job_max_answer
        stored = await store_output(uow, self.lease.job.id, parts, most)
        kept = {name: headers[name] for name in KEPT_HEADERS if name in headers}
        output = {"media_type": headers["content-type"], **stored, "headers": kept}
        await self.lease.finish(uow, Ending("succeeded", output=output, decisions=self.decisions))


class RequestWork:
    """Does requests as the application would, by ``perform``; they pass no guard again."""

    kinds: Collection[str] = KINDS
    beats = False

    def __init__(self, wired: AppState, perform: ASGIApp) -> None:
        self._wired, self._perform = wired, perform
        self._units = wired.units

    async def do(self, lease: Lease) -> None:
        run, answer = RequestRun(lease, self._wired), _Answer()
        given = lease.job.request or {}
        body = await self._input(lease.job.id)
        scope = _scope(given, lease.job.request_id, {"app_state": self._wired, "job": run})
        if given["method"] != "GET":
            scope["state"]["spool"] = body
        await self._perform(scope, _Receiver(body), answer.send)
        if run.is_kept:
            return
        if answer.status >= 500:
            raise UnavailableError("the request cannot be done just now")
        await self._units.run(lease.job.request_id or "", run_end(run, answer), bulk=True)

    async def _input(self, job_id: int) -> Spool:
        spool, number = Spool(), 0
        while True:

            async def read(uow: UnitOfWork, number: int = number) -> bytes | None:
                return await uow.jobs.part(job_id, INPUT, number)

            part = await self._units.run("jobs", read, bulk=True)
            if part is None:
                spool.seek(0)
                return spool
            spool.write(part)
            number += 1


def run_end(run: RequestRun, answer: "_Answer") -> Any:
    async def end(uow: UnitOfWork) -> None:
        run.lease.check()
        await uow.begin()
        if answer.status < 400:
            await run.finish(uow, answer.body.parts(), answer.headers)
        else:
            await run.lease.finish(uow, Ending("failed", answer.error()))

    return end


class _Answer:
    """What the application sends, kept on disk when it is much."""

    def __init__(self) -> None:
        self.status = 500
        self.headers: dict[str, str] = {}
        self.body = Spool()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {
                name.decode("latin-1"): value.decode("latin-1")
                for name, value in message.get("headers", ())
            }
        else:
            self.body.write(message.get("body", b""))

    def error(self) -> dict[str, Any]:
        """What a caller may be told of a refusal later, who may be somebody else by then."""
        self.body.seek(0)
        problem = json.loads(self.body.read())
        told = {name: problem[name] for name in KEPT_FACTS if name in problem}
        return {**told, "message": problem["detail"]}


class _Receiver:
    """The body of a request that has come whole. Nobody goes away from it."""

    def __init__(self, body: Spool) -> None:
        self._body = body

    async def __call__(self) -> Message:
        part = self._body.read(PART)
        return {"type": "http.request", "body": part, "more_body": bool(part)}


def _scope(given: Mapping[str, Any], request_id: str | None, state: dict[str, Any]) -> Scope:
    path: str = given["path"]
    content_type: str | None = given["content_type"]
    headers = [(b"content-type", content_type.encode("latin-1"))] if content_type else []
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": given["method"],
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": given["query"].encode("latin-1"),
        "headers": headers,
        "client": None,
        "server": None,
        "state": {**state, "request_id": request_id or "jobs"},
    }


async def _whole(response: Response) -> AsyncIterator[bytes]:
    yield bytes(response.body)
