"""Moves a formsemestre over with its ids, its department and students included."""

from collections.abc import Mapping
from dataclasses import replace

from groupsvc.cli.remote_import import CopiedRow
from groupsvc.cli.runtime import OPERATOR
from groupsvc.cli.scodoc_copy import codes, copy_semester
from groupsvc.cli.scodoc_source import SourcePartition, SourceSemester, SourceStudent
from groupsvc.core.class_lists.service import ClassListService
from groupsvc.core.courses.service import CourseService
from groupsvc.core.relocation.records import MovedCourse, MovedGroup, MovedPartition, MovedUser
from groupsvc.core.relocation.service import RelocationService, default_username
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.errors import NotFoundError
from groupsvc.domain.json_resource import State
from groupsvc.faces.scodoc.vocabulary import VOCABULARY

STATES: Mapping[str | None, State] = {"D": "withdrawn", "DEF": "defaulted"}


async def move_semester(key: str, source: SourceSemester, uow: UnitOfWork) -> list[CopiedRow]:
    """Raises the refusals of the services, among them ids that are taken here."""
    await uow.begin()
    own = await _identify(source, uow)
    await _unlock(key, uow)
    results = await RelocationService(uow, OPERATOR).move(_moved(key, source, own))
    users = {each.id: own.get(each.id) or each.id for each in source.students}
    rows = [
        CopiedRow(("", ""), each.label, results[each.id], CODES.get(results[each.id]), "students")
        for each in source.students
    ]
    rows += await copy_semester(key, source.partitions, uow, users=users)
    if not source.etat:
        await CourseService(uow, OPERATOR).set_lock(source.id, locked=True)
    return rows


CODES: Mapping[str, str] = {"refused": "known_by_another_id"}


async def _identify(source: SourceSemester, uow: UnitOfWork) -> dict[int, int]:
    """Our users by the ids of those students who are here."""
    acronym = source.departement.acronym
    named = [
        replace(codes(each), username=codes(each).username or default_username(acronym, each.id))
        for each in source.students
    ]
    found = await ClassListService(uow, OPERATOR).identify(acronym, named)
    return {
        student.id: user
        for student, user in zip(source.students, found, strict=False)
        if user is not None
    }


async def _unlock(key: str, uow: UnitOfWork) -> None:
    """Nobody else sees it open: it is locked again in the same transaction if it is so there."""
    courses = CourseService(uow, OPERATOR)
    try:
        course = await courses.read_key(key)
    except NotFoundError:
        return
    if course.data["is_locked"]:
        await courses.set_lock(course.data["id"], locked=False)


def _moved(key: str, source: SourceSemester, own: Mapping[int, int]) -> MovedCourse:
    return MovedCourse(
        id=source.id,
        key=key,
        title=source.titre,
        department_id=source.departement.id,
        acronym=source.departement.acronym,
        department_name=source.departement.dept_name or "",
        starts_on=source.date_debut_iso,
        ends_on=source.date_fin_iso,
        term=source.semestre_id if (source.semestre_id or -1) >= 0 else None,
        programme=source.titre_formation,
        modality=source.modalite,
        partitions=[*map(_partition, source.partitions)],
        users=[_user(student, own.get(student.id)) for student in source.students],
    )


def _partition(source: SourcePartition) -> MovedPartition:
    return MovedPartition(
        id=source.id,
        name=source.partition_name,
        position=(source.numero or 0) + 1,
        is_tracks=source.partition_name == VOCABULARY.tracks_name,
        show_rank_on_report=source.bul_show_rank,
        show_in_lists=source.show_in_lists,
        groups=[
            MovedGroup(each.id, each.group_name, (each.numero or 0) + 1, each.edt_id)
            for each in source.groups.values()
        ],
    )


def _user(source: SourceStudent, own_id: int | None) -> MovedUser:
    return MovedUser(
        id=source.id,
        own_id=own_id,
        state=STATES.get(source.etat, "active"),
        username=source.username,
        email=source.email,
        family_name=source.nom,
        given_name=source.prenom,
        usual_name=source.nom_usuel,
        civility=source.civilite,
        student_number=source.nip,
        national_number=source.ine,
    )
