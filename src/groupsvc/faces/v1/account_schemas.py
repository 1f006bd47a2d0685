"""What the native face takes and answers about accounts, tokens and callers."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from groupsvc.faces.v1.roster_schemas import UserOut
from groupsvc.faces.v1.schemas import Id, Input, Output

GrantText = Annotated[
    str,
    Field(
        max_length=2000,
        description="`permission`, `permission@department:ACRONYM` or `permission@course:KEY`",
        examples=["groups:read@department:MATH"],
    ),
]


class AccountIn(Input):
    """The whole account: what is left out is empty again, but for the secret."""

    secret: Annotated[
        SecretStr | None,
        Field(
            max_length=2000,
            description="8 to 200 characters. Left out, an account keeps its own, and a new one "
            "is given one",
        ),
    ] = None
    grants: Annotated[list[GrantText], Field(max_length=1000)]
    username: Annotated[
        str | None,
        Field(max_length=2000, description="Whom the account is in the roster", examples=["anna"]),
    ] = None
    is_active: bool = True


class AccountOut(Output):
    id: Id
    name: Annotated[str, Field(examples=["timetable-sync"])]
    username: str | None
    is_active: bool
    grants: list[GrantText]


class NewAccountOut(AccountOut):
    secret: Annotated[
        str | None, Field(description="Returned this once, and only if it was generated here")
    ] = None


class MeOut(Output):
    subject: Annotated[str, Field(examples=["account:timetable-sync"])]
    username: str | None
    grants: list[GrantText]
    user: Annotated[UserOut | None, Field(description="The caller's entry in the roster")]


class TokenOut(Output):
    access_token: Annotated[str, Field(examples=["gsv_..."])]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="Seconds", examples=[3600])]


class OAuthErrorOut(Output):
    """Why a request was refused (RFC 6749, section 5.2)."""

    error: Literal[
        "invalid_request",
        "invalid_client",
        "invalid_scope",
        "unsupported_grant_type",
        "unsupported_token_type",
    ]
    error_description: str
