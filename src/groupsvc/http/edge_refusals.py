"""What the outermost layer answers by itself."""

import logging
from typing import Final, NamedTuple

from starlette.exceptions import HTTPException

# The outermost layer and what it answers are one to whoever reads the log.
_log = logging.getLogger("groupsvc.http.edge")


class Refusal(NamedTuple):
    status: int
    code: str
    detail: str
    retry_after: int = 1  # seconds, of a 503


BAD_HOST: Final = Refusal(400, "invalid_host", "the Host header is missing, repeated or malformed")
BAD_LENGTH: Final = Refusal(400, "invalid_content_length", "Content-Length is not a number")
REPEATED: Final = Refusal(400, "repeated_header", "a header that may be sent once was repeated")
WRONG_HOST: Final = Refusal(421, "misdirected_request", "this host is not served here")
TOO_LARGE: Final = Refusal(413, "body_too_large", "the body is too large")
COMPRESSED: Final = Refusal(
    415, "unsupported_content_encoding", "send the body as it is, not compressed"
)
NO_PATH: Final = Refusal(400, "invalid_target", "the target of the request is not a path")
TOO_LONG: Final = Refusal(414, "target_too_long", "the path or the query is too long")
HEADERS: Final = Refusal(431, "headers_too_large", "there are too many headers, or too long ones")
TOO_LATE: Final = Refusal(503, "deadline_passed", "this took too long and was given up")
TOO_BUSY: Final = Refusal(503, "too_busy", "too many requests are being worked on")
TOO_MUCH: Final = Refusal(503, "too_busy", "too many large bodies are being worked on", 10)
CRASHED: Final = Refusal(500, "internal_error", "an unexpected error, which has been logged")


class TooLargeError(HTTPException):
    """Raised to whoever reads the body: the face of the path renders it like its own refusals."""


def headers_of(
    refusal: Refusal, body: bytes, content_type: str, *, waits: bool
) -> list[tuple[bytes, bytes]]:
    """Those of its answer. Whoever ``waits`` for "100 Continue" may keep the body that the server
    would go on to expect.
    """
    headers = [
        (b"content-type", content_type.encode("latin-1")),
        (b"content-length", str(len(body)).encode()),
    ]
    if refusal.status == 503:
        headers.append((b"retry-after", b"%d" % refusal.retry_after))
    if refusal.status == 400 or waits:
        headers.append((b"connection", b"close"))
    return headers


def explain(error: Exception, *, expired: bool) -> Refusal:
    if isinstance(error, TooLargeError):
        return TOO_LARGE
    if expired and isinstance(error, TimeoutError):
        _log.warning("a request passed its deadline")
        return TOO_LATE
    _log.error("a request failed", exc_info=error)
    return CRASHED
