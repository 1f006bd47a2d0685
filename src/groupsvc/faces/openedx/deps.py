"""Services bound to the request's unit of work and caller, and refusals in other words."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from groupsvc.domain.errors import ForbiddenError, GroupsvcError
from groupsvc.faces.openedx.errors import COURSE_NOT_FOUND, ApiError
from groupsvc.http.dependencies import CohortMemberServiceDep as MembersDep
from groupsvc.http.dependencies import CohortServiceDep as CohortsDep
from groupsvc.http.dependencies import CohortUploadServiceDep as UploadsDep

__all__ = ["CohortsDep", "MembersDep", "UploadsDep", "for_staff", "translate_errors"]


@contextmanager
def translate_errors(words: Mapping[str, ApiError]) -> Generator[None]:
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
