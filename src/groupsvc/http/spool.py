"""Bytes that are kept on disk when there are many."""

from collections.abc import AsyncIterator
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import Final

from starlette.requests import Request
from starlette.responses import StreamingResponse

_IN_MEMORY: Final = 1_048_576
_CHUNK: Final = 65_536


class Spool(SpooledTemporaryFile[bytes]):
    """Closed with the last reference to it: who comes last depends on the request."""

    def __init__(self) -> None:
        super().__init__(max_size=_IN_MEMORY)

    def __del__(self) -> None:
        self.close()

    async def parts(self) -> AsyncIterator[bytes]:
        """All of it, from its start."""
        self.seek(0)
        while part := self.read(_CHUNK):
            yield part


class SpooledResponse(StreamingResponse):
    """An answer out of a spool. Who wants to keep it can have it whole."""

    def __init__(self, head: bytes, spool: Spool, tail: bytes, media_type: str) -> None:
        self._head, self._spool, self._tail = head, spool, tail
        length = len(head) + spool.seek(0, SEEK_END) + len(tail)
        super().__init__(
            self._parts(), media_type=media_type, headers={"content-length": str(length)}
        )

    async def _parts(self) -> AsyncIterator[bytes]:
        yield self._head
        async for part in self._spool.parts():
            yield part
        yield self._tail

    def whole(self) -> bytes:
        self._spool.seek(0)
        return self._head + self._spool.read() + self._tail


async def spooled_body(request: Request) -> Spool:
    """The body, at its start, as often as a unit of work is tried."""
    spool: Spool | None = getattr(request.state, "spool", None)
    if spool is None:
        spool = request.state.spool = Spool()
        async for chunk in request.stream():
            spool.write(chunk)
    spool.seek(0)
    return spool
