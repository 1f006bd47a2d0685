"""One request, one unit of work: the only place that commits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from groupsvc.core.accounts.repository import AccountRepository
from groupsvc.core.changes.repository import ChangeRepository
from groupsvc.core.class_lists.repository import ClassListRepository
from groupsvc.core.cohorts.repository import CohortRepository
from groupsvc.core.courses.auto_assignment_repository import AutoAssignmentRepository
from groupsvc.core.courses.repository import CourseRepository
from groupsvc.core.departments.repository import DepartmentRepository
from groupsvc.core.enrollments.repository import EnrollmentRepository
from groupsvc.core.groups.repository import GroupRepository
from groupsvc.core.idempotency import IdempotencyRepository
from groupsvc.core.jobs.repository import JobRepository
from groupsvc.core.memberships.repository import MembershipRepository
from groupsvc.core.partitions.repository import PartitionRepository
from groupsvc.core.repository import Repository
from groupsvc.core.users.repository import UserRepository
from groupsvc.db.connection import Connection, Context
from groupsvc.db.constraints import broken_constraints
from groupsvc.db.engine import Sessions
from groupsvc.db.failures import Failure, classify
from groupsvc.domain.vocabulary import Vocabulary

R = TypeVar("R", bound=Repository)

NO_WORDS = Vocabulary()


class _Lazy(Generic[R]):
    """A repository that is made when it is first asked for: most requests need one or two."""

    def __init__(self, kind: type[R]) -> None:
        self._kind = kind

    def __set_name__(self, _: type["UnitOfWork"], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, unit: None, _: Any) -> Self: ...
    @overload
    def __get__(self, unit: "UnitOfWork", _: Any) -> R: ...
    def __get__(self, unit: "UnitOfWork | None", _: Any) -> R | Self:
        if unit is None:
            return self
        made = self._kind(unit.connection, unit.context)
        unit.__dict__[self._name] = made
        return made


class UnitOfWork:
    """What one request does to the database.

    A statement stands alone until ``begin`` makes all that follow one transaction, which a clean
    exit commits and any other rolls back. ``decisions`` are the permissions that were needed, so
    that a repeated request can be decided anew.
    """

    accounts = _Lazy(AccountRepository)
    auto_assignments = _Lazy(AutoAssignmentRepository)
    changes = _Lazy(ChangeRepository)
    class_lists = _Lazy(ClassListRepository)
    cohorts = _Lazy(CohortRepository)
    courses = _Lazy(CourseRepository)
    departments = _Lazy(DepartmentRepository)
    enrollments = _Lazy(EnrollmentRepository)
    groups = _Lazy(GroupRepository)
    idempotency = _Lazy(IdempotencyRepository)
    jobs = _Lazy(JobRepository)
    memberships = _Lazy(MembershipRepository)
    partitions = _Lazy(PartitionRepository)
    users = _Lazy(UserRepository)

    def __init__(
        self,
        sessions: Sessions,
        context: Context | None = None,
        vocabulary: Vocabulary = NO_WORDS,
    ) -> None:
        self.vocabulary = vocabulary
        self.context = context or Context()
        self.connection = Connection(sessions, self.context)
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
        session = await self.connection.session()
        async with session.begin_nested() as inner:
            yield
            if rollback:
                await inner.rollback()

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
            if exc is None or classify(exc) is Failure.BUG:
                await self.connection.confirm()
            if exc_type is None and self.began:
                self.committing = True
                with broken_constraints():
                    await (await self.connection.session()).commit()
        finally:
            await self.connection.close()
