"""Departments."""

from groupsvc.domain.json_resource import Page
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.endpoints import Declared, IfMatchDep, Paging, Resource
from groupsvc.faces.v1.roster_schemas import DepartmentIdsOut, DepartmentIn, DepartmentOut
from groupsvc.faces.v1.routing import Routes
from groupsvc.faces.v1.schemas import PageOut
from groupsvc.http.dependencies import DepartmentServiceDep

routes = Routes("departments")


@routes.get("/departments", "Departments", PageOut[DepartmentOut])
async def list_departments(departments: DepartmentServiceDep, page: Paging) -> Page:
    """Those that the caller may read as a whole, by acronym."""
    (after,) = page.after("")
    return await departments.page(after=after, limit=page.limit)


@routes.get("/departments/{acronym}", "A department", DepartmentOut)
async def get_department(acronym: str, departments: DepartmentServiceDep) -> Resource:
    """A department by its acronym."""
    return await departments.read(acronym)


@routes.get("/departments/{acronym}/ids", "The ids of a department", DepartmentIdsOut)
async def get_department_ids(acronym: str, departments: DepartmentServiceDep) -> Resource:
    """For callers of the ScoDoc face, which names departments by `foreign_id`, else by `id`."""
    return await departments.ids(acronym)


@routes.put(
    "/departments/{acronym}",
    "Declare a department",
    DepartmentOut,
    permission=Permission.ADMIN,
    never=(409,),
)
async def put_department(
    acronym: str, body: DepartmentIn, departments: DepartmentServiceDep, expected: IfMatchDep
) -> Declared:
    """Creates the department or updates it; for callers who are admin everywhere.

    The acronym is unique and stays: grants name the department by it.
    """
    return await departments.declare(acronym, name=body.name, expected=expected)


@routes.delete("/departments/{acronym}", "Delete a department", permission=Permission.ADMIN)
async def delete_department(
    acronym: str, departments: DepartmentServiceDep, expected: IfMatchDep
) -> None:
    """For callers who are admin everywhere; refused while it has users or courses."""
    await departments.delete(acronym, expected=expected)
