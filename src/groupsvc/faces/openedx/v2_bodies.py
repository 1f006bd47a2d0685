"""The bodies of the second version of cohorts."""

from typing import Annotated

from pydantic import BaseModel, Field

from groupsvc.faces.openedx.serializer_fields import (
    AssignmentTypeField,
    BooleanField,
    IdentifiersField,
    IntegerField,
    NameField,
)


class SettingsInV2(BaseModel):
    is_cohorted: BooleanField


class CohortInV2(BaseModel):
    name: NameField
    assignment_type: AssignmentTypeField
    user_partition_id: IntegerField | None = None
    group_id: Annotated[IntegerField | None, Field(description="Needs `user_partition_id`")] = None


class CohortPatchV2(BaseModel):
    """What is absent stays as it is."""

    # Factories, since a default would be documented, and clients would send it.
    name: Annotated[NameField, Field(default_factory=str)]
    assignment_type: Annotated[AssignmentTypeField, Field(default_factory=lambda: "manual")]
    user_partition_id: IntegerField | None = None
    group_id: Annotated[
        IntegerField | None, Field(description="Null unlinks; absent keeps the link")
    ] = None


class UsersInV2(BaseModel):
    users: IdentifiersField
