"""Enrollments: who is in a course, in which state and on which track."""

from typing import Annotated

from fastapi import Query

from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Paging, Resource
from groupsvc.faces.v1.roster_schemas import (
    EnrollmentIn,
    EnrollmentOut,
    EnrollmentPatch,
    Searched,
)
from groupsvc.faces.v1.routing import Routes, created
from groupsvc.faces.v1.schemas import PageOut, PathId, State
from groupsvc.http.dependencies import EnrollmentServiceDep

routes = Routes("enrollments")


@routes.get("/courses/{course_id:int}/enrollments", "Who is in a course", PageOut[EnrollmentOut])
async def list_enrollments(
    course_id: PathId,
    enrollments: EnrollmentServiceDep,
    page: Paging,
    state: Annotated[State | None, Query(description="Only users in this state")] = None,
    search: Searched = None,
) -> Page:
    """By user id."""
    (after,) = page.after(0)
    return await enrollments.page(
        course_id, state=state, search=search, after=after, limit=page.limit
    )


@routes.get(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    "A user's enrollment in a course",
    EnrollmentOut,
)
async def get_enrollment(
    course_id: PathId, user_id: PathId, enrollments: EnrollmentServiceDep
) -> Resource:
    """Not found when the user is not in the course."""
    return await enrollments.read(course_id, user_id)


@routes.put(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    "Enroll a user",
    EnrollmentOut,
    permission=Permission.ROSTER_WRITE,
    responses=created(EnrollmentOut, "Enrolled just now"),
)
async def put_enrollment(
    course_id: PathId,
    user_id: PathId,
    body: EnrollmentIn,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> Declared:
    """Enrolls the user, or sets their state; `withdrawn` and `defaulted` keep the memberships.

    A track puts them into the group of that name of the tracks partition, null takes them out of
    it, and without one nothing changes. So does a cohort, for callers with `groups:write`.
    """
    return await enrollments.declare(course_id, user_id, body.given(), expected=expected)


@routes.patch(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    "Change the state or track of an enrollment",
    EnrollmentOut,
    permission=Permission.ROSTER_WRITE,
)
async def edit_enrollment(
    course_id: PathId,
    user_id: PathId,
    body: EnrollmentPatch,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> Resource:
    """A merge: what is not named stays as it is. Not found when the user is not in the course."""
    return await enrollments.edit(course_id, user_id, body.given(), expected=expected)


@routes.delete(
    "/courses/{course_id:int}/enrollments/{user_id:int}",
    "Take a user out of a course",
    permission=Permission.ROSTER_WRITE,
)
async def delete_enrollment(
    course_id: PathId,
    user_id: PathId,
    enrollments: EnrollmentServiceDep,
    expected: IfMatchDep,
) -> None:
    """The user's memberships in the course end, but for that in a cohort.

    No error and no change when the user is not in the course.
    """
    await enrollments.delete(course_id, user_id, expected=expected)
