"""What browsers are told about calls from pages of other origins."""

from collections.abc import Sequence
from typing import Any

# Those of our own, and those of pages that keep their token in cookies (the last three).
REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "groupsvc-position",
    "if-match",
    "if-none-match",
    "idempotency-key",
    "last-event-id",
    "use-jwt-cookie",
    "x-csrftoken",
    "x-requested-with",
)
RESPONSE_HEADERS = (
    "etag",
    "groupsvc-position",
    "idempotent-replayed",
    "left-out",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-request-id",
)


def cross_origin(origins: Sequence[str]) -> dict[str, Any]:
    """For Starlette's middleware. Cookies count for origins that are named, never for all."""
    return {
        "allow_origins": origins,
        "allow_credentials": "*" not in origins,
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": REQUEST_HEADERS,
        "expose_headers": RESPONSE_HEADERS,
    }
