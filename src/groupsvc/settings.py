"""Settings, read once from ``GROUPSVC_*`` variables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from groupsvc.domain.roles import PERMISSIONS

PREFIX: Final = "GROUPSVC_"

# How the paths of the service begin.
OWN_PATHS: Final = (
    "/ScoDoc",
    "/api/cohorts",
    "/courses",
    "/docs",
    "/health",
    "/oauth2",
    "/openapi.json",
    "/v1",
)


def _split_at_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _apart(prefix: str) -> str:
    """Nobody could tell whether a prefix that looks like a path of ours was taken off."""
    for own in OWN_PATHS:
        if prefix and (f"{own}/".startswith(f"{prefix}/") or prefix.startswith(f"{own}/")):
            raise ValueError(f"paths of the service begin with {own}")
    return prefix


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_at_commas)]


def _as_browsers_say(origins: tuple[str, ...]) -> tuple[str, ...]:
    """An origin has no slash at its end."""
    return tuple(origin.rstrip("/") for origin in origins)


Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    env: Literal["development", "production"] = Field(
        default="development",
        description="`production` refuses the embedded database and development keys",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 to 18; without it an embedded PostgreSQL 18 is started",
    )
    home: Path | None = Field(
        default=None,
        description="Where the embedded database and the development key live; "
        "`~/.groupsvc`, or `/var/lib/groupsvc` for root",
    )
    pool_size: int = Field(default=8, ge=1, le=200, description="Database connections per worker")
    pool_timeout: Seconds = Field(
        default=2.0,
        description="Seconds in which no connection becomes free until those who wait for one are "
        "refused; while the queue moves they wait, within the time of their request",
    )
    connect_timeout: Seconds = Field(default=2.0, description="Seconds to connect to one host")
    command_timeout: Seconds = Field(
        default=5.0, description="Seconds the driver waits for an answer"
    )
    statement_timeout: Seconds = Field(default=4.0, description="Seconds one statement may run")
    lock_timeout: Seconds = Field(
        default=1.5, description="Seconds a statement may wait for a lock"
    )
    request_timeout: Seconds = Field(default=10.0, description="Seconds one request may take")
    bulk_timeout: Seconds = Field(
        default=120.0, description="Seconds an import or bulk request, and its statements, may take"
    )
    receive_timeout: Seconds = Field(
        default=15.0, description="Seconds a client has to send a request"
    )
    pooler: bool = Field(
        default=False, description="A transaction-mode pooler stands between: cache no statements"
    )
    max_body: int = Field(
        default=1_048_576, ge=1024, description="Bytes of an ordinary request body"
    )
    max_upload: int = Field(
        default=33_554_432, ge=1024, description="Bytes of the body of an import or bulk request"
    )
    max_json_depth: int = Field(
        default=32, ge=4, le=200, description="Nesting allowed in JSON bodies"
    )
    page_size: int = Field(
        default=50, ge=1, le=200, description="Items on a page when none are asked for"
    )
    allowed_hosts: Names = Field(
        default=(), description="Comma-separated `Host` names that are answered; empty answers all"
    )
    root_path: Annotated[str, AfterValidator(_apart)] = Field(
        default="",
        pattern=r"^((/[A-Za-z0-9._~-]+)+)?$",
        description="The prefix of paths at a gateway, such as `/groups`, taken off there or not",
    )
    cors_origins: Annotated[Names, AfterValidator(_as_browsers_say)] = Field(
        default=(), description="Comma-separated origins of browser applications that may call"
    )
    jwks_url: str | None = Field(
        default=None, description="Where the identity provider publishes its keys"
    )
    jwks_file: Path | None = Field(
        default=None, description="A file with these keys instead, as a JSON key set"
    )
    jwks: str | None = Field(
        default=None, description="The JSON key set itself instead: public keys alone count"
    )
    jwt_issuer: str | None = Field(default=None, description="The `iss` a token must carry")
    jwt_audience: str = Field(default="groupsvc", description="The `aud` a token must carry")
    jwt_algorithms: Names = Field(
        default=("RS256", "RS512", "ES256", "EdDSA"),
        description="Signature algorithms that are accepted",
    )
    jwt_username_claim: str = Field(
        default="preferred_username",
        description="The claim that holds the caller's name in the roster",
    )
    jwt_grants_claim: str = Field(
        default="groupsvc_grants",
        description="The claim that lists grants, `permission[@place]` each",
    )
    jwt_administrator_claims: Names = Field(
        default=(),
        description="Claims, such as `administrator` of Open edX, that grant everything everywhere "
        "when one of them is true",
    )
    jwt_roles_claim: str = Field(
        default="",
        description="The claim that lists roles, `role:course key` each or `role:*`; none is read "
        "without a name",
    )
    jwt_roles: Names = Field(
        default=tuple(
            f"{role}={permission}"
            for role, permissions in PERMISSIONS.items()
            for permission in permissions
        ),
        description="What roles grant in their course, `role=permission` each",
    )
    jwt_scopes_claim: str = Field(
        default="",
        description="The claim that holds scopes, as a list or a text; none is read without a name",
    )
    jwt_scopes: Names = Field(
        default=(), description="What scopes grant everywhere, `scope=permission` each"
    )
    jwt_max_lifetime: int = Field(
        default=86_400, ge=60, description="Seconds between `iat` and `exp`"
    )
    jwks_refresh: Seconds = Field(
        default=30.0, description="Seconds at least between two fetches for an unknown `kid`"
    )
    token_lifetime: int = Field(
        default=3_600, ge=60, description="Seconds an issued token is valid"
    )
    idempotency_hours: int = Field(
        default=24, ge=1, description="Hours an `Idempotency-Key` is remembered"
    )
    studio_url: str = Field(
        default="", description="Where Open edX Studio is, for links to its content groups"
    )
    openedx_usernames: Literal["any_case", "exact"] = Field(
        default="any_case",
        description="How the Open edX dialect looks usernames up; `any_case` is what the MySQL of "
        "the platform does, and an exact one comes first",
    )
    openedx_cohort_order: Literal["collated", "code_point"] = Field(
        default="collated",
        description="The order of names in the Open edX dialect; `collated` is that of the MySQL "
        "of the platform (`utf8mb4_unicode_ci`): no case, no accents, digits before letters",
    )
    job_poll: float = Field(
        default=10.0, ge=0.1, description="Seconds between two looks for jobs that others have left"
    )
    job_silence: float = Field(
        default=60.0, ge=1, description="Seconds after which a silent worker's job is taken over"
    )
    job_days: int = Field(default=30, ge=1, description="Days until a job that ended is forgotten")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged"
    )
    docs: bool = Field(default=True, description="Serve Swagger UI and the OpenAPI documents")


def faults(error: ValidationError) -> Iterator[str]:
    """What is wrong, by variable; their values may be secret."""
    for each in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in each["loc"]).upper()
        yield f"{PREFIX}{name}: {each['msg']}"
