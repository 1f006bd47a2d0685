"""Bytes that stay as they are, compressed once and not for every request."""

import gzip
import hashlib
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

_GZIP: Final = re.compile(
    r"(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)"
)


class Compressed:
    def __init__(self, body: bytes, media_type: str, cache_control: str = "no-cache") -> None:
        self._plain, self._gzip = body, gzip.compress(body, mtime=0)
        self._tag = hashlib.sha256(body).hexdigest()[:24]
        self._media_type = media_type
        self._headers = {"cache-control": cache_control, "vary": "Accept-Encoding"}

    def answer(self, request: Request, **more: str) -> Response:
        """The bytes as the caller takes them; 304 when they have them already."""
        takes = _GZIP.search(request.headers.get("accept-encoding", "").lower()) is not None
        headers = {**self._headers, "etag": f'"{self._tag}{"-gzip" if takes else ""}"', **more}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if takes:
            headers["content-encoding"] = "gzip"
        return Response(self._gzip if takes else self._plain, 200, headers, self._media_type)
