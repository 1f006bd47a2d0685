"""What endpoints ask for: services bound to the request's unit of work and caller."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Query
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
from groupsvc.core.service import IfMatch, Service
from groupsvc.core.users.service import UserService
from groupsvc.http.app_state import app_state
from groupsvc.http.responses import if_match_header
from groupsvc.import_export.exports import ExportService
from groupsvc.import_export.imports import ImportService

S = TypeVar("S", bound=Service)

MOST_ITEMS = 200


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


async def expected_tags(
    if_match: Annotated[
        str | None,
        Header(max_length=1024, description="Entity tags, of which one must still be right"),
    ] = None,
) -> IfMatch | None:
    return if_match_header(if_match)


IfMatchDep = Annotated[IfMatch | None, Depends(expected_tags)]

Limit = Annotated[
    int | None, Query(ge=1, le=MOST_ITEMS, description="Items on the page, 50 unless set otherwise")
]
Cursor = Annotated[
    str | None, Query(max_length=2048, description="`next_cursor` of the page before")
]


def page_size(request: Request, limit: int | None) -> int:
    return limit if limit is not None else app_state(request).settings.page_size
