"""The files of other systems that are known by their header.

Every format is declared once: recognition, reading and documentation follow from it. Names of
columns are compared as those of our tables are.
"""

from typing import Final

from groupsvc.import_export.foreign.format import Format
from groupsvc.import_export.foreign.moodle import (
    ADDRESSES,
    FAMILY_NAMES,
    GIVEN_NAMES,
    GROUPS,
    NUMBERS,
    USERNAMES,
)
from groupsvc.import_export.kinds import ASSIGNMENTS, REMOVE, ROSTER, STRUCTURE, WITHDRAWN
from groupsvc.import_export.parts import Part, Take, joined, take
from groupsvc.import_export.tables import REST, UNIT


def _is_address(text: str) -> bool:
    return "@" in text


def _login(*names: str) -> dict[str, Take]:
    """Who is meant by a column that has usernames in some places and addresses in others."""
    return {
        "username": Take(names, where=lambda text: not _is_address(text)),
        "email": Take(names, where=_is_address),
    }


def _groups_by_map(*user: str) -> Part:
    """Groups, where the caller says which column they are in."""
    return Part(ASSIGNMENTS, {"user": take(*user)}, is_optional=True)


NUMBER_MARK: Final = "#"  # before numbers, so that spreadsheets take them for texts
_STATES: Final = {
    **dict.fromkeys(("i", "inscrit", "inscrite"), "active"),
    **dict.fromkeys(("d", "dem", "demission", "demissionnaire"), WITHDRAWN),
    **dict.fromkeys(("def", "defaillant", "defaillante"), "defaulted"),
}
_CIVILITIES: Final = {"m": "M", "mr": "M", "mme": "F", "mlle": "F", "f": "F", "x": "X"}

FORMATS: Final = (
    Format(
        "canvas-groups",
        "Canvas, groups of a group set",
        (
            ("login_id", "user_id", "canvas_user_id"),
            ("group_name", "canvas_group_id", "group_id"),
        ),
        (
            Part(ROSTER, _login("login_id"), enrolls=True),
            Part(
                ASSIGNMENTS,
                {"user": take("login_id", "user_id"), "group": take("group_name")},
            ),
        ),
    ),
    Format(
        "moodle-participants",
        "Moodle, participants of a course",
        (GIVEN_NAMES, FAMILY_NAMES, GROUPS),
        (
            Part(
                ROSTER,
                {
                    "username": Take(USERNAMES),
                    "email": Take(ADDRESSES),
                    "family_name": Take(FAMILY_NAMES),
                    "given_name": Take(GIVEN_NAMES),
                    "student_number": Take(NUMBERS),
                },
            ),
            Part(
                ASSIGNMENTS,
                {"user": Take((*USERNAMES, *ADDRESSES, *NUMBERS)), "group": Take(GROUPS)},
                several=(GROUPS, ","),
                is_optional=True,
            ),
        ),
    ),
    Format(
        "moodle-groups",
        "Moodle, groups to import",
        (
            ("groupname",),
            ("enrolmentkey", "groupingname", "groupidnumber", "description", "coursename"),
        ),
        (
            Part(
                STRUCTURE,
                {
                    "course_key": take("idnumber", "coursename"),
                    "partition": take("groupingname"),
                    "group": take("groupname"),
                },
            ),
        ),
    ),
    Format(
        "blackboard-members",
        "Blackboard, members of groups",
        (("Group Code",), ("User Name",)),
        (
            Part(
                ROSTER,
                {
                    **_login(
                        "User Name",
                    ),
                    "student_number": take("Student Id"),
                    "family_name": take("Last Name"),
                    "given_name": take("First Name"),
                },
                enrolls=True,
            ),
            Part(
                ASSIGNMENTS,
                {
                    "user": take("User Name", "Student Id"),
                    "partition": take("Group Set"),
                    "group": take("Group Code"),
                },
            ),
        ),
    ),
    Format(
        "blackboard-groups",
        "Blackboard, groups",
        (("Group Code",), ("Title",)),
        (
            Part(
                STRUCTURE,
                {"partition": take("Group Set"), "group": take("Title", "Group Code")},
            ),
        ),
    ),
    Format(
        "brightspace-groups",
        "Brightspace, enrollments in groups",
        (
            ("Username", "OrgDefinedId", "Organisation Defined ID"),
            ("GroupName", "Group Code"),
            ("Action", "GroupCategory", "GroupCategoryName", "OrgDefinedId"),
        ),
        (
            Part(
                ROSTER,
                {
                    "username": Take(("Username",), marks=NUMBER_MARK),
                    "email": Take(("Email",)),
                    "student_number": Take(
                        ("OrgDefinedId", "Organisation Defined ID"), marks=NUMBER_MARK
                    ),
                    "family_name": take("Last Name"),
                    "given_name": take("First Name"),
                },
                enrolls=True,
            ),
            Part(
                ASSIGNMENTS,
                {
                    "user": Take(
                        ("Username", "OrgDefinedId", "Organisation Defined ID"), marks=NUMBER_MARK
                    ),
                    "partition": take("GroupCategory", "GroupCategoryName"),
                    "group": take("GroupName", "Group Code"),
                    "action": Take(("Action",), words={"unenroll": REMOVE, "enroll": ""}),
                },
            ),
        ),
    ),
    Format(
        "brightspace-classlist",
        "Brightspace, class list",
        (("OrgDefinedId",), ("Username", "Last Name", "Email")),
        (
            Part(
                ROSTER,
                {
                    "username": Take(("Username",), marks=NUMBER_MARK),
                    "email": take("Email"),
                    "student_number": Take(("OrgDefinedId",), marks=NUMBER_MARK),
                    "family_name": take("Last Name"),
                    "given_name": take("First Name"),
                },
            ),
            Part(
                ASSIGNMENTS,
                {"user": Take(("Username", "OrgDefinedId"), marks=NUMBER_MARK)},
                is_optional=True,
            ),
        ),
    ),
    Format(
        "prairielearn-groups",
        "PrairieLearn, groups of an assessment",
        (("group_name",), ("uid",)),
        (
            Part(ROSTER, _login("uid"), enrolls=True),
            Part(ASSIGNMENTS, {"user": take("uid"), "group": take("group_name")}),
        ),
    ),
    Format(
        "github-classroom",
        "GitHub Classroom, roster",
        (("identifier",), ("github_username",)),
        (Part(ROSTER, _login("identifier")), _groups_by_map("identifier")),
    ),
    Format(
        "openedx-cohorts",
        "Open edX, cohorts to upload",
        (("cohort",), ("username", "email")),
        (
            Part(
                ROSTER,
                {"username": take("username"), "email": take("email")},
                enrolls=True,
            ),
            Part(ASSIGNMENTS, {"user": take("username", "email"), "group": take("cohort")}),
        ),
    ),
    Format(
        "openedx-teams",
        "Open edX, teams",
        (("user", "username"), ("mode",)),
        (
            Part(ROSTER, _login("user", "username"), enrolls=True),
            Part(
                ASSIGNMENTS,
                {"user": take("user", "username")},
                spread=("user", "username", "external_user_id", "mode"),
            ),
        ),
    ),
    Format(
        "scodoc-list",
        "ScoDoc, list of students",
        (("Code_NIP", "NIP"), ("nom", "nom_disp"), ("prenom",)),
        (
            Part(
                ROSTER,
                {
                    "email": take("email", "mail"),
                    "family_name": take("nom", "nom_disp"),
                    "given_name": take("prenom"),
                    "usual_name": take("nom_usuel"),
                    "civility": Take(("civilite", "civilite_str", "Civ."), words=_CIVILITIES),
                    "student_number": take("Code_NIP", "NIP"),
                    "national_number": take("Code_INE", "INE"),
                    "state": Take(("etat", "inscriptionstr"), words=_STATES),
                },
            ),
            _groups_by_map("Code_NIP", "NIP", "Code_INE", "INE", "email", "mail"),
        ),
    ),
    Format(
        "apogee-list",
        "Apogée, list of students",
        (("COD_ETU",), ("LIB_NOM_PAT_IND",)),
        (
            Part(
                ROSTER,
                {
                    "email": take("ADR_MAIL", "LIB_EMAIL", "EMAIL"),
                    "family_name": take("LIB_NOM_PAT_IND"),
                    "given_name": take("LIB_PR1_IND"),
                    "usual_name": take("LIB_NOM_USU_IND"),
                    "civility": Take(("COD_SEX_ETU", "COD_CIV"), words=_CIVILITIES),
                    "student_number": take("COD_ETU"),
                    "national_number": joined("COD_NNE_IND", "COD_CLE_NNE_IND"),
                },
            ),
            _groups_by_map("COD_ETU"),
        ),
    ),
    Format(
        "markus-groups",
        "MarkUs, groups",
        (("group", "group_name"), ("repository", "repo_name"), ("members",)),
        (
            Part(ROSTER, _login("members"), several=(("members",), UNIT), enrolls=True),
            Part(
                ASSIGNMENTS,
                {"user": take("members"), "group": take("group", "group_name")},
                several=(("members",), UNIT),
            ),
        ),
        headless=("group", "repository", f"members{REST}"),
    ),
)
BY_NAME: Final = {each.name: each for each in FORMATS}
