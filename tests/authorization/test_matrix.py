"""The matrix of who may do what, as far as it takes seconds; `make torture` asks it whole."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.routing import APIRoute

from groupsvc.core.service import Service
from groupsvc.domain.principal import GrantScope, Permission, Principal
from groupsvc.domain.roles import PERMISSIONS, Role
from groupsvc.faces.openedx.access import AccessRequest
from groupsvc.faces.scodoc import access as scodoc_access
from groupsvc.faces.v1 import courses
from groupsvc.http.routing import declared_access

from .callers import CALLERS
from .declared import FACES, PUBLIC
from .matrix import Matrix, cells, sample
from .requests import REQUESTS
from .rules import Outcome

COUNT = 400
EVERYWHERE = GrantScope(everywhere=True, departments=(), courses=())
DOCUMENTS = Path(__file__).parents[2] / "docs" / "openapi"


def test_every_operation_is_declared() -> None:
    for face, rows in FACES.items():
        document = json.loads((DOCUMENTS / f"{face}.json").read_text())
        operations = {
            operation["operationId"].removesuffix("_in_department")
            for methods in document["paths"].values()
            for operation in methods.values()
        }
        assert set(rows) == operations - PUBLIC[face]
        assert set(rows) <= set(REQUESTS[face])


def test_there_are_enough_cells() -> None:
    assert len({cell.name for cell in itertools.islice(cells(), 5_000)}) == 5_000
    assert len({caller.name for caller in CALLERS}) == len(CALLERS)


async def test_every_cell_is_as_declared(matrix: Matrix) -> None:
    assert await matrix.ask_all(sample(COUNT)) == []
    assert set(matrix.asked) == set(Outcome)


def _forget_the_place_of_a_grant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GrantScope, "covers", lambda *_: True)


def _tell_what_is_out_of_sight(patch: pytest.MonkeyPatch) -> None:
    # Statements leave it out, and what they return is judged once more.
    patch.setattr(Principal, "sees", lambda *_: True)
    patch.setattr(Principal, "visible_scope", property(lambda _: EVERYWHERE))


def _let_moderators_write(patch: pytest.MonkeyPatch) -> None:
    patch.setitem(cast("Any", PERMISSIONS), Role.MODERATOR, PERMISSIONS[Role.STAFF])


def _admit_anybody_to_locks(patch: pytest.MonkeyPatch) -> None:
    (route,) = (each for each in courses.routes.router.routes if each.name == "lock_course")
    access = declared_access(cast("APIRoute", route).dependant)
    patch.setattr(access, "permission", None)


def _forget_the_department_of_an_address(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scodoc_access, "_narrowed", lambda principal, _: principal)


def _count_grants_of_other_courses(patch: pytest.MonkeyPatch) -> None:
    def holds(request: AccessRequest, permission: Permission) -> bool:
        return request.principal.holds(permission)

    patch.setattr(AccessRequest, "holds", holds)


def _change_what_is_locked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Service, "_refuse_if_locked", staticmethod(lambda _: None))


@pytest.mark.parametrize(
    ("weaken", "concerned"),
    [
        (_forget_the_place_of_a_grant, "v1 get_department:"),
        (_tell_what_is_out_of_sight, "v1 delete_course:"),
        (_let_moderators_write, "v1 assign_member: moderator"),
        (_admit_anybody_to_locks, "v1 lock_course: nobody"),
        (_forget_the_department_of_an_address, "scodoc partition at other"),
        (_count_grants_of_other_courses, "openedx create_cohort:"),
        (_change_what_is_locked, "v1 upload_cohorts: everything"),
    ],
)
async def test_control_a_weaker_rule_is_found_out(
    matrix: Matrix,
    monkeypatch: pytest.MonkeyPatch,
    weaken: Callable[[pytest.MonkeyPatch], None],
    concerned: str,
) -> None:
    asked = [cell for cell in cells() if cell.name.startswith(concerned)][:100]
    assert await matrix.ask_all(asked) == []
    monkeypatch.setattr(matrix, "rehearse_all", True)
    weaken(monkeypatch)
    assert await matrix.ask_all(asked)
