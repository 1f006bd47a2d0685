"""Courses, their lock and their board."""

from typing import Annotated

from fastapi import Query

from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Paging, Resource
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import BoardOut, CourseIn, CourseOut, PageOut, PathId
from groupsvc.http.dependencies import CourseServiceDep

routes = Routes("courses")


@routes.get("/courses", "Courses", PageOut[CourseOut])
async def list_courses(
    courses: CourseServiceDep,
    page: Paging,
    department: Annotated[str | None, Query(max_length=64)] = None,
) -> Page:
    """Those that the caller may read, by id."""
    (after,) = page.after(0)
    return await courses.page(department=department, after=after, limit=page.limit)


@routes.get("/courses/by-key/{key:path}", "A course by its key", CourseOut)
async def get_course_by_key(key: str, courses: CourseServiceDep) -> Resource:
    """A key may hold slashes."""
    return await courses.read_key(key)


@routes.put(
    "/courses/by-key/{key:path}",
    "Declare a course",
    CourseOut,
    permission=Permission.ROSTER_WRITE,
    location="/v1/courses/{id}",
)
async def put_course(
    key: str, body: CourseIn, courses: CourseServiceDep, expected: IfMatchDep
) -> Declared:
    """Creates the course with its default partition, or updates it.

    Dates and what the course is a part of keep their values when they are absent; null clears.
    """
    return await courses.declare(
        key,
        department=body.department,
        title=body.title,
        details=body.model_dump(mode="json", exclude_unset=True, exclude={"department", "title"}),
        expected=expected,
    )


@routes.get("/courses/{course_id:int}", "A course", CourseOut)
async def get_course(course_id: PathId, courses: CourseServiceDep) -> Resource:
    """A course without its partitions."""
    return await courses.read(course_id)


@routes.delete("/courses/{course_id:int}", "Delete a course", permission=Permission.ADMIN)
async def delete_course(course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep) -> None:
    """Its partitions, groups, memberships and enrollments go with it; its change log stays."""
    await courses.delete(course_id, expected=expected)


@routes.put(
    "/courses/{course_id:int}/lock",
    "Lock a course",
    CourseOut,
    permission=Permission.ADMIN,
    never=(409,),
)
async def lock_course(
    course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep
) -> Resource:
    """From now on nobody changes its partitions, groups and memberships, through any face."""
    return await courses.set_lock(course_id, locked=True, expected=expected)


@routes.delete(
    "/courses/{course_id:int}/lock",
    "Unlock a course",
    CourseOut,
    permission=Permission.ADMIN,
    never=(409,),
)
async def unlock_course(
    course_id: PathId, courses: CourseServiceDep, expected: IfMatchDep
) -> Resource:
    """No error and no change when it is not locked."""
    return await courses.set_lock(course_id, locked=False, expected=expected)


@routes.get("/courses/{course_id:int}/board", "Everything a group editor shows", BoardOut)
async def get_board(
    course_id: PathId,
    courses: CourseServiceDep,
    members: Annotated[
        bool, Query(description="False leaves out the users and keeps the counts")
    ] = True,
) -> Resource:
    """Partitions in order, groups in order with members and counts, users in no group."""
    return await courses.board(course_id, with_members=members)
