"""What the service reports of its work. This recorder ignores it; see ``telemetry``."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final, Protocol


class Queue(Protocol):
    """Those who use connections of a pool or wait for one."""

    slots: int

    @property
    def in_use(self) -> int: ...

    @property
    def waiting(self) -> int: ...


# How often the request that is being answered has asked the database and waited for its answer, as
# the one number of a list; what is no request shares the one that is the default.
round_trips: ContextVar[list[int]] = ContextVar("round_trips", default=[0])  # noqa: B039 - shared on purpose


class Recorder:
    in_flight = 0  # requests
    streams = 0  # of events

    def answered(
        self,
        path: str,
        method: str,
        route: str | None,
        status: int | None,
        seconds: float,
        trips: int,
    ) -> None:
        """``status`` is None when the caller went before there was an answer."""

    def served(self, tenant: str, status: int) -> None:
        """A request of one institution among several has been answered."""

    def waited(self, pool: str, seconds: float) -> None:
        """Somebody had to wait for a connection, whether they got one or not."""

    def failed(self, failure: str, sqlstate: str | None, *, retried: bool) -> None:
        """The database did not do a unit of work, for a reason that is no refusal."""

    def standby(self, name: str, lag: float, *, answers: bool) -> None:
        """How many seconds ago a standby is known to have had all that was acknowledged by then."""

    @asynccontextmanager
    async def watching(
        self, queues: Mapping[str, Queue], face: Callable[[str], str]
    ) -> AsyncGenerator[None]:
        """Look at the pools and at the event loop again and again.

        ``face`` names the face that a path belongs to.
        """
        del queues, face
        yield


SILENT: Final = Recorder()
