"""Where the key set of an identity provider is read: from an address, a file or a setting.

The library for addresses brings a terminal with it, and is imported by whoever has an address.
"""

import asyncio
import ssl
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 262_144

# No compression: its bombs would get past the limit on what is read.
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class KeyDocument(Protocol):
    """A JWKS document, which may change while the process runs."""

    async def read(self) -> bytes:
        """Raises OSError and ValueError."""
        ...

    async def aclose(self) -> None: ...


class PublishedDocument:
    """The document at an address. Raises ValueError for an address that is none."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 3.0,
        transport: "httpx.AsyncBaseTransport | None" = None,
    ) -> None:
        import httpx

        self._failure = httpx.HTTPError
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ValueError(f"no address to fetch keys from: {error}") from None
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=timeout,
            headers=_HEADERS,
            follow_redirects=False,
            verify=_certificates(),
        )

    async def read(self) -> bytes:
        try:
            return await self._fetch()
        except self._failure as error:
            raise OSError(f"{type(error).__name__}: {error}") from error

    async def _fetch(self) -> bytes:
        body = bytearray()
        async with self._client.stream("GET", self._url) as response:
            if response.status_code != HTTPStatus.OK:
                raise ValueError(f"status {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise ValueError("too many bytes")
        return bytes(body)

    async def aclose(self) -> None:
        await self._client.aclose()


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: they take a megabyte, and there may be many identity providers."""
    import httpx

    return httpx.create_ssl_context()


class StoredDocument:
    """The document in a file, or the text of it itself. A file may be replaced at any time."""

    def __init__(self, source: Path | str) -> None:
        self._source = source

    def read_now(self) -> bytes:
        if isinstance(self._source, str):
            return self._source.encode()
        with self._source.open("rb") as file:
            body = file.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise ValueError("too many bytes")
        return body

    async def read(self) -> bytes:
        return await asyncio.to_thread(self.read_now)

    async def aclose(self) -> None:
        """Nothing is open."""
