"""One request, one unit of work: the only place that commits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, overload

from groupsvc.db.constraints import broken_constraints
from groupsvc.db.engine import Sessions
from groupsvc.db.failures import Failure, classify
from groupsvc.repositories.accounts import AccountRepository
from groupsvc.repositories.auto_assignments import AutoAssignmentRepository
from groupsvc.repositories.changes import ChangeRepository
from groupsvc.repositories.cohort_members import CohortMemberRepository
from groupsvc.repositories.cohort_sets import CohortSetRepository
from groupsvc.repositories.cohorts import CohortRepository
from groupsvc.repositories.connection import Connection, Context
from groupsvc.repositories.courses import CourseRepository
from groupsvc.repositories.departments import DepartmentRepository
from groupsvc.repositories.enrollments import EnrollmentRepository
from groupsvc.repositories.exports import ExportRepository
from groupsvc.repositories.feed import FeedRepository
from groupsvc.repositories.groups import GroupRepository
from groupsvc.repositories.idempotency import IdempotencyRepository
from groupsvc.repositories.imports import ImportRepository
from groupsvc.repositories.jobs import JobRepository
from groupsvc.repositories.memberships import MembershipRepository
from groupsvc.repositories.partitions import PartitionRepository
from groupsvc.repositories.preassignments import PreassignmentRepository
from groupsvc.repositories.repository import Repository
from groupsvc.repositories.rolls import RollRepository
from groupsvc.repositories.users import UserRepository

R = TypeVar("R", bound=Repository)


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
    cohort_members = _Lazy(CohortMemberRepository)
    cohort_sets = _Lazy(CohortSetRepository)
    cohorts = _Lazy(CohortRepository)
    courses = _Lazy(CourseRepository)
    departments = _Lazy(DepartmentRepository)
    enrollments = _Lazy(EnrollmentRepository)
    exports = _Lazy(ExportRepository)
    feed = _Lazy(FeedRepository)
    groups = _Lazy(GroupRepository)
    idempotency = _Lazy(IdempotencyRepository)
    imports = _Lazy(ImportRepository)
    jobs = _Lazy(JobRepository)
    memberships = _Lazy(MembershipRepository)
    partitions = _Lazy(PartitionRepository)
    preassignments = _Lazy(PreassignmentRepository)
    rolls = _Lazy(RollRepository)
    users = _Lazy(UserRepository)

    def __init__(self, sessions: Sessions, context: Context | None = None) -> None:
        self.context = context or Context()
        self.connection = Connection(sessions, self.context)
        self.began = False
        self.committing = False
        self.decisions: list[tuple[str, str | None, str | None]] = []

    async def begin(self, *, snapshot: bool = False) -> None:
        """Make everything that follows one transaction. Calling it again changes nothing.

        In a ``snapshot`` all that is read is of the same moment.
        """
        if not self.began:
            await self.connection.begin(snapshot=snapshot)
            self.began = True

    @asynccontextmanager
    async def attempt(self, *, keep: bool = True) -> AsyncGenerator[None]:
        """A part of the transaction that is undone when it fails, or is not to be kept."""
        await self.begin()
        session = await self.connection.session()
        async with session.begin_nested() as savepoint:
            yield
            if not keep:
                await savepoint.rollback()

    async def because(self, cause: str) -> None:
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
        """Raises UnconfirmedError where nothing has confirmed the caller, refusals included."""
        try:
            if exc is None or classify(exc) is Failure.BUG:
                await self.connection.confirm()
            if exc_type is None and self.began:
                self.committing = True
                with broken_constraints():
                    await (await self.connection.session()).commit()
        finally:
            await self.connection.close()
