"""What endpoints ask for: services bound to the request's unit of work and caller."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends
from starlette.requests import Request

from groupsvc.core.accounts.me import CallerService
from groupsvc.core.accounts.service import AccountService
from groupsvc.core.changes.service import ChangeService
from groupsvc.core.cohorts.assignment import CohortAssignmentService
from groupsvc.core.cohorts.content_groups import ContentGroupService
from groupsvc.core.cohorts.preassignments import PreassignmentService
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.cohorts.uploads import CohortUploadService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.departments.service import DepartmentService
from groupsvc.core.enrollments.service import EnrollmentService
from groupsvc.core.groups.service import GroupService
from groupsvc.core.memberships.service import MembershipService
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import Service
from groupsvc.core.users.service import UserService
from groupsvc.import_export.exports import ExportService
from groupsvc.import_export.imports import ImportService

S = TypeVar("S", bound=Service)


def bound(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A dependency that makes a service for the caller in the request's unit of work."""

    async def make(request: Request) -> S:
        state = request.scope["state"]
        return kind(state["uow"], state["principal"])

    return make


AccountServiceDep = Annotated[AccountService, Depends(bound(AccountService))]
CallerServiceDep = Annotated[CallerService, Depends(bound(CallerService))]
ChangeServiceDep = Annotated[ChangeService, Depends(bound(ChangeService))]
CohortAssignmentServiceDep = Annotated[
    CohortAssignmentService, Depends(bound(CohortAssignmentService))
]
CohortServiceDep = Annotated[CohortService, Depends(bound(CohortService))]
CohortUploadServiceDep = Annotated[CohortUploadService, Depends(bound(CohortUploadService))]
ContentGroupServiceDep = Annotated[ContentGroupService, Depends(bound(ContentGroupService))]
CourseServiceDep = Annotated[CourseService, Depends(bound(CourseService))]
DepartmentServiceDep = Annotated[DepartmentService, Depends(bound(DepartmentService))]
EnrollmentServiceDep = Annotated[EnrollmentService, Depends(bound(EnrollmentService))]
ExportServiceDep = Annotated[ExportService, Depends(bound(ExportService))]
GroupServiceDep = Annotated[GroupService, Depends(bound(GroupService))]
ImportServiceDep = Annotated[ImportService, Depends(bound(ImportService))]
MembershipServiceDep = Annotated[MembershipService, Depends(bound(MembershipService))]
PartitionServiceDep = Annotated[PartitionService, Depends(bound(PartitionService))]
PreassignmentServiceDep = Annotated[PreassignmentService, Depends(bound(PreassignmentService))]
UserServiceDep = Annotated[UserService, Depends(bound(UserService))]
