"""Settings, read once from ``GROUPSVC_*`` variables and from files of secrets."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from groupsvc.domain.roles import PERMISSIONS
from groupsvc.event_settings import EventSettings
from groupsvc.setting_types import Names, Seconds, Unset, apart, as_browsers_say, as_hosts

PREFIX: Final = "GROUPSVC_"
# Where orchestrators put secrets: a file for each, called like the variable in small letters.
SECRETS: Final = Path("/run/secrets")


class GeneralSettings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        # Some engines have a folder there that is none of ours.
        secrets_dir=SECRETS if os.access(SECRETS, os.R_OK | os.X_OK) else None,
    )

    env: Literal["development", "production"] = Field(
        default="development",
        description="`production` refuses the embedded database and development keys",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL 15 to 18; without it an embedded PostgreSQL 18 is started",
    )
    control_url: Annotated[SecretStr | None, Unset] = Field(
        default=None,
        description="The database that lists institutions, each with a database of its own; "
        "without it there is one institution",
    )
    shared_hosts: Names = Field(
        default=(),
        description="Comma-separated `Host` names that institutions share: there the issuer of the "
        "token chooses one",
    )
    max_connections: int = Field(
        default=48,
        ge=8,
        description="Connections of a worker to the databases of all institutions together",
    )
    tenant_idle: Seconds = Field(
        default=120.0, description="Seconds without a request until an institution is put aside"
    )
    tenant_poll: Seconds = Field(
        default=2.0, description="Seconds between two looks at the list of institutions"
    )
    tenant_visits: float = Field(
        default=1.0,
        gt=0,
        le=100,
        description="Institutions in a second that a worker looks after: jobs that others have "
        "left, seals, what has expired",
    )
    home: Path | None = Field(
        default=None,
        description="Where the embedded database and the development key live; "
        "`~/.groupsvc`, or `/var/lib/groupsvc` for root",
    )
    read_hosts: Annotated[Names, AfterValidator(as_hosts)] = Field(
        default=(),
        description="Comma-separated standbys that answer reads, `host:port` each, which must be "
        "one server; the rest is as in the URL. None without",
    )
    read_lag: Seconds = Field(
        default=5.0,
        description="Seconds that a standby may be behind, to be read",
    )
    pool_size: int = Field(default=8, ge=1, le=200, description="Database connections per worker")
    pool_timeout: Seconds = Field(
        default=2.0,
        description="Seconds in which no connection becomes free until those who wait for one are "
        "refused; while the queue moves they wait, within the time of their request",
    )
    connect_timeout: Seconds = Field(default=2.0, description="Seconds to connect to one host")
    command_timeout: Seconds = Field(
        default=4.5, description="Seconds the driver waits for an answer, or for all hosts"
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
    drain_time: float = Field(
        default=3.0,
        ge=0,
        description="Seconds to serve on after SIGTERM, not ready any more, until new connections "
        "are refused",
    )
    http_parser: Literal["httptools", "h11"] = Field(
        default="httptools", description="What reads HTTP: in C, or in Python and slower"
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
    max_requests: int = Field(
        default=2_000,
        ge=1,
        description="Requests that a worker works on at a time; health checks come on top",
    )
    max_requests_per_caller: int = Field(
        default=600_000,
        ge=1,
        description="Requests of one caller in a minute that a worker answers",
    )
    login_tries: int = Field(
        default=30,
        ge=1,
        description="Wrong secrets of an account from one address until its next try has to wait: "
        "a second, then twice as long each time, up to 15 minutes",
    )
    client_address_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="The header in which the gateway tells the address of a client, such as "
        "`X-Forwarded-For`, whose last one counts; without it that of the connection does",
    )
    max_bulk_bodies: int = Field(
        default=2,
        ge=1,
        description="Bodies above 256 KiB that a worker works on at a time, one of each token; as "
        "many again of tokens that it has not answered yet",
    )
    bulk_queue_timeout: Seconds = Field(
        default=5.0,
        description="Seconds in which no such body is done with until those that wait are refused",
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
    root_path: Annotated[str, AfterValidator(apart)] = Field(
        default="",
        pattern=r"^((/[A-Za-z0-9._~-]+)+)?$",
        description="The prefix of paths at a gateway, such as `/groups`, taken off there or not",
    )
    cors_origins: Annotated[Names, AfterValidator(as_browsers_say)] = Field(
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
    audit_key_file: Path | None = Field(
        default=None,
        description="An Ed25519 private key (PEM) that signs seals of the change log",
    )
    audit_seal_seconds: float = Field(
        default=300.0,
        ge=1,
        description="Seconds between two seals of the change log, which protect it within two of "
        "them; what has expired is deleted as often",
    )
    change_log_days: int = Field(
        default=1095,
        ge=0,
        description="Days until `groupsvc audit archive` takes lines out of the change log",
    )
    former_name_days: int | None = Field(
        default=None,
        ge=0,
        description="Days until former usernames and addresses are forgotten; never without",
    )
    preassignment_days: int | None = Field(
        default=None,
        ge=0,
        description="Days until an address that waits in a cohort is deleted; never without",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="What is logged"
    )
    metrics_address: str = Field(
        default="",
        pattern=r"^((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5})?$",
        description="Where metrics are served, such as `0.0.0.0:9464`: a listener apart from the "
        "API, which is not for the public",
    )
    metrics_tenants: bool = Field(
        default=False, description="Count requests of each institution, by its name"
    )
    docs: bool = Field(default=True, description="Serve Swagger UI and the OpenAPI documents")
    ui: bool = Field(default=True, description="Serve the group editor at `/ui`")


class Settings(EventSettings, GeneralSettings):
    """All of them: those of what is newer come last."""


def faults(error: ValidationError) -> Iterator[str]:
    """What is wrong, by variable; their values may be secret."""
    for each in error.errors(include_input=False, include_url=False):
        name = "_".join(str(part) for part in each["loc"]).upper()
        yield f"{PREFIX}{name}: {each['msg']}"
