"""Lines of the change log in the words of other systems."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from groupsvc.faces.v1.schemas import Id, Output

JournalName = Literal["scodoc", "openedx"]


class ScodocLineOut(Output):
    """A line of ScoDoc's journal (Scolog): a student entered or left a group."""

    date: datetime
    method: Annotated[
        Literal[
            "changeGroup",
            "group_remove_etud",
            "partition_remove_etud",
            "group_delete",
            "partition_delete",
        ],
        Field(description="What was called; the last two took all members out"),
    ]
    msg: Annotated[str, Field(examples=["Retrait du groupe A de TD"])]
    etudid: Id
    author: Annotated[str, Field(description="Login of the account, or subject of the token")]
    formsemestre_id: Id
    changeset_id: str


class OpenedxEventOut(Output):
    """An event of Open edX: what it emits when a cohort is made or its members change."""

    name: Annotated[str, Field(examples=["edx.cohort.user_added"])]
    payload: Annotated[
        dict[str, Any],
        Field(examples=[{"cohort_id": 42, "cohort_name": "Default Group", "user_id": 7}]),
    ]
    at: datetime
    course_key: str
    actor: str
    request_id: str | None
    changeset_id: str
    seq: Annotated[int, Field(description="Of the change: events of one change share it")]
