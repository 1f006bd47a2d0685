"""One request, one unit of work: the only place that commits, and that tries again."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from groupsvc.core.accounts.repository import AccountRepository
from groupsvc.core.changes.repository import ChangeRepository
from groupsvc.core.class_lists.repository import ClassListRepository
from groupsvc.core.cohorts.repository import CohortRepository
from groupsvc.core.courses.auto_assignment_repository import AutoAssignmentRepository
from groupsvc.core.courses.repository import CourseRepository
from groupsvc.core.departments.repository import DepartmentRepository
from groupsvc.core.directory.repository import DirectoryRepository
from groupsvc.core.enrollments.repository import EnrollmentRepository
from groupsvc.core.groups.repository import GroupRepository
from groupsvc.core.idempotency import IdempotencyRepository
from groupsvc.core.jobs.repository import JobRepository
from groupsvc.core.memberships.repository import MembershipRepository
from groupsvc.core.partitions.repository import PartitionRepository
from groupsvc.core.repository import Connection, Context, Repository, StaleTokenError
from groupsvc.core.roles.repository import RoleRepository
from groupsvc.core.users.repository import UserRepository
from groupsvc.db.failures import Failure, classify, remedy, sqlstate
from groupsvc.db.pool import ConnectionPool
from groupsvc.db.standbys import Standbys
from groupsvc.domain.errors import ThrottledError, UnavailableError
from groupsvc.domain.vocabulary import Vocabulary
from groupsvc.recorder import SILENT, Recorder

_log = logging.getLogger(__name__)

R = TypeVar("R", bound=Repository)
T = TypeVar("T")

NO_WORDS = Vocabulary()
MOST_TRIES = 6
FIRST_PAUSE = 0.005  # seconds


def _repository(kind: type[R]) -> cached_property[R]:
    """Made when it is first asked for: most requests need one or two."""
    return cached_property(lambda unit: kind(unit.connection, unit.context))


class UnitOfWork:
    """What one request does to the database.

    A statement stands alone until ``begin`` makes all that follow one transaction, which a clean
    exit commits and any other rolls back. ``decisions`` are the permissions that were needed, so
    that a repeated request can be decided anew.
    """

    accounts = _repository(AccountRepository)
    auto_assignments = _repository(AutoAssignmentRepository)
    changes = _repository(ChangeRepository)
    class_lists = _repository(ClassListRepository)
    cohorts = _repository(CohortRepository)
    courses = _repository(CourseRepository)
    departments = _repository(DepartmentRepository)
    directory = _repository(DirectoryRepository)
    enrollments = _repository(EnrollmentRepository)
    groups = _repository(GroupRepository)
    idempotency = _repository(IdempotencyRepository)
    jobs = _repository(JobRepository)
    memberships = _repository(MembershipRepository)
    partitions = _repository(PartitionRepository)
    roles = _repository(RoleRepository)
    users = _repository(UserRepository)

    def __init__(
        self,
        pool: ConnectionPool,
        context: Context | None = None,
        vocabulary: Vocabulary = NO_WORDS,
        standbys: Standbys | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.context = context or Context()
        self.connection = Connection(pool, self.context, standbys)
        self.began = False
        self.committing = False
        self.decisions: list[tuple[str, str | None, str | None]] = []

    def repository(self, kind: type[R]) -> R:
        """A repository that is not among those above, of this unit of work."""
        return kind(self.connection, self.context)

    async def begin(self, *, snapshot: bool = False) -> None:
        """Make everything that follows one transaction. Calling it again changes nothing.

        In a ``snapshot`` all that is read is of the same moment.
        """
        if not self.began:
            await self.connection.begin(snapshot=snapshot)
            self.began = True

    @asynccontextmanager
    async def savepoint(self, *, rollback: bool = False) -> AsyncGenerator[None]:
        """A part of the transaction that is undone when it fails, or in any case."""
        await self.begin()
        async with self.connection.savepoint(rollback=rollback):
            yield

    async def set_cause(self, cause: str) -> None:
        """Tell the change log why, from here to the end of the transaction."""
        self.context.cause = cause
        await self.connection.act()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raises StaleTokenError where nothing has confirmed the caller, refusals included."""
        try:
            # Whoever calls too often is to cost no statement.
            is_throttled = isinstance(exc, ThrottledError)
            if exc is None or (classify(exc) is Failure.PERMANENT and not is_throttled):
                await self.connection.confirm()
            if exc_type is None and self.began:
                self.committing = True
                await self.connection.commit()
        finally:
            await self.connection.close()


class TransactionRunner:
    """Makes units of work, and judges their failures."""

    def __init__(
        self,
        pool: ConnectionPool,
        bulk: ConnectionPool | None = None,
        vocabulary: Vocabulary = NO_WORDS,
        recorder: Recorder = SILENT,
        standbys: Standbys | None = None,
    ) -> None:
        self._vocabulary, self._recorder = vocabulary, recorder
        self.standbys = standbys
        self._pool = pool
        self._bulk = bulk or pool

    async def run(
        self,
        request_id: str,
        work: Callable[[UnitOfWork], Awaitable[T]],
        *,
        reading: bool = False,
        bulk: bool = False,
    ) -> T:
        """Do the work and commit. ``work`` may be called several times.

        ``bulk`` takes a connection that may be slow, out of a small pool of its own. When it is
        ``reading``, standbys are asked, and the primary is where one of them refuses or fails: a
        standby is never the reason why something is not there.

        A lost race is run again, and a lost connection when nothing can have been committed.
        Raises UnavailableError when the database is away, busy or too slow, or when a commit was
        cut off and its outcome is unknown.
        """
        tries = 0
        pool = self._bulk if bulk else self._pool
        standbys = self.standbys if reading and not bulk else None
        use_cached_token = True
        while True:
            tries += 1
            context = Context(request_id=request_id, use_cached_token=use_cached_token)
            uow = UnitOfWork(pool, context, self._vocabulary, standbys)
            try:
                async with uow:
                    return await work(uow)
            except Exception as error:
                if uow.connection.standby is not None:
                    standbys, tries = None, 0
                    continue
                if isinstance(error, StaleTokenError):
                    use_cached_token = False
                    continue
                failure = classify(error)
                if failure is Failure.PERMANENT:
                    raise
                if failure is Failure.UNFIT:
                    _log.error("the database cannot be used: %s", remedy(error))
                again = tries < MOST_TRIES and _may_repeat(failure, uow, tries, reading=reading)
                self._recorder.failed(failure.value, sqlstate(error), retried=again)
                if not again:
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
