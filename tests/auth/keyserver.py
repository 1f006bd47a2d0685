"""A key server on a real socket, which can misbehave."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any, Literal, Self


class KeyServer:
    """Answers every GET as it is told to at that moment, and counts."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.body = b""
        self.manner: Literal["answer", "hold", "drip", "flood"] = "answer"
        self.paths: list[str] = []
        self.sent = 0
        self.asked = asyncio.Event()
        self.released = asyncio.Event()
        self._server: asyncio.Server | None = None

    @property
    def hits(self) -> int:
        return len(self.paths)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/jwks"

    def publish(self, *keys: Any) -> None:
        self.status, self.manner, self.headers = 200, "answer", {}
        self.body = json.dumps({"keys": keys}).encode()

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls) -> AsyncGenerator[Self]:
        made = cls()
        made._server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
        try:
            yield made
        finally:
            made.released.set()
            await made.stop()

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            self.paths.append(request.split(b" ")[1].decode())
            self.asked.set()
            await self._answer(writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if self.manner == "hold":
            await self.released.wait()
        endless = self.manner in ("drip", "flood")
        length = 1 << 30 if endless else len(self.body)
        headers = {"Content-Length": str(length), "Connection": "close", **self.headers}
        lines = [f"HTTP/1.1 {self.status} -", *(f"{k}: {v}" for k, v in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + self.body)
        await writer.drain()
        while endless and self.sent < 1 << 30 and not self.released.is_set():
            piece = b" " * (1 if self.manner == "drip" else 65_536)
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)
            await asyncio.sleep(0.001 if self.manner == "drip" else 0)
