"""What endpoints ask for: services bound to the request's unit of work and caller."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Query
from starlette.requests import Request

from groupsvc.core.changes.service import ChangeService
from groupsvc.core.cohorts.assignment import CohortAssignmentService
from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.cohorts.preassignments import PreassignmentService
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.cohorts.uploads import CohortUploadService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.groups.service import GroupService
from groupsvc.core.memberships.service import MembershipService
from groupsvc.core.partitions.service import PartitionService
from groupsvc.core.service import IfMatch, Service
from groupsvc.http.app_state import app_state
from groupsvc.http.responses import if_match_header

S = TypeVar("S", bound=Service)

MOST_ITEMS = 200


def bound(kind: type[S]) -> Callable[[Request], Awaitable[S]]:
    """A dependency that makes a service for the caller in the request's unit of work."""

    async def make(request: Request) -> S:
        state = request.scope["state"]
        return kind(state["uow"], state["principal"])

    return make


ChangeServiceDep = Annotated[ChangeService, Depends(bound(ChangeService))]
CohortAssignmentServiceDep = Annotated[
    CohortAssignmentService, Depends(bound(CohortAssignmentService))
]
CohortMemberServiceDep = Annotated[CohortMemberService, Depends(bound(CohortMemberService))]
CohortServiceDep = Annotated[CohortService, Depends(bound(CohortService))]
CohortUploadServiceDep = Annotated[CohortUploadService, Depends(bound(CohortUploadService))]
CourseServiceDep = Annotated[CourseService, Depends(bound(CourseService))]
GroupServiceDep = Annotated[GroupService, Depends(bound(GroupService))]
MembershipServiceDep = Annotated[MembershipService, Depends(bound(MembershipService))]
PartitionServiceDep = Annotated[PartitionService, Depends(bound(PartitionService))]
PreassignmentServiceDep = Annotated[PreassignmentService, Depends(bound(PreassignmentService))]


async def _expected(
    if_match: Annotated[
        str | None,
        Header(max_length=1024, description="Entity tags, of which one must still be right"),
    ] = None,
) -> IfMatch | None:
    return if_match_header(if_match)


IfMatchDep = Annotated[IfMatch | None, Depends(_expected)]

Limit = Annotated[
    int | None, Query(ge=1, le=MOST_ITEMS, description="Items on the page, 50 unless set otherwise")
]
Cursor = Annotated[
    str | None, Query(max_length=2048, description="`next_cursor` of the page before")
]


def page_size(request: Request, limit: int | None) -> int:
    return limit if limit is not None else app_state(request).settings.page_size


KeyHeader = Header(
    alias="Idempotency-Key",
    max_length=257,
    description="A key of your choice: repeated within a day, the request is answered again "
    "and not done again",
)


async def _documented_key(idempotency_key: Annotated[str | None, KeyHeader] = None) -> Any:
    """The route class acts on the key; this declares it."""
    return idempotency_key


IDEMPOTENT = Depends(_documented_key)
