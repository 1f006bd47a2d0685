"""``Idempotency-Key``: a POST that is repeated with its key is answered again, not done again."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.idempotency import Remembered
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.db.failures import Failure, classify
from groupsvc.domain.errors import ConflictError, InvalidError
from groupsvc.domain.principal import Permission, Place, Principal
from groupsvc.http.spool import SpooledResponse, spooled_body

HEADER = "idempotency-key"
KEY = re.compile(r'"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e][\x21-\x7e]{0,254})')
_KeyHeader = Header(
    alias="Idempotency-Key",
    max_length=257,
    description="A key of your choice: repeated within a day, the request is answered again "
    "and not done again",
)
_PART = 65_536
KEPT_HEADERS = ("content-type", "etag", "location", "link")


async def documented_key(idempotency_key: Annotated[str | None, _KeyHeader] = None) -> Any:
    """Documents the key; the route acts on it."""
    return idempotency_key


# Declares that a route is done once for every key.
IDEMPOTENT = Depends(documented_key)


@dataclass(slots=True)
class Claim:
    """A key held by this unit of work. ``replay`` is the answer when it was used before."""

    uow: UnitOfWork
    subject: str
    key: str
    replay: Response | None = None

    async def keep(self, response: Response) -> None:
        """Remember the outcome in the transaction that brought it about."""
        headers = {
            name: response.headers[name] for name in KEPT_HEADERS if name in response.headers
        }
        body = response.whole() if isinstance(response, SpooledResponse) else response.body
        await self.uow.idempotency.store(
            self.subject,
            self.key,
            status=response.status_code,
            headers=headers,
            body=bytes(body),
            decisions=self.uow.decisions,
        )


async def claim(
    request: Request, uow: UnitOfWork, principal: Principal, hours: int, *, spooled: bool
) -> Claim | None:
    """Take the key of a POST, if it has one, for so many hours.

    A ``spooled`` body is not held in memory: its endpoint reads it as a stream.

    Raises InvalidError for a malformed key or one that was used for something else, ConflictError
    while the first request is still running.
    """
    given = request.headers.get(HEADER)
    if given is None or request.method != "POST":
        return None
    matched = KEY.fullmatch(given)
    if matched is None:
        raise InvalidError(
            "the key must have 1 to 255 visible characters", code="invalid_idempotency_key"
        )
    key = matched[1] or matched[2]
    fingerprint = await _fingerprint(request, spooled=spooled)
    await uow.begin()
    remembered = await _take(uow, principal.subject, key, fingerprint, hours)
    if remembered.fingerprint != fingerprint:
        raise InvalidError("the key was used for another request", code="idempotency_key_reused")
    held = Claim(uow, principal.subject, key)
    if remembered.status is None:
        await uow.idempotency.forget(hours)
    else:
        held.replay = _replay(remembered, principal)
    return held


async def _take(
    uow: UnitOfWork, subject: str, key: str, fingerprint: bytes, hours: int
) -> Remembered:
    try:
        return await uow.idempotency.claim(subject, key, fingerprint, hours)
    except Exception as error:
        if classify(error) is not Failure.BUSY:
            raise
        raise ConflictError(
            "the first request with this key is still running",
            code="request_in_progress",
            retry_after=1,
        ) from error


async def _fingerprint(request: Request, *, spooled: bool) -> bytes:
    target = f"{request.method} {request.scope['path']}?".encode()
    found = hashlib.sha256(target + request.scope["query_string"] + b"\n")
    if spooled:
        spool = await spooled_body(request)

        def add() -> None:
            while part := spool.read(_PART):
                found.update(part)

        await asyncio.to_thread(add)
    else:
        found.update(await request.body())
    return found.digest()


def _replay(remembered: Remembered, principal: Principal) -> Response:
    """Decide anew, since the caller may have lost the right, and answer as before.

    Raises ConflictError when the answer was about somebody who has been erased since.
    """
    for permission, department, course in remembered.decisions or []:
        place = Place(department, course) if department is not None else None
        principal.require(Permission(permission), place)
    if remembered.body is None:
        raise ConflictError(
            "this was done, and its answer has been erased since", code="answer_erased"
        )
    headers = {**(remembered.headers or {}), "idempotent-replayed": "true"}
    return Response(remembered.body, remembered.status or 200, headers)
