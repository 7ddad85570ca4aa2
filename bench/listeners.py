"""Readers of the live stream: a process of its own that keeps many connections open and notes when each event came.

`Listeners` starts it and speaks with it: one JSON line per order on its standard input, one per result on its output.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, cast

import httptools
import msgspec
import uvloop

PATIENCE = 60


class Order(msgspec.Struct):
    """Open a stream for each of the `tokens` at a port of this machine, then wait until each has heard `events`."""

    port: int
    tokens: list[str]
    events: int


class Heard(msgspec.Struct):
    """When each connection had its last event, by the clock that all processes of the machine share, in seconds."""

    at: list[float]


class Listeners:
    """The readers' process, as the bench sees it."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.listeners"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def open(self, port: int, tokens: Sequence[str]) -> None:
        """Open the streams, and return once all have begun."""
        self._order(Order(port, list(tokens), 0))
        self.heard()

    def listen(self, events: int) -> None:
        """Begin to wait until every connection has heard so many events since it was opened; `heard` gives when."""
        self._order(Order(0, [], events))

    def heard(self) -> list[float]:
        """Return when each connection had what was waited for."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("The readers of the stream came to an end.")
        return msgspec.json.decode(line, type=Heard).at

    def _order(self, order: Order) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.process.stdin.flush()


class Reader(asyncio.Protocol):
    """One open stream."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._rest = b""
        self.begun = asyncio.Event()
        self.events, self.last_at = 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.parser = httptools.HttpResponseParser(self)
        lines = ["GET /api/v1/stream HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {self._token}", "", ""]
        cast("asyncio.Transport", transport).write("\r\n".join(lines).encode())  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if self.parser.get_status_code() != 200:
            raise SystemExit(f"A stream was refused: {body.decode()}")
        *frames, self._rest = (self._rest + body).split(b"\n\n")
        self.begun.set()
        heard = sum(b"\nevent: " in frame for frame in frames)
        if heard:
            self.events += heard
            self.last_at = time.monotonic()


async def _opened(port: int, token: str) -> Reader:
    loop = asyncio.get_running_loop()
    _, reader = await loop.create_connection(lambda: Reader(token), "127.0.0.1", port)
    async with asyncio.timeout(PATIENCE):
        await reader.begun.wait()
    return reader


async def _until_all_heard(readers: Sequence[Reader], events: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while any(reader.events < events for reader in readers):
            await asyncio.sleep(0.02)


async def _listen() -> None:
    readers: list[Reader] = []
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        order = msgspec.json.decode(line, type=Order)
        readers += [await _opened(order.port, token) for token in order.tokens]
        await _until_all_heard(readers, order.events)
        sys.stdout.buffer.write(msgspec.json.encode(Heard([reader.last_at for reader in readers])) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(_listen())
