"""The load: requests over connections that stay open, sent by a process of its own."""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from statistics import quantiles
from typing import cast

import uvloop

PATIENCE = 300.0  # for what was sent last


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: the requests in turn from ``start``, until the time or the count is reached."""

    port: int
    requests: Sequence[bytes]
    start: int
    seconds: float
    count: int
    connections: int


@dataclass(frozen=True, slots=True)
class Result:
    count: int
    seconds: float
    p50: float
    p99: float
    failures: int
    last: bytes  # the last answer, or the first that was no success


class Driver:
    """Sends from a child process, so that sending takes no time of whoever measures."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._mine, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()

    def run(self, order: Order) -> Result:
        self._mine.send(order)
        if not self._mine.poll(order.seconds + PATIENCE):
            raise TimeoutError("the load did not end")
        result: Result | Exception = self._mine.recv()
        if isinstance(result, Exception):
            raise result
        return result

    def stop(self) -> None:
        self._mine.send(None)
        self._process.join(5)


def _serve(pipe: Connection) -> None:
    while (order := pipe.recv()) is not None:
        try:
            pipe.send(uvloop.run(_load(order)))
        except Exception as error:
            pipe.send(error)


@dataclass(slots=True)
class _Load:
    order: Order
    deadline: float
    sent: int = 0
    latencies: list[float] = field(default_factory=list[float])
    failures: int = 0
    last: bytes = b""

    def next(self) -> bytes | None:
        if self.sent >= self.order.count or (time.perf_counter() > self.deadline and self.sent):
            return None
        request = self.order.requests[(self.order.start + self.sent) % len(self.order.requests)]
        self.sent += 1
        return request

    def answered(self, seconds: float, status: int, answer: bytes) -> None:
        self.latencies.append(seconds)
        if not self.failures:
            self.last = answer
        self.failures += not 200 <= status < 300


class _Client(asyncio.Protocol):
    """One connection, one request at a time; a server may close it between two of them."""

    def __init__(self, load: _Load, done: "asyncio.Future[None]") -> None:
        self._load, self._done = load, done
        self._transport: asyncio.Transport | None = None
        self._request: bytes | None = None
        self._began = 0.0
        self._answer = bytearray()
        self._wanted = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no such class
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._wanted < 0 and (end := self._answer.find(b"\r\n\r\n")) >= 0:
            self._wanted = end + 4 + _length(bytes(self._answer[:end]))
        if 0 <= self._wanted <= len(self._answer):
            elapsed = time.perf_counter() - self._began
            self._load.answered(elapsed, int(self._answer[9:12]), bytes(self._answer))
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError(f"the server closed the connection: {exc}"))

    def _next(self) -> None:
        assert self._transport is not None
        self._request = self._load.next()
        if self._request is None:
            if not self._done.done():
                self._done.set_result(None)
            self._transport.close()
            return
        self._answer.clear()
        self._wanted = -1
        self._began = time.perf_counter()
        self._transport.write(self._request)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    if head[9:12] == b"204":
        return 0
    raise ValueError(f"an answer of unknown length: {head!r}")


async def _load(order: Order) -> Result:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    load = _Load(order, began + order.seconds)
    waiting: list[asyncio.Future[None]] = []
    for _ in range(min(order.connections, order.count)):
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)
        await loop.create_connection(partial(_Client, load, done), "127.0.0.1", order.port)
    await asyncio.gather(*waiting)
    elapsed = time.perf_counter() - began
    spread = quantiles(load.latencies * 2, n=100)
    return Result(
        len(load.latencies), elapsed, spread[49] * 1e3, spread[98] * 1e3, load.failures, load.last
    )
