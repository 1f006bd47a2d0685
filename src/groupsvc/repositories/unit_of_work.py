"""One request, one unit of work: the only place that commits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from groupsvc.db.constraints import broken_constraints
from groupsvc.db.engine import Sessions
from groupsvc.repositories.accounts import AccountRepository
from groupsvc.repositories.auto_assignments import AutoAssignmentRepository
from groupsvc.repositories.changes import ChangeRepository
from groupsvc.repositories.cohort_members import CohortMemberRepository
from groupsvc.repositories.cohort_sets import CohortSetRepository
from groupsvc.repositories.cohorts import CohortRepository
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
from groupsvc.repositories.repository import Context
from groupsvc.repositories.rolls import RollRepository
from groupsvc.repositories.statements import sql
from groupsvc.repositories.users import UserRepository

TRANSACTION: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
SNAPSHOT: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
ACT = sql(
    "SELECT set_config('groupsvc.actor', :actor, true), "
    "set_config('groupsvc.request_id', :request_id, true), "
    "set_config('groupsvc.cause', :cause, true)"
)


class UnitOfWork:
    """What one request does to the database.

    A statement stands alone until ``begin`` makes all that follow one transaction, which a clean
    exit commits and any other rolls back. ``decisions`` are the permissions that were needed, so
    that a repeated request can be decided anew.
    """

    def __init__(self, sessions: Sessions, context: Context | None = None) -> None:
        self._session = sessions()
        self.context = context or Context()
        self.began = False
        self.committing = False
        self.decisions: list[tuple[str, str | None, str | None]] = []
        given = (self._session, self.context)
        self.accounts = AccountRepository(*given)
        self.auto_assignments = AutoAssignmentRepository(*given)
        self.changes = ChangeRepository(*given)
        self.cohort_members = CohortMemberRepository(*given)
        self.cohort_sets = CohortSetRepository(*given)
        self.cohorts = CohortRepository(*given)
        self.courses = CourseRepository(*given)
        self.departments = DepartmentRepository(*given)
        self.enrollments = EnrollmentRepository(*given)
        self.exports = ExportRepository(*given)
        self.feed = FeedRepository(*given)
        self.groups = GroupRepository(*given)
        self.idempotency = IdempotencyRepository(*given)
        self.imports = ImportRepository(*given)
        self.jobs = JobRepository(*given)
        self.memberships = MembershipRepository(*given)
        self.partitions = PartitionRepository(*given)
        self.preassignments = PreassignmentRepository(*given)
        self.rolls = RollRepository(*given)
        self.users = UserRepository(*given)

    async def begin(self, *, snapshot: bool = False) -> None:
        """Make everything that follows one transaction. Calling it again changes nothing.

        In a ``snapshot`` all that is read is of the same moment.
        """
        if self.began:
            return
        await self._session.commit()
        await self._session.connection(execution_options=SNAPSHOT if snapshot else TRANSACTION)
        self.began = True
        await self._session.execute(ACT, self.context.parameters())

    @asynccontextmanager
    async def attempt(self, *, keep: bool = True) -> AsyncGenerator[None]:
        """A part of the transaction that is undone when it fails, or is not to be kept."""
        await self.begin()
        async with self._session.begin_nested() as savepoint:
            yield
            if not keep:
                await savepoint.rollback()

    async def because(self, cause: str) -> None:
        """Tell the change log why, from here to the end of the transaction."""
        self.context.cause = cause
        await self._session.execute(ACT, self.context.parameters())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        async with self._session:
            if exc_type is None and self.began:
                self.committing = True
                with broken_constraints():
                    await self._session.commit()
