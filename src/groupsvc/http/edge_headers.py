"""The headers of a request that matter at the edge, and those that every answer has."""

import re
from typing import Final

MANY: Final = (b"x-request-id", b"cookie")  # may be repeated: then they tell nothing
KEPT: Final = frozenset(
    (b"host", b"authorization", b"content-type", b"content-length", b"content-encoding")
) | {b"if-match", b"idempotency-key", b"transfer-encoding", *MANY}
OF_BODIES: Final = frozenset((b"content-encoding", b"transfer-encoding", b"content-length"))
HOST: Final = re.compile(rb"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(?::[0-9]{1,5})?")
REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
NO_STORE: Final = (b"cache-control", b"no-store")
