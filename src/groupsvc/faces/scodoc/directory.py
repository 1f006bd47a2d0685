"""What clients read on their way to groups: departments, formsemestres and students."""

from datetime import date
from typing import Annotated, Any

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from groupsvc.core.directory.service import DirectoryService
from groupsvc.faces.scodoc import serializers
from groupsvc.faces.scodoc.routing import DialectRouter, Id
from groupsvc.faces.scodoc.schemas import MOST, DepartementOut, EtudiantOut, FormsemestreOut

router = DialectRouter("directory")

DAY: dict[str, Any] = {
    "name": "date_courante",
    "in": "query",
    "description": "Instead of today",
    "schema": {"type": "string", "format": "date"},
}
QUERY: list[dict[str, Any]] = [
    {"name": name, "in": "query", "schema": {"type": kind}}
    for name, kind in (
        ("annee_scolaire", "integer"),
        ("dept_acronym", "string"),
        ("dept_id", "integer"),
        ("etat", "integer"),
        ("etape_apo", "string"),
        ("nip", "string"),
        ("ine", "string"),
    )
]
YEAR_BEGINS = (8, 1)
YEAR_ENDS = (7, 31)


async def directory_service(request: Request) -> DirectoryService:
    return DirectoryService(request.state.uow, request.state.principal)


Directory = Annotated[DirectoryService, Depends(directory_service)]


@router.read("/departements", list[DepartementOut], "Departments")
async def departements(directory: Directory) -> Response:
    """Those that the caller may read, by acronym."""
    found = await directory.departments()
    return serializers.answer([serializers.department(each) for each in found])


@router.read("/departements_ids", list[int], "The ids of departments")
async def departements_ids(directory: Directory) -> Response:
    """In the order of their acronyms."""
    return serializers.answer([each["id"] for each in await directory.departments()])


@router.read("/departement/{dept}", DepartementOut, "A department")
async def departement(dept: str, directory: Directory) -> Response:
    """A department by its acronym."""
    return serializers.answer(serializers.department(await directory.department(dept)))


@router.read("/departement/id/{dept_id:int}", DepartementOut, "A department by id")
async def departement_by_id(dept_id: Id, directory: Directory) -> Response:
    """A department by the id that this API gives it."""
    return serializers.answer(serializers.department(await directory.department(dept_id)))


@router.read("/departement/{dept}/etudiants", list[EtudiantOut], "The students of a department")
async def dept_etudiants(dept: str, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people_of_department(dept))


@router.read(
    "/departement/id/{dept_id:int}/etudiants",
    list[EtudiantOut],
    "The students of a department by its id",
)
async def dept_etudiants_by_id(dept_id: Id, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people_of_department(dept_id))


@router.read(
    "/departement/{dept}/formsemestres", list[FormsemestreOut], "The formsemestres of a department"
)
async def dept_formsemestres(dept: str, directory: Directory) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of_department(dept))


@router.read(
    "/departement/id/{dept_id:int}/formsemestres",
    list[FormsemestreOut],
    "The formsemestres of a department by its id",
)
async def dept_formsemestres_by_id(dept_id: Id, directory: Directory) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of_department(dept_id))


@router.read(
    "/departement/{dept}/formsemestres_courants",
    list[FormsemestreOut],
    "The present formsemestres of a department",
    parameters=[DAY],
)
async def dept_formsemestres_courants(
    request: Request, dept: str, directory: Directory
) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of_department(dept, day=_day(request)))


@router.read(
    "/departement/id/{dept_id:int}/formsemestres_courants",
    list[FormsemestreOut],
    "The present formsemestres of a department by its id",
    parameters=[DAY],
)
async def dept_formsemestres_courants_by_id(
    request: Request, dept_id: Id, directory: Directory
) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of_department(dept_id, day=_day(request)))


@router.read("/formsemestre/{formsemestre_id:int}", FormsemestreOut, "A formsemestre")
async def formsemestre(formsemestre_id: Id, directory: Directory) -> Response:
    """What is not known here is null."""
    return serializers.answer(serializers.course(await directory.course(formsemestre_id)))


@router.read(
    "/formsemestres/query",
    list[FormsemestreOut],
    "Formsemestres by year, department, state or student",
    parameters=QUERY,
)
async def formsemestres_query(request: Request, directory: Directory) -> Response:
    """Those for which every parameter holds, the latest first."""
    given = request.query_params
    wanted: dict[str, Any] = {
        "acronym": given.get("dept_acronym"),
        "department_id": _number(given.get("dept_id"), "dept_id"),
        "student_number": given.get("nip"),
        "national_number": given.get("ine"),
    }
    year = _number(given.get("annee_scolaire"), "annee_scolaire")
    if year is not None:
        if not 1 <= year < 9999:
            return serializers.answer([])
        wanted |= {"since": date(year, *YEAR_BEGINS), "until": date(year + 1, *YEAR_ENDS)}
    state = _number(given.get("etat"), "etat")
    if state is not None:
        wanted["is_locked"] = not state
    # No course here has such a code.
    if "etape_apo" in given or any("\0" in str(each) for each in wanted.values()):
        return serializers.answer([])
    return _courses(await directory.courses(**wanted))


@router.read("/etudiants/courants", list[EtudiantOut], "Present students", parameters=[DAY])
async def etudiants_courants(request: Request, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people_at(_day(request)))


@router.read(
    "/etudiants/courants/long", list[EtudiantOut], "Present students at length", parameters=[DAY]
)
async def etudiants_courants_long(request: Request, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people_at(_day(request)))


@router.read("/etudiants/name/{start}", list[EtudiantOut], "Students by the beginning of a name")
async def etudiants_by_name(start: str, directory: Directory) -> Response:
    """By name; an empty list for fewer than three letters."""
    return _people(await directory.people_named(start))


@router.read(
    "/etudiants/search/{start}",
    list[EtudiantOut],
    "Students by the beginning of a name, at another address",
)
async def etudiants_search(start: str, directory: Directory) -> Response:
    """By name; an empty list for fewer than three letters."""
    return _people(await directory.people_named(start))


@router.read("/etudiants/etudid/{etudid:int}", list[EtudiantOut], "Students by etudid")
async def etudiants_etudid(etudid: Id, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people(user_id=etudid))


@router.read("/etudiants/nip/{nip}", list[EtudiantOut], "Students by NIP")
async def etudiants_nip(nip: str, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people(student_number=nip))


@router.read("/etudiants/ine/{ine}", list[EtudiantOut], "Students by INE")
async def etudiants_ine(ine: str, directory: Directory) -> Response:
    """By name."""
    return _people(await directory.people(national_number=ine))


@router.read("/etudiant/etudid/{etudid:int}", EtudiantOut, "A student")
async def etudiant(etudid: Id, directory: Directory) -> Response:
    """What is not known here is null."""
    return serializers.answer(serializers.person(await directory.person(user_id=etudid)))


@router.read("/etudiant/nip/{nip}", EtudiantOut, "A student by NIP")
async def etudiant_nip(nip: str, directory: Directory) -> Response:
    """What is not known here is null."""
    return serializers.answer(serializers.person(await directory.person(student_number=nip)))


@router.read("/etudiant/ine/{ine}", EtudiantOut, "A student by INE")
async def etudiant_ine(ine: str, directory: Directory) -> Response:
    """What is not known here is null."""
    return serializers.answer(serializers.person(await directory.person(national_number=ine)))


@router.read(
    "/etudiant/etudid/{etudid:int}/formsemestres",
    list[FormsemestreOut],
    "The formsemestres of a student",
)
async def etudiant_formsemestres(etudid: Id, directory: Directory) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of(user_id=etudid))


@router.read(
    "/etudiant/nip/{nip}/formsemestres",
    list[FormsemestreOut],
    "The formsemestres of a student by NIP",
)
async def etudiant_formsemestres_nip(nip: str, directory: Directory) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of(student_number=nip))


@router.read(
    "/etudiant/ine/{ine}/formsemestres",
    list[FormsemestreOut],
    "The formsemestres of a student by INE",
)
async def etudiant_formsemestres_ine(ine: str, directory: Directory) -> Response:
    """The latest first."""
    return _courses(await directory.courses_of(national_number=ine))


def _people(found: list[Any]) -> Response:
    return serializers.answer([serializers.person(each) for each in found])


def _courses(found: list[Any]) -> Response:
    return serializers.answer([serializers.course(each) for each in found])


def _day(request: Request) -> date:
    given = request.query_params.get("date_courante")
    try:
        return date.fromisoformat(given) if given else date.today()
    except ValueError:
        raise HTTPException(400, "invalid date_courante") from None


def _number(given: str | None, name: str) -> int | None:
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= MOST):
        raise HTTPException(400, f"invalid {name}: not int")
    return int(given)
