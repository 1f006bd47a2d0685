"""How often a server turns to PostgreSQL: a socket in between that counts changes of direction."""

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class Relay:
    """As a context manager it passes on what comes to a socket in *home*."""

    def __init__(self, home: Path, target: Path) -> None:
        self.trips = 0
        self.socket = home
        self._target = str(target / ".s.PGSQL.5432")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self.socket.mkdir()
        self._thread.start()
        listening = asyncio.start_unix_server(self._pass_on, self.socket / ".s.PGSQL.5432")
        asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _pass_on(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        server, request = await asyncio.open_unix_connection(self._target)
        asking = False

        async def flow(
            source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool
        ) -> None:
            nonlocal asking
            while data := await source.read(65_536):
                self.trips += up and not asking
                asking = up
                sink.write(data)
                await sink.drain()
            sink.close()

        await asyncio.gather(flow(client, request, up=True), flow(server, answer, up=False))
