"""The objects of this dialect as its OpenAPI document has them; tests hold answers against it.

Bodies are described here and read by hand: their checks have an order and messages of their own.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from groupsvc.domain.limits import LARGEST

MOST = LARGEST
Numero = Annotated[int, Field(ge=-(2**31), lt=2**31, description="Place in the list, from 0")]
Groups = Annotated[
    dict[str, "GroupOut"],
    Field(description="By id. JavaScript sorts such keys itself: sort by `numero`"),
]


class Output(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorOut(Output):
    error: Annotated[str, Field(examples=["Not Found"])]
    message: Annotated[str, Field(examples=["formsemestre verrouillé"])]
    status: Annotated[int, Field(examples=[404])]


class TokenOut(Output):
    token: str


class DoneOut(Output):
    OK: Literal[True]


class GroupMemberOut(Output):
    group_id: int
    etudid: int


class PartitionMemberOut(Output):
    partition_id: int
    etudid: int


class GroupOut(Output):
    id: int
    partition_id: int
    group_name: Annotated[str | None, Field(description="Null for the default group alone")]
    name: Annotated[str | None, Field(description="The same as `group_name`")]
    numero: Numero
    edt_id: Annotated[str | None, Field(description="Id in the timetable system")]


class PartitionOut(Output):
    id: int
    partition_id: Annotated[int, Field(description="The same as `id`")]
    formsemestre_id: int
    partition_name: Annotated[str | None, Field(description="Null for the default partition alone")]
    numero: Numero
    bul_show_rank: bool
    show_in_lists: bool
    groups_editable: Annotated[bool, Field(description="May groups be created, renamed, deleted?")]


class PartitionWithGroupsOut(PartitionOut):
    groups: Groups


class GroupWithPartitionOut(GroupOut):
    partition: PartitionOut


class StudentOut(Output):
    id: Annotated[int, Field(description="The etudid")]
    civilite: Literal["M", "F", "X"]
    code_nip: str | None
    code_ine: str | None
    nip: Annotated[str | None, Field(description="The same as `code_nip`")]
    ine: Annotated[str | None, Field(description="The same as `code_ine`")]
    dept_id: int
    nom: str
    prenom: str
    nom_usuel: str | None
    sort_key: str


class PlacedGroupOut(Output):
    id: int
    group_id: Annotated[int, Field(description="The same as `id`")]
    group_name: str | None
    partition_id: int
    partition_name: str | None
    formsemestre_id: int
    numero: Annotated[Numero, Field(description="Of the partition")]
    bul_show_rank: bool
    show_in_lists: bool
    groups_editable: bool
    edt_id: str | None


class StudentWithGroupsOut(StudentOut):
    groups: Annotated[list[PlacedGroupOut], Field(description="Without the default group")]


class StudentAtLengthOut(StudentWithGroupsOut):
    etudid: int
    civilite_etat_civil: Literal["M", "F", "X"]
    prenom_etat_civil: str
    username: str
    email: str | None
    etat: Literal["I", "D", "DEF"]
    parcours: str | None
    boursier: None
    date_naissance: None


class GroupIn(BaseModel):
    group_name: Annotated[str, Field(min_length=1, max_length=63, examples=["A"])]
    edt_id: Annotated[str | None, Field(max_length=255)] = None


class GroupEdit(BaseModel):
    group_name: Annotated[str | None, Field(min_length=1, max_length=63, examples=["A"])] = None
    edt_id: Annotated[str | None, Field(max_length=255, description="Empty clears it")] = None


class PartitionIn(BaseModel):
    partition_name: Annotated[str, Field(min_length=1, max_length=31, examples=["TD"])]
    numero: Numero = 0
    bul_show_rank: bool = False
    show_in_lists: bool = False
    groups_editable: bool = True


class PartitionEdit(BaseModel):
    partition_name: Annotated[str | None, Field(min_length=1, max_length=31)] = None
    numero: Numero | None = None
    bul_show_rank: bool | None = None
    show_in_lists: bool | None = None
    groups_editable: bool | None = None


ORDER: dict[str, Any] = {"type": "array", "items": {"type": "integer"}, "examples": [[3, 1, 2]]}
DOCUMENT: dict[str, Any] = {"description": "Whatever JSON the editor keeps"}


class DepartementOut(Output):
    id: int
    acronym: str
    description: None
    dept_name: str | None
    visible: bool
    date_creation: str


class FormsemestreOut(BaseModel):
    """With the members of the original that nobody keeps here, as null."""

    model_config = ConfigDict(extra="allow")

    id: int
    formsemestre_id: int
    dept_id: int
    dept_acronym: str
    departement: DepartementOut
    etat: bool
    titre: str
    titre_num: str
    titre_formation: str
    titre_court: str
    semestre_id: int | None
    modalite: str | None
    date_debut: str | None
    date_debut_iso: str | None
    date_fin: str | None
    date_fin_iso: str | None
    annee_scolaire: int | None


class EtudiantOut(Output):
    id: int
    etudid: int
    civilite: Literal["M", "F", "X"]
    civilite_etat_civil: Literal["M", "F", "X"]
    code_nip: str | None
    code_ine: str | None
    dept_id: int | None
    dept_acronym: str | None
    nom: str
    nom_usuel: str | None
    prenom: str
    prenom_etat_civil: str
    sort_key: str
    username: str
    email: str | None
    boursier: None
    date_naissance: None
