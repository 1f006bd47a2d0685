"""What every 409 and 412 tells besides: what is there now, and who changed what when.

It follows from the path of the request and the code of the refusal, for all routes alike. It is
read once the refusal is certain, when nothing is held any more, and only where the caller may read.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from fastapi import Request, Response
from typing_extensions import override

from groupsvc.core.accounts.service import AccountService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.departments.service import DepartmentService
from groupsvc.core.enrollments.service import EnrollmentService
from groupsvc.core.groups.service import GroupService
from groupsvc.core.partitions.service import SHOWN, PartitionService
from groupsvc.core.service import OUTSIDE
from groupsvc.core.undo.service import UndoService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.core.users.service import UserService
from groupsvc.domain.errors import (
    ConflictError,
    GroupsvcError,
    PreconditionFailedError,
)
from groupsvc.domain.json_resource import JsonResource
from groupsvc.domain.principal import Permission, Place, Principal
from groupsvc.http.problems import Problems
from groupsvc.http.routing import app_state

_log = logging.getLogger(__name__)

Ids = Mapping[str, Any]
Facts = dict[str, Any]
Resource = JsonResource[Any]

NOTHING: Final[Mapping[str, Any]] = {"etag": None, "current": None, "changes": ()}

# What shows in a course, and stands in the way of changing it.
OF_COURSE: Final = ("course", "partition", "cohort_settings", "content_partition")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about: where its path has these ids.

    ``nouns`` begin the kinds of changes to tell, ``about`` says by which columns these are found.
    """

    ids: Sequence[str]
    read: Callable[[UnitOfWork, Principal, Ids], Awaitable[Resource]]
    nouns: Sequence[str]
    about: Callable[[Any], Mapping[str, int]]


def _group(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return GroupService(uow, caller).read(ids["group_id"])


def _partition(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return PartitionService(uow, caller).read(ids["partition_id"])


def _enrollment(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return EnrollmentService(uow, caller).read(ids["course_id"], ids["user_id"])


def _course(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return CourseService(uow, caller).read(ids["course_id"])


def _course_of_key(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return CourseService(uow, caller).read_key(ids["key"])


async def _course_of_changeset(uow: UnitOfWork, caller: Principal, ids: Ids) -> Resource:
    course_id = await UndoService(uow, caller).first_course(str(ids["changeset_id"]))
    return await CourseService(uow, caller).read(course_id)


def _user(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return UserService(uow, caller).read(ids["user_id"])


def _user_of_name(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return UserService(uow, caller).read_name(ids["username"])


def _department(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return DepartmentService(uow, caller).read(ids["acronym"])


def _account(uow: UnitOfWork, caller: Principal, ids: Ids) -> Awaitable[Resource]:
    return AccountService(uow, caller).read(ids["name"])


GROUP: Final = Subject(
    ("group_id",),
    _group,
    ("group", "membership", "preassignment"),
    lambda found: {"course_id": found["course_id"], "group_id": found["id"]},
)
PARTITION: Final = Subject(
    ("partition_id",),
    _partition,
    SHOWN,
    lambda found: {"course_id": found["course_id"], "partition_id": found["id"]},
)
COURSE: Final = Subject(
    ("course_id",), _course, OF_COURSE, lambda found: {"course_id": found["id"]}
)
# The first of which a path has all the ids.
SUBJECTS: Final = (
    GROUP,
    PARTITION,
    Subject(
        ("course_id", "user_id"),
        _enrollment,
        ("enrollment", "membership"),
        lambda found: {"course_id": found["course_id"], "user_id": found["user_id"]},
    ),
    COURSE,
    Subject(("key",), _course_of_key, OF_COURSE, lambda found: {"course_id": found["id"]}),
    Subject(
        ("changeset_id",), _course_of_changeset, OF_COURSE, lambda found: {"course_id": found["id"]}
    ),
    Subject(("user_id",), _user, ("user",), lambda found: {"user_id": found["id"]}),
    Subject(("username",), _user_of_name, ("user",), lambda found: {"user_id": found["id"]}),
    Subject(("acronym",), _department, (), lambda _: {}),
    Subject(("name",), _account, ("account", "grant"), lambda _: {"course_id": OUTSIDE}),
)


class ToldConflicts(Problems):
    """Refusals of the native face. Those that need it say what is there now."""

    @override
    async def refused(self, request: Request, error: Exception) -> Response:
        refusal = self.rule(cast("GroupsvcError", error))
        if isinstance(error, (ConflictError, PreconditionFailedError)):
            told = {} if "changes" in error.facts else await _present(request, error)
            refusal = refusal._replace(facts={**NOTHING, **told, **refusal.facts})
        return self.answer(request, refusal)


PROBLEMS: Final = ToldConflicts()


async def _present(request: Request, error: GroupsvcError) -> Facts:
    """Nothing, where there is no one thing to tell of, or the caller may not read it."""
    state: dict[str, Any] = request.scope.get("state", {})
    caller: Principal | None = state.get("principal")
    ids = {**request.path_params, **error.about}
    subject = next((each for each in SUBJECTS if all(name in ids for name in each.ids)), None)
    if caller is None or subject is None:
        return {}

    async def read(uow: UnitOfWork) -> Facts:
        uow.context.sight = caller.sight
        return await _told(uow, caller, subject, ids, error.code)

    try:
        return await app_state(request).units.run(state["request_id"], read)
    except GroupsvcError as unread:
        # Gone, out of sight, or the database is away: the refusal itself stands.
        _log.debug("nothing is told beside a refusal: %s", unread.code)
        return {}


async def _told(uow: UnitOfWork, caller: Principal, subject: Subject, ids: Ids, code: str) -> Facts:
    found = await subject.read(uow, caller, ids)
    about = subject.about(found.data)
    if code == "course_locked" and subject is not COURSE and "course_id" in about:
        return await _told(uow, caller, COURSE, about, code)
    if code == "groups_not_editable" and subject is GROUP:
        return await _told(uow, caller, PARTITION, found.data, code)
    if code == "not_enrolled" and "user_id" in ids:
        who = {"course_id": found.data["course_id"], "user_id": ids["user_id"]}
        return {"changes": await uow.changes.latest(("enrollment",), **who)}
    if "acronym" in subject.ids:
        changes = await uow.departments.latest(found.data["acronym"])
    else:
        changes = await uow.changes.latest(subject.nouns, **about)
    if not _reads_changes(caller, found):
        changes = []
    return {"etag": found.etag, "current": found.data, "changes": changes}


def _reads_changes(caller: Principal, found: Resource) -> bool:
    """Some may read a user or an account, and not the change log of their place."""
    place = Place(found.department, found.course) if found.department else None
    return caller.may(Permission.GROUPS_READ, place)
