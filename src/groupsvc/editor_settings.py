"""The settings of the group editor."""

from pydantic import Field
from pydantic_settings import BaseSettings


class EditorSettings(BaseSettings):
    ui: bool = Field(default=True, description="Serve the group editor at `/ui`")
    oidc_client_id: str | None = Field(
        default=None,
        description="As which client the editor signs people in at `GROUPSVC_JWT_ISSUER`; it does "
        "not without",
    )
    oidc_scope: str = Field(
        default="openid profile",
        description="What it asks for there; with `offline_access` tokens are renewed, where the "
        "provider needs it for that",
    )
    oidc_resource: str | None = Field(
        default=None,
        description="The `resource` (RFC 8707) that it names, for providers that issue a JWT for "
        "one alone",
    )
