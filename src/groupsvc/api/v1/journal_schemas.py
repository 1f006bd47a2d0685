"""Lines of the change log in the words of other systems."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from groupsvc.api.v1.schemas import Id, Output

JournalName = Literal["scodoc"]


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
