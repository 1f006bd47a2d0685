"""The tree of refusals: what a caller may be told, in words that no face has dressed yet.

GroupsvcError
├── NotFoundError            no such thing, or not for this caller to see
├── ConflictError            a well-formed request that a rule refuses
│   ├── LockedError          the course is locked
│   ├── NotEditableError     the partition does not let its groups be changed
│   ├── NameTakenError       the name is in use in this course or partition
│   ├── FullError            the group's capacity would be exceeded
│   ├── NotEnrolledError     the user is not enrolled in the course
│   └── LastRandomCohortError
├── InvalidError             a value that no schema could have caught
│   └── InvalidJsonError     the body is not the JSON that is accepted here
├── PreconditionFailedError  the resource is not what the caller last saw
├── UnauthenticatedError     who are you?
├── ForbiddenError           seen, but not for this caller to do
├── ThrottledError           not so often
└── UnavailableError         try again: the database is away or the deadline has passed

Every class has a stable ``code``; an instance may carry one of its own. ``facts`` are plain values
for the body of the answer, never text of the caller that has not been checked.
"""

from collections.abc import Mapping
from typing import Any


class GroupsvcError(Exception):
    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.facts: Mapping[str, Any] = facts
        # Ids of what stood in the way, by their names in paths, where the request does not tell.
        self.about: Mapping[str, Any] = {}


class NotFoundError(GroupsvcError):
    code = "not_found"


class ConflictError(GroupsvcError):
    code = "conflict"


class LockedError(ConflictError):
    code = "course_locked"


class NotEditableError(ConflictError):
    code = "groups_not_editable"


class NameTakenError(ConflictError):
    code = "name_taken"


class FullError(ConflictError):
    code = "group_full"


class NotEnrolledError(ConflictError):
    code = "not_enrolled"


class LastRandomCohortError(ConflictError):
    code = "last_random_cohort"


class InvalidError(GroupsvcError):
    """``pointer`` (a JSON pointer into the body, or ``#/query/name``) may be among the facts."""

    code = "invalid"


class InvalidJsonError(InvalidError):
    """The reason never quotes the body."""

    code = "invalid_json"


class PreconditionFailedError(GroupsvcError):
    code = "precondition_failed"


class UnauthenticatedError(GroupsvcError):
    code = "unauthenticated"


class ForbiddenError(GroupsvcError):
    code = "forbidden"


class ThrottledError(GroupsvcError):
    """``retry_after`` in whole seconds is always among the facts."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(message, code=code, retry_after=retry_after)


class UnavailableError(GroupsvcError):
    """``retry_after`` in whole seconds is always among the facts."""

    code = "unavailable"

    def __init__(self, message: str, *, code: str | None = None, retry_after: int = 1) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
