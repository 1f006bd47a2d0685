"""Run a unit of work, and run it again when the database says it may succeed then."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from groupsvc.core.unit_of_work import NO_WORDS, UnitOfWork
from groupsvc.db.connection import Context, StaleTokenError
from groupsvc.db.engine import Sessions
from groupsvc.db.failures import Failure, classify
from groupsvc.domain.errors import UnavailableError
from groupsvc.domain.vocabulary import Vocabulary

T = TypeVar("T")

MOST_TRIES = 6
FIRST_PAUSE = 0.005  # seconds


class TransactionRunner:
    """Makes units of work, and judges their failures."""

    def __init__(
        self,
        sessions: Sessions,
        bulk: Sessions | None = None,
        vocabulary: Vocabulary = NO_WORDS,
    ) -> None:
        self._vocabulary = vocabulary
        self._sessions = sessions
        self._bulk = bulk or sessions

    async def run(
        self,
        request_id: str,
        work: Callable[[UnitOfWork], Awaitable[T]],
        *,
        reading: bool = False,
        bulk: bool = False,
    ) -> T:
        """Do the work and commit. ``work`` may be called several times.

        ``bulk`` takes a connection that may be slow, out of a small pool of its own.

        A lost race is run again, and a lost connection when nothing can have been committed.
        Raises UnavailableError when the database is away, busy or too slow, or when a commit was
        cut off and its outcome is unknown.
        """
        tries = 0
        sessions = self._bulk if bulk else self._sessions
        use_cached_token = True
        while True:
            tries += 1
            context = Context(request_id=request_id, use_cached_token=use_cached_token)
            uow = UnitOfWork(sessions, context, self._vocabulary)
            try:
                async with uow:
                    return await work(uow)
            except StaleTokenError:
                use_cached_token = False
                continue
            except Exception as error:
                failure = classify(error)
                if failure is Failure.BUG:
                    raise
                if tries >= MOST_TRIES or not _may_repeat(failure, uow, tries, reading=reading):
                    raise UnavailableError("the database is not available") from error
            await asyncio.sleep(random.uniform(0, FIRST_PAUSE * 2**tries))  # noqa: S311 - no secret


def _may_repeat(failure: Failure, uow: UnitOfWork, tries: int, *, reading: bool) -> bool:
    if failure is Failure.RETRY:
        return True
    if failure is Failure.STALE:
        return tries == 1
    # A statement that stands alone commits by itself: whether a write did is unknown.
    undone = reading or (uow.began and not uow.committing)
    return failure is Failure.LOST and undone and tries <= 2
