"""What institutions have of their own, and what all of them share."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from groupsvc.settings import PREFIX, Settings, faults

# What an institution among several may have of its own.
OF_TENANTS: Final = frozenset(name for name in Settings.model_fields if name.startswith("jwt_")) | {
    "audit_key_file",
    "change_log_days",
    "cors_origins",
    "former_name_days",
    "idempotency_hours",
    "job_days",
    "jwks",
    "jwks_file",
    "jwks_url",
    "login_tries",
    "max_requests_per_caller",
    "openedx_cohort_order",
    "openedx_usernames",
    "pool_size",
    "preassignment_days",
    "studio_url",
    "token_lifetime",
}
# What all of them must not share: whoever it names would be believed by every one.
NEVER_SHARED: Final = ("jwt_issuer", "jwks", "jwks_file", "jwks_url")


def refuse_shared(settings: Settings) -> None:
    """Raises ValueError for settings that no institution may have of all."""
    if settings.read_hosts:
        raise ValueError(f"standbys answer reads of one institution: unset {PREFIX}READ_HOSTS")
    names = [f"{PREFIX}{each.upper()}" for each in NEVER_SHARED if getattr(settings, each)]
    if settings.database_url is not None:
        names.append(f"{PREFIX}DATABASE_URL")
    if names:
        raise ValueError(
            f"each institution has its own: unset {', '.join(names)}, see `groupsvc tenant create`"
        )


def settings_of(own: Mapping[str, Any], shared: Settings) -> Settings:
    """Those that all have, with those of one. Raises ValueError."""
    if wrong := sorted(set(own) - OF_TENANTS):
        raise ValueError(f"no setting of an institution: {', '.join(wrong)}")
    given = shared.model_dump() | dict.fromkeys(NEVER_SHARED) | dict(own)
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ValueError("; ".join(faults(error))) from None
