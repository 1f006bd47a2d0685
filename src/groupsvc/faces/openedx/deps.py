"""Services bound to the request's unit of work and caller, and refusals in other words."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends

from groupsvc.core.cohorts.edits import CohortEditService
from groupsvc.core.cohorts.members import CohortMemberService
from groupsvc.core.cohorts.service import CohortService
from groupsvc.core.cohorts.sets import CohortSetService
from groupsvc.core.cohorts.uploads import CohortUploadService
from groupsvc.domain.errors import ForbiddenError, GroupsvcError
from groupsvc.faces.openedx.errors import COURSE_NOT_FOUND, ApiError
from groupsvc.http.access import bound

SetsDep = Annotated[CohortSetService, Depends(bound(CohortSetService))]
EditsDep = Annotated[CohortEditService, Depends(bound(CohortEditService))]
MembersDep = Annotated[CohortMemberService, Depends(bound(CohortMemberService))]
UploadsDep = Annotated[CohortUploadService, Depends(bound(CohortUploadService))]
ContentDep = Annotated[CohortService, Depends(bound(CohortService))]


@contextmanager
def saying(words: Mapping[str, ApiError]) -> Generator[None]:
    """Put refusals into the words of an endpoint, by their code."""
    try:
        yield
    except GroupsvcError as error:
        if error.code in words:
            raise words[error.code] from error
        raise


@contextmanager
def for_staff() -> Generator[None]:
    """Whoever was admitted to read, and asks for what is for staff, does not find the course."""
    try:
        yield
    except ForbiddenError as error:
        raise ApiError(404, COURSE_NOT_FOUND) from error
