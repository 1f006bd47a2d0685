"""The students of a formsemestre, and the groups of one of them."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.class_lists.service import ClassListService
from groupsvc.domain.json_resource import State
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import PlacedGroupOut, StudentAtLengthOut, StudentWithGroupsOut
from groupsvc.faces.scodoc.states import ETAT, ClassListServiceDep, asked_state

router = DialectRouter("students")

STUDENTS = "/formsemestre/{formsemestre_id:int}/etudiants"
SUMMARY = "The students of a formsemestre with their groups"


@router.read(STUDENTS, list[StudentWithGroupsOut], SUMMARY)
async def formsemestre_etudiants(formsemestre_id: Id, rolls: ClassListServiceDep) -> Response:
    """By name, whatever the state of their inscription; without the default group."""
    return await _short(formsemestre_id, rolls)


@router.read(
    f"{STUDENTS}/query", list[StudentWithGroupsOut], f"{SUMMARY}, in a state", parameters=[ETAT]
)
async def formsemestre_etudiants_query(
    request: Request, formsemestre_id: Id, rolls: ClassListServiceDep
) -> Response:
    """By name; all of them without `etat`."""
    return await _short(formsemestre_id, rolls, asked_state(request))


@router.read(f"{STUDENTS}/long", list[StudentAtLengthOut], f"{SUMMARY}, at length")
async def formsemestre_etudiants_long(formsemestre_id: Id, rolls: ClassListServiceDep) -> Response:
    """By name, with all that is known here of each."""
    return await _long(formsemestre_id, rolls)


@router.read(
    f"{STUDENTS}/long/query",
    list[StudentAtLengthOut],
    f"{SUMMARY}, at length, in a state",
    parameters=[ETAT],
)
async def formsemestre_etudiants_long_query(
    request: Request, formsemestre_id: Id, rolls: ClassListServiceDep
) -> Response:
    """By name; all of them without `etat`."""
    return await _long(formsemestre_id, rolls, asked_state(request))


@router.read(
    "/etudiant/etudid/{etudid:int}/formsemestre/{formsemestre_id:int}/groups",
    list[PlacedGroupOut],
    "The groups of a student",
)
async def etudiant_groups(etudid: Id, formsemestre_id: Id, rolls: ClassListServiceDep) -> Response:
    """The default group first, when they are in the formsemestre at all."""
    return await _groups(formsemestre_id, rolls, user_id=etudid)


@router.read(
    "/etudiant/nip/{nip}/formsemestre/{formsemestre_id:int}/groups",
    list[PlacedGroupOut],
    "The groups of a student by NIP",
)
async def etudiant_groups_nip(
    nip: str, formsemestre_id: Id, rolls: ClassListServiceDep
) -> Response:
    """A NIP is looked for in the department of the formsemestre."""
    return await _groups(formsemestre_id, rolls, student_number=nip)


@router.read(
    "/etudiant/ine/{ine}/formsemestre/{formsemestre_id:int}/groups",
    list[PlacedGroupOut],
    "The groups of a student by INE",
)
async def etudiant_groups_ine(
    ine: str, formsemestre_id: Id, rolls: ClassListServiceDep
) -> Response:
    """An INE is looked for in the department of the formsemestre."""
    return await _groups(formsemestre_id, rolls, national_number=ine)


async def _short(
    formsemestre_id: int, rolls: ClassListService, state: State | None = None
) -> Response:
    document = await rolls.of_course(formsemestre_id, state=state)
    students = [serializers.student_with_groups(each, formsemestre_id) for each in document.data]
    return serializers.answer(students)


async def _long(
    formsemestre_id: int, rolls: ClassListService, state: State | None = None
) -> Response:
    document = await rolls.of_course(formsemestre_id, state=state)
    students = [serializers.student_at_length(each, formsemestre_id) for each in document.data]
    return serializers.answer(students)


async def _groups(formsemestre_id: int, rolls: ClassListService, **who: Any) -> Response:
    document = await rolls.groups_of(formsemestre_id, **who)
    groups = [serializers.placed_group(each, formsemestre_id) for each in document.data]
    return serializers.answer(groups)
