"""Who may call what: the one table that the matrix of cells is made of.

A line is an operation, what it needs, where, and while what. ``rules.py`` says what follows. The
places that a permission may be held in are those of ``callers.PLACES``; *where* says which of
them count:

* ``course``: everywhere, in the department of the course, in the course
* ``course alone``: everywhere and in the course; a whole department does not count
* ``department``: everywhere and in that department as a whole
* ``everywhere``, and ``elsewhere`` for what is in a department that no caller knows
* ``nowhere``: nothing is needed

A list tells each caller what they may read of it: ``lists`` before the place. ``imports`` do so
with each of their rows, and ``sees`` names another place in whose sight the thing is. While a
course is ``open`` its groups may be changed; ``editable`` ones alone may be renamed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

PLACES_OF: Final[Mapping[str, frozenset[str]]] = {
    "course": frozenset({"everywhere", "own department", "this course"}),
    "course alone": frozenset({"everywhere", "this course"}),
    "department": frozenset({"everywhere", "own department"}),
    "everywhere": frozenset({"everywhere"}),
    "elsewhere": frozenset({"everywhere"}),
}


@dataclass(frozen=True, slots=True)
class Row:
    operation: str
    needs: frozenset[str]
    where: str
    while_: str = "always"
    # One of: one thing, a list, an import.
    kind: str = "one"
    # The places in whose sight it is, where they are others.
    sees: str | None = None


def table(text: str) -> Iterator[Row]:
    """Columns are two blanks or more apart; several permissions are alternatives."""
    for line in text.strip().splitlines():
        operation, needs, where, *rest = (each.strip() for each in line.split("  ") if each.strip())
        kind, _, place = where.rpartition(": ")
        seen = [each.removeprefix("sees ") for each in rest if each.startswith("sees ")]
        while_ = [each for each in rest if not each.startswith("sees ")]
        yield Row(
            operation,
            frozenset(needs.split(" or ")) - {"nothing"},
            place,
            *while_,
            kind=kind or "one",
            sees=seen[0] if seen else None,
        )


V1: Final = """
list_partitions             groups:read     course
create_partition            groups:write    course          open
order_partitions            groups:write    course          open
put_tracks                  roster:write    course          open
get_default_partition       groups:read     course
get_partition               groups:read     course
edit_partition              groups:write    course          open
delete_partition            groups:write    course          open
create_group                groups:write    course          editable
create_cohort               groups:write    course          open
create_groups               groups:write    course          editable
order_groups                groups:write    course          open
get_group                   groups:read     course
edit_group                  groups:write    course          editable
delete_group                groups:write    course          editable
list_members                groups:read     course
assign_member               groups:write    course          open
remove_member               groups:write    course          open
leave_partition             groups:write    course          open
list_unassigned             groups:read     course
assign_many                 groups:write    course          open
list_user_course_groups     groups:read     course
list_user_groups            groups:read     hidden: course
list_courses                groups:read     lists: course
get_course_by_key           groups:read     course
put_course                  roster:write    department
get_course                  groups:read     course
delete_course               admin           course          open
lock_course                 admin           course
unlock_course               admin           course
get_board                   groups:read     course
get_me                      nothing         nowhere
list_my_groups              nothing         nowhere
list_enrollments            groups:read     course
get_enrollment              groups:read     course
put_enrollment              roster:write    course
edit_enrollment             roster:write    course
delete_enrollment           roster:write    course          open
list_users                  groups:read or roster:write     lists: course
get_user_by_name            groups:read or roster:write     person: course
put_user                    roster:write    department
get_user                    groups:read or roster:write     person: course
edit_user                   roster:write    department      sees course
delete_user                 admin           department      open    sees course
get_personal_data           admin           everywhere
erase_person                admin           everywhere
list_departments            groups:read     lists: department
get_department              groups:read     department
get_department_ids          groups:read     department
put_department              admin           elsewhere
delete_department           admin           elsewhere
get_cohort_settings         groups:read     course
put_cohort_settings         groups:write    course          open
assign_cohort               groups:write    course
list_content_partitions     groups:read     course
put_content_partition       roster:write    course          open
delete_content_partition    roster:write    course          open
get_content_group           groups:read     course
assign_content_group        groups:write    course
list_preassignments         groups:read     course
cancel_preassignment        groups:write    course          open
retire_address              roster:write or admin           somebody: everywhere
upload_cohorts              groups:write    course          open
list_jobs                   groups:write    course
get_job                     groups:write    course
list_changes                groups:read     lists: course
list_course_changes         groups:read     course
stream_course_events        groups:read     course
undo_changeset              groups:write    course          open
list_accounts               admin           everywhere
get_account                 admin           everywhere
put_account                 admin           everywhere
delete_account              admin           everywhere
get_team                    admin           course
put_team                    admin           course
put_team_member             admin           course
get_user_roles              admin           everywhere
put_user_roles              admin           everywhere
import_courses              roster:write    imports: department
import_courses_csv          roster:write    imports: department
import_roster               roster:write    imports: department     sees course
import_roster_csv           roster:write    imports: department     sees course
import_structure            groups:write    imports: course     open
import_structure_csv        groups:write    imports: course     open
import_assignments          groups:write    imports: course     open
import_assignments_csv      groups:write    imports: course     open
import_preassignments       groups:write    imports: course     open
import_preassignments_csv   groups:write    imports: course     open
import_content_groups       roster:write    imports: course     open
import_content_groups_csv   roster:write    imports: course     open
import_roles                admin           imports: course
import_roles_csv            admin           imports: course
export_table                groups:read     course
export_partition            groups:read     course
"""

# ScoView is groups:read and ScoEtudChangeGroups is groups:write. A grant in one course counts for
# nothing, and what counts depends on the address: see ``rules.scodoc``.
SCODOC: Final = """
departements                        groups:read     lists: department
departements_ids                    groups:read     lists: department
departement                         groups:read     department
departement_by_id                   groups:read     department
dept_etudiants                      groups:read     department
dept_etudiants_by_id                groups:read     department
dept_formsemestres                  groups:read     department
dept_formsemestres_by_id            groups:read     department
dept_formsemestres_courants         groups:read     department
dept_formsemestres_courants_by_id   groups:read     department
formsemestre                        groups:read     course
formsemestres_query                 groups:read     lists: department
etudiants_courants                  groups:read     lists: department
etudiants_courants_long             groups:read     lists: department
etudiants_by_name                   groups:read     lists: department
etudiants_search                    groups:read     lists: department
etudiants_etudid                    groups:read     lists: department
etudiants_nip                       groups:read     lists: department
etudiants_ine                       groups:read     lists: department
etudiant                            groups:read     course
etudiant_nip                        groups:read     course
etudiant_ine                        groups:read     course
etudiant_formsemestres              groups:read     course
etudiant_formsemestres_nip          groups:read     course
etudiant_formsemestres_ine          groups:read     course
formsemestre_etudiants              groups:read     course
formsemestre_etudiants_query        groups:read     course
formsemestre_etudiants_long         groups:read     course
formsemestre_etudiants_long_query   groups:read     course
etudiant_groups                     groups:read     course
etudiant_groups_nip                 groups:read     course
etudiant_groups_ine                 groups:read     course
partition                           groups:read     course
formsemestre_partitions             groups:read     course
create_partition                    groups:write    course      open
order_partitions                    groups:write    course      open
edit_partition                      groups:write    course      open
delete_partition                    groups:write    course      open
create_group                        groups:write    course      editable
delete_group                        groups:write    course      editable
edit_group                          groups:write    course      editable
set_edt_id                          groups:write    course      open
order_groups                        groups:write    course      open
set_etudiant                        groups:write    course      open
group_remove_etud                   groups:write    course      open
partition_remove_etud               groups:write    course      open
group_etudiants                     groups:read     course
group_etudiants_query               groups:read     course
get_groups_auto_assignment          groups:read     course
save_groups_auto_assignment         groups:write    course      open
"""

# A kind is what callers are told who are not admitted: ``told`` is 403, for a course that there is
# not as well; ``found`` is the same, for a course that there is, as the platform does; ``page`` is
# the page of what is not found; ``staff`` is 403, but 404 for moderators.
OPENEDX: Final = """
get_settings                groups:write                    staff: course alone
put_settings                groups:write                    told: course alone      open
list_cohorts                groups:read or groups:write     told: course alone
create_cohort               groups:write                    told: course alone      open
get_cohort                  groups:read or groups:write     told: course alone
edit_cohort                 groups:write                    told: course alone      open
list_users                  groups:write                    staff: course alone
list_users_of_any_name      groups:write                    staff: course alone
add_users                   groups:write                    told: course alone      open
add_user                    groups:write                    told: course alone      open
remove_user                 groups:write                    told: course alone      open
upload_users                groups:write                    told: everywhere
get_cohort_settings_v2      groups:read or groups:write     told: course
put_cohort_settings_v2      groups:write                    told: course            open
list_cohorts_v2             groups:read or groups:write     told: course
create_cohort_v2            groups:write                    told: course            open
get_cohort_v2               groups:read or groups:write     told: course
edit_cohort_v2              groups:write                    told: course            open
list_users_v2               groups:read or groups:write     told: course
add_users_v2                groups:write                    told: course            open
remove_user_v2              groups:write                    told: course            open
list_content_groups         groups:write                    found: course
get_configuration           groups:write                    found: course
get_instructor_settings     groups:write                    page: course alone
edit_instructor_settings    groups:write                    page: course alone      open
list_instructor_cohorts     groups:write                    page: course alone
put_new_instructor_cohort   groups:write                    page: course alone      open
post_new_instructor_cohort  groups:write                    page: course alone      open
patch_new_instructor_cohort  groups:write                   page: course alone      open
get_instructor_cohort       groups:write                    page: course alone
put_instructor_cohort       groups:write                    page: course alone      open
post_instructor_cohort      groups:write                    page: course alone      open
patch_instructor_cohort     groups:write                    page: course alone      open
add_instructor_users        groups:write                    page: course alone      open
remove_instructor_user      groups:write                    page: course alone      open
upload_instructor_users     groups:write                    found: course alone
"""

FACES: Final[Mapping[str, Mapping[str, Row]]] = {
    face: {row.operation: row for row in table(text)}
    for face, text in {"v1": V1, "scodoc": SCODOC, "openedx": OPENEDX}.items()
}

# Anybody may call these; they stand for nothing in the matrix.
PUBLIC: Final[Mapping[str, frozenset[str]]] = {
    "v1": frozenset({"issue_token", "revoke_token", "get_liveness", "get_readiness"}),
    "scodoc": frozenset({"get_token", "revoke_token"}),
    "openedx": frozenset({"access_token"}),
}
