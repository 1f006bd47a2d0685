"""Files as other systems write them, about invented people, and what they bring."""

from dataclasses import dataclass, field
from typing import Any, Final

from groupsvc.import_export.columns import Name

COURSE: Final = "{course}"  # of whoever uses the file
ADA: Final = "{prefix}ada"
BOB: Final = "{prefix}bob"


@dataclass(frozen=True)
class ForeignFile:
    """``rows`` are those of our tables without what is said beside the file, and ``ignored`` the
    columns that are read by no table but those that enroll."""

    format: str | None
    content: str
    rows: dict[Name, list[dict[str, str]]]
    ignored: tuple[str, ...] = ()
    beside: dict[str, Any] = field(default_factory=dict[str, Any])
    permutes: bool = True

    def text(self, **names: str) -> str:
        text = self.content
        for name, value in names.items():
            text = text.replace(f"{{{name}}}", value)
        return text


def person(**cells: str) -> dict[str, str]:
    return cells


def member(user: str, group: str, **cells: str) -> dict[str, str]:
    return {"user": user, "group": group, **cells}


FILES: Final = {
    "canvas": ForeignFile(
        "canvas-groups",
        "name,canvas_user_id,user_id,login_id,sections,group_name,canvas_group_id,group_id\n"
        '"Lovelace, Ada",101,S-1,{prefix}ada,Section 1,TD 1,55,\n'
        '"Babbage, Charles",102,S-2,{prefix}bob,"Section 1 and Section 2",TD 2,56,\n',
        {
            "assignments": [member(ADA, "TD 1"), member(BOB, "TD 2")],
            "roster": [person(username=ADA), person(username=BOB)],
        },
        ("name", "canvas_user_id", "sections", "canvas_group_id", "group_id"),
    ),
    "canvas import": ForeignFile(
        "canvas-groups",
        "login_id,group_name\n{prefix}ada,TD 1\n{prefix}bob,TD 2\n",
        {
            "assignments": [member(ADA, "TD 1"), member(BOB, "TD 2")],
            "roster": [person(username=ADA), person(username=BOB)],
        },
    ),
    "moodle participants": ForeignFile(
        "moodle-participants",
        '\ufeff"First name","Last name","Email address",Groups\n'
        'Ada,Lovelace,{prefix}ada@x.example,"TD 1"\n'
        'Charles,Babbage,{prefix}bob@x.example,"TD 2"\n',
        {
            "roster": [
                person(email=f"{ADA}@x.example", family_name="Lovelace", given_name="Ada"),
                person(email=f"{BOB}@x.example", family_name="Babbage", given_name="Charles"),
            ],
            "assignments": [
                member(f"{ADA}@x.example", "TD 1", groups="TD 1"),
                member(f"{BOB}@x.example", "TD 2", groups="TD 2"),
            ],
        },
    ),
    "moodle participants in French": ForeignFile(
        "moodle-participants",
        "Prénom;Nom;Numéro d'identification;Adresse de courriel;Groupes\n"
        "Ada;Lovelace;{prefix}1;{prefix}ada@x.example;TD 1\n"
        "Charles;Babbage;{prefix}2;{prefix}bob@x.example;\n",
        {
            "roster": [
                person(
                    email=f"{ADA}@x.example",
                    family_name="Lovelace",
                    given_name="Ada",
                    student_number="{prefix}1",
                ),
                person(
                    email=f"{BOB}@x.example",
                    family_name="Babbage",
                    given_name="Charles",
                    student_number="{prefix}2",
                ),
            ],
            "assignments": [member(f"{ADA}@x.example", "TD 1", groups="TD 1")],
        },
    ),
    "moodle groups": ForeignFile(
        "moodle-groups",
        "groupname,description,enrolmentkey,groupingname\nTD 1,First,key,TD\nTD 3,,,\n",
        {
            "structure": [
                {"partition": "TD", "group": "TD 1"},
                {"partition": "TD", "group": "TD 3"},
            ]
        },
        ("description", "enrolmentkey"),
    ),
    "blackboard members": ForeignFile(
        "blackboard-members",
        '"Group Code","User Name","Student Id","First Name","Last Name"\n'
        '"TD 1","{prefix}ada","{prefix}1","Ada","Lovelace"\n'
        '"TD 2","{prefix}bob","{prefix}2","Charles","Babbage"\n',
        {
            "assignments": [member(ADA, "TD 1"), member(BOB, "TD 2")],
            "roster": [
                person(
                    username=ADA,
                    family_name="Lovelace",
                    given_name="Ada",
                    student_number="{prefix}1",
                ),
                person(
                    username=BOB,
                    family_name="Babbage",
                    given_name="Charles",
                    student_number="{prefix}2",
                ),
            ],
        },
        ("First Name", "Last Name"),
    ),
    "blackboard groups": ForeignFile(
        "blackboard-groups",
        '"Group Code","Title","Description","Group Set","Self Enroll"\n'
        '"td_gc_1","TD 1","<p>First</p>","TD","N"\n"td_gc_3","TD 3","","TD","N"\n',
        {
            "structure": [
                {"partition": "TD", "group": "TD 1"},
                {"partition": "TD", "group": "TD 3"},
            ]
        },
        ("Description", "Self Enroll"),
    ),
    "brightspace groups": ForeignFile(
        "brightspace-groups",
        "Action,Username,Org Defined ID,Group Name,Group Code\n"
        "ENROLL,{prefix}ada,,TD 1,td-1\nENROLL,,#{prefix}2,,TD 2\n",
        {
            "assignments": [
                member(ADA, "TD 1", action=""),
                member("{prefix}2", "TD 2", action=""),
            ],
            "roster": [
                person(username=ADA, student_number=""),
                person(username="", student_number="{prefix}2"),
            ],
        },
    ),
    "brightspace class list": ForeignFile(
        "brightspace-classlist",
        "OrgDefinedId,Username,Last Name,First Name,Email,End-of-Line Indicator\n"
        "#{prefix}1,#{prefix}ada,Lovelace,Ada,{prefix}ada@x.example,#\n"
        "#{prefix}2,#{prefix}bob,Babbage,Charles,{prefix}bob@x.example,#\n",
        {
            "roster": [
                person(
                    username=ADA,
                    email=f"{ADA}@x.example",
                    family_name="Lovelace",
                    given_name="Ada",
                    student_number="{prefix}1",
                ),
                person(
                    username=BOB,
                    email=f"{BOB}@x.example",
                    family_name="Babbage",
                    given_name="Charles",
                    student_number="{prefix}2",
                ),
            ]
        },
        ("End-of-Line Indicator",),
    ),
    "prairielearn": ForeignFile(
        "prairielearn-groups",
        "group_name,uid\nTD 1,{prefix}ada@x.example\nTD 2,{prefix}bob\n",
        {
            "assignments": [member(f"{ADA}@x.example", "TD 1"), member(BOB, "TD 2")],
            "roster": [person(email=f"{ADA}@x.example"), person(username=BOB)],
        },
    ),
    "github classroom": ForeignFile(
        "github-classroom",
        '"identifier","github_username","github_id","name"\n'
        '"{prefix}ada","ada-gh","12","Ada Lovelace"\n"{prefix}bob@x.example","","",""\n',
        {"roster": [person(username=ADA), person(email=f"{BOB}@x.example")]},
        ("github_username", "github_id", "name"),
    ),
    "open edx cohorts": ForeignFile(
        "openedx-cohorts",
        "username,email,cohort\n{prefix}ada,,TD 1\n,{prefix}bob@x.example,TD 2\n",
        {
            "assignments": [member(ADA, "TD 1"), member(f"{BOB}@x.example", "TD 2")],
            "roster": [
                person(username=ADA, email=""),
                person(username="", email=f"{BOB}@x.example"),
            ],
        },
    ),
    "open edx teams": ForeignFile(
        "openedx-teams",
        "user,mode,TD,TP\n{prefix}ada,audit,TD 1,TP 1\n{prefix}bob,masters,TD 2,\n",
        {
            "assignments": [
                member(ADA, "TD 1", partition="TD"),
                member(ADA, "TP 1", partition="TP"),
                member(BOB, "TD 2", partition="TD"),
                member(BOB, "", partition="TP"),
            ],
            "roster": [person(username=ADA), person(username=BOB)],
        },
        ("mode",),
        permutes=False,
    ),
    "scodoc": ForeignFile(
        "scodoc-list",
        "etudid;Code_NIP;Code_INE;etat;civilite_str;nom;nom_usuel;prenom;email\n"
        "17;{prefix}1;{prefix}n1;I;Mme;Lovelace;;Ada;{prefix}ada@x.example\n"
        "18;{prefix}2;{prefix}n2;D;M.;Babbage;Bab;Charles;{prefix}bob@x.example\n",
        {
            "roster": [
                person(
                    email=f"{ADA}@x.example",
                    family_name="Lovelace",
                    given_name="Ada",
                    usual_name="",
                    civility="F",
                    student_number="{prefix}1",
                    national_number="{prefix}n1",
                    state="active",
                ),
                person(
                    email=f"{BOB}@x.example",
                    family_name="Babbage",
                    given_name="Charles",
                    usual_name="Bab",
                    civility="M",
                    student_number="{prefix}2",
                    national_number="{prefix}n2",
                    state="withdrawn",
                ),
            ]
        },
        ("etudid",),
    ),
    "apogee": ForeignFile(
        "apogee-list",
        "COD_ETU;LIB_NOM_PAT_IND;LIB_PR1_IND;COD_NNE_IND;COD_CLE_NNE_IND\n"
        "{prefix}1;Lovelace;Ada;{prefix}n;1\n{prefix}2;Babbage;Charles;{prefix}n;2\n",
        {
            "roster": [
                person(
                    family_name="Lovelace",
                    given_name="Ada",
                    student_number="{prefix}1",
                    national_number="{prefix}n1",
                ),
                person(
                    family_name="Babbage",
                    given_name="Charles",
                    student_number="{prefix}2",
                    national_number="{prefix}n2",
                ),
            ]
        },
    ),
    "markus": ForeignFile(
        "markus-groups",
        "TD 1,repo_1,{prefix}ada\nTD 3,repo_3\nTD 2,repo_2,{prefix}bob,{prefix}eve\n",
        {
            "assignments": [
                member(ADA, "TD 1"),
                member(BOB, "TD 2"),
                member("{prefix}eve", "TD 2"),
            ],
            "roster": [person(username=ADA), person(username=BOB), person(username="{prefix}eve")],
        },
        ("repository",),
        {"format": "markus-groups"},
        permutes=False,
    ),
    "a list": ForeignFile(
        None,
        "Login,E-mail,Section,Hobby\n"
        "{prefix}ada,{prefix}ada@x.example,TD 1,tea\n{prefix}bob,{prefix}bob@x.example,TD 2,\n",
        {
            "roster": [
                person(username=ADA, email=f"{ADA}@x.example"),
                person(username=BOB, email=f"{BOB}@x.example"),
            ],
            "assignments": [member(ADA, "TD 1"), member(BOB, "TD 2")],
        },
        ("Hobby",),
        {"map": "group=Section"},
    ),
}
