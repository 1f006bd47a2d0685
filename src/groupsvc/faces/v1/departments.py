"""Departments."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.departments.service import DepartmentService
from groupsvc.domain.principal import Permission
from groupsvc.faces.v1.roster_schemas import DepartmentIn, DepartmentOut
from groupsvc.faces.v1.schemas import PageOut
from groupsvc.http.access import Requires
from groupsvc.http.dependencies import Cursor, IfMatchDep, Limit, page_size
from groupsvc.http.problems import problem_responses
from groupsvc.http.responses import decode_cursor, page_response, resource_response
from groupsvc.http.routing import TransactionalRoute

router = APIRouter(prefix="/v1", route_class=TransactionalRoute, tags=["departments"])


async def department_service(request: Request) -> DepartmentService:
    return DepartmentService(request.state.uow, request.state.principal)


DepartmentServiceDep = Annotated[DepartmentService, Depends(department_service)]

READER = Depends(Requires(Permission.GROUPS_READ))
ADMIN = Depends(Requires(Permission.ADMIN))


@router.get(
    "/departments",
    operation_id="list_departments",
    summary="Departments",
    response_model=PageOut[DepartmentOut],
    responses=problem_responses(401, 403, 422, 503),
    dependencies=[READER],
)
async def list_departments(
    request: Request,
    departments: DepartmentServiceDep,
    limit: Limit = None,
    cursor: Cursor = None,
) -> Response:
    """Those that the caller may read as a whole, by acronym."""
    (after,) = decode_cursor(cursor, (str,)) or ("",)
    page = await departments.page(after=after, limit=page_size(request, limit))
    return page_response(request, page)


@router.get(
    "/departments/{acronym}",
    operation_id="get_department",
    summary="A department",
    response_model=DepartmentOut,
    responses=problem_responses(401, 403, 404, 503),
    dependencies=[READER],
)
async def get_department(
    request: Request, acronym: str, departments: DepartmentServiceDep
) -> Response:
    """A department by its acronym."""
    return resource_response(request, await departments.read(acronym))


@router.put(
    "/departments/{acronym}",
    operation_id="put_department",
    summary="Declare a department",
    response_model=DepartmentOut,
    responses=problem_responses(400, 401, 403, 404, 412, 415, 422, 503)
    | {201: {"model": DepartmentOut, "description": "Created"}},
    dependencies=[ADMIN],
)
async def put_department(
    request: Request,
    acronym: str,
    body: DepartmentIn,
    departments: DepartmentServiceDep,
    expected: IfMatchDep,
) -> Response:
    """Creates the department or updates it; for callers who are admin everywhere.

    The acronym is unique and stays: grants name the department by it.
    """
    document, created = await departments.declare(acronym, name=body.name, expected=expected)
    return resource_response(request, document, status=201 if created else 200)


@router.delete(
    "/departments/{acronym}",
    operation_id="delete_department",
    summary="Delete a department",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 412, 503),
    dependencies=[ADMIN],
)
async def delete_department(
    acronym: str, departments: DepartmentServiceDep, expected: IfMatchDep
) -> None:
    """For callers who are admin everywhere; refused while it has users or courses."""
    await departments.delete(acronym, expected=expected)
