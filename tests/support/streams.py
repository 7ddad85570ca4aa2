"""Reading a live stream from the application in the test's own process, which no HTTP client of ours can."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from fastapi import FastAPI

from tests.support.http import Api, Loop

PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Frame:
    """One event as a browser would see it."""

    id: str
    event: str
    data: Any

    @property
    def number(self) -> int:
        number: int = self.data["ticket"]["number"]
        return number


class Reader:
    """One open stream. With `stalled`, nothing that is sent arrives."""

    def __init__(self, app: FastAPI, loop: Loop, headers: dict[str, str], *, stalled: bool = False) -> None:
        self.loop, self.status, self.raw, self.ended = loop, 0, b"", False
        self.beats = 0
        self.last_id: str | None = None
        self._app, self._headers, self._stalled = app, headers, stalled
        self._changed, self._hung_up = asyncio.Condition(), asyncio.Event()
        self._frames: list[Frame] = []
        self.task = loop.run(self._start())

    async def _start(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self._run())

    async def _run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/api/v1/stream",
            "raw_path": b"/api/v1/stream",
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in self._headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("desk.test", 80),
        }
        await self._app(scope, self._receive, self._send)
        await self._note(ended=True)

    async def _receive(self) -> dict[str, Any]:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif self._stalled:
            await asyncio.Event().wait()
        else:
            self.raw += message["body"]
        await self._note()

    async def _note(self, *, ended: bool = False) -> None:
        async with self._changed:
            self.ended = self.ended or ended
            while b"\n\n" in self.raw:
                block, _, self.raw = self.raw.partition(b"\n\n")
                self._parse(block.decode())
            self._changed.notify_all()

    def _parse(self, block: str) -> None:
        self.beats += block == ":"
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        self.last_id = fields.get("id", self.last_id)
        if "event" in fields:
            self._frames.append(Frame(fields["id"], fields["event"], msgspec.json.decode(fields["data"])))

    async def _until(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(lambda: self.ended or len(self._frames) >= count)

    def opened(self) -> "Reader":
        """Return once the stream has begun: from here on it misses nothing."""

        async def begun() -> None:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self.ended or self.last_id or (self._stalled and self.status))

        self.loop.run(begun())
        return self

    def take(self, count: int) -> list[Frame]:
        """Return the next `count` events, waiting for them."""
        self.loop.run(self._until(count))
        assert len(self._frames) >= count, f"the stream ended after {self._frames}"
        taken, self._frames = self._frames[:count], self._frames[count:]
        return taken

    def next(self) -> Frame:
        return self.take(1)[0]

    def rest(self) -> list[Frame]:
        """Return the events that came and were not taken."""
        taken, self._frames = self._frames, []
        return taken

    def until_ended(self) -> list[Frame]:
        """Return what came, once the stream has ended by itself."""
        self.loop.run(self._until(1_000_000))
        return self.rest()

    def beaten(self) -> None:
        """Return once a heartbeat has come."""

        async def beat() -> None:
            async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
                await self._changed.wait_for(lambda: self.beats > 0)

        self.loop.run(beat())

    def hang_up(self) -> None:
        self.loop.run(self._hang_up())

    async def _hang_up(self) -> None:
        self._hung_up.set()
        await asyncio.wait({self.task}, timeout=PATIENCE_SECONDS)


@contextmanager
def reading(api: Api, *, stalled: bool = False, cookie: str = "", last_event_id: str | None = None) -> Iterator[Reader]:
    """Read the stream as this caller while the block lasts."""
    headers = {"host": "desk.test"}
    if api.token:
        headers["authorization"] = f"Bearer {api.token}"
    if cookie:
        headers["cookie"] = cookie
    if last_event_id is not None:
        headers["last-event-id"] = last_event_id
    reader = Reader(api.app, api.loop, headers, stalled=stalled)
    try:
        yield reader.opened()
    finally:
        reader.hang_up()
