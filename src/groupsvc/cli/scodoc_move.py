"""Moves a formsemestre over with its ids, its department and students included."""

from collections.abc import Mapping

from groupsvc.cli.remote_import import CopiedRow
from groupsvc.cli.runtime import OPERATOR
from groupsvc.cli.scodoc_copy import copy_semester
from groupsvc.cli.scodoc_source import SourcePartition, SourceSemester, SourceStudent
from groupsvc.core.courses.service import CourseService
from groupsvc.core.relocation.records import MovedCourse, MovedGroup, MovedPartition, MovedUser
from groupsvc.core.relocation.service import RelocationService
from groupsvc.core.unit_of_work import UnitOfWork
from groupsvc.domain.json_resource import State
from groupsvc.faces.scodoc.vocabulary import VOCABULARY

STATES: Mapping[str | None, State] = {"D": "withdrawn", "DEF": "defaulted"}


async def move_semester(key: str, source: SourceSemester, uow: UnitOfWork) -> list[CopiedRow]:
    """Raises the refusals of the services, among them ids that are taken here."""
    moved = await RelocationService(uow, OPERATOR).move(_moved(key, source))
    rows = [
        CopiedRow(("", ""), each.label, result, CODES.get(result), "students")
        for each in source.students
        for result in [moved[each.id].result]
    ]
    users = {etudid: each.user_id for etudid, each in moved.items()}
    rows += await copy_semester(key, source.partitions, uow, users=users)
    if not source.etat:
        await CourseService(uow, OPERATOR).set_lock(source.id, locked=True)
    return rows


CODES: Mapping[str, str] = {"refused": "known_by_another_id"}


def _moved(key: str, source: SourceSemester) -> MovedCourse:
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
        default_partition_id=source.default_partition_id,
        default_group_id=source.default_group_id,
        partitions=[*map(_partition, source.partitions)],
        users=[*map(_user, source.students)],
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


def _user(source: SourceStudent) -> MovedUser:
    return MovedUser(
        id=source.id,
        state=STATES.get(source.etat, "active"),
        username=source.username or source.nip,
        email=source.email,
        family_name=source.nom,
        given_name=source.prenom,
        usual_name=source.nom_usuel,
        civility=source.civilite,
        student_number=source.nip,
        national_number=source.ine,
    )
