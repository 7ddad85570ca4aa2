"""One simulator as an ASGI application: control API, static sheet, pages, the product's API, faults of the wire."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from deskbridge.simulators import control, pages
from deskbridge.simulators.faults import Fault
from deskbridge.simulators.persistence import Persistence
from deskbridge.simulators.product import Answer, Simulator
from deskbridge.simulators.wire import Request, Response

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Application:
    """Runs on one event loop; every request is handled whole, so they never interleave inside the state.

    `wake` is set whenever a delivery may have become due.
    """

    def __init__(self, simulator: Simulator, persistence: Persistence | None = None) -> None:
        self.simulator = simulator
        self.persistence = persistence
        self.wake = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        with contextlib.suppress(ConnectionError):
            request = await _read(scope, receive, self.simulator.product.max_body)
            answer = self._answer(request)
            self.save()
            await _reply(answer, scope, receive, send, head=request.method == "HEAD")

    def _answer(self, request: Request) -> Answer:
        if (sheet := pages.static(request.path)) is not None:
            return Answer(sheet)
        if request.path.startswith(control.PREFIX):
            return Answer(control.handle(self.simulator, request))
        if (page := self.simulator.page(request)) is not None:
            return Answer(page)
        return self.simulator.receive(request)

    def save(self) -> None:
        if self.persistence:
            self.persistence.save(self.simulator.state)
        self.wake.set()


async def _read(scope: Message, receive: Receive, most: int) -> Request:
    """The whole request; what exceeds `most` bytes is read and thrown away, so that the client hears the answer."""
    chunks: list[bytes] = []
    held, more, truncated = 0, True, False
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        chunk, more = message.get("body", b""), message.get("more_body", False)
        kept = chunk[: max(0, most - held)]
        truncated = truncated or len(kept) < len(chunk)
        held += len(kept)
        chunks.append(kept)
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1").partition("?")[0],
        parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        b"".join(chunks),
        scope["scheme"],
        truncated,
    )


async def _reply(answer: Answer, scope: Message, receive: Receive, send: Send, *, head: bool) -> None:
    fault = answer.fault
    if fault and fault.kind == "hang":
        await _hold(fault, receive)
    if answer.response is None:
        await _hang_up(scope, receive)
        return
    if fault and fault.kind == "slow":
        await asyncio.sleep(fault.seconds)
    await _start(answer.response, send)
    if fault and fault.kind == "truncate":
        await send({"type": "http.response.body", "body": _half(answer.response), "more_body": True})
        await _hang_up(scope, receive)
        return
    await send({"type": "http.response.body", "body": b"" if head else answer.response.body})


async def _start(response: Response, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), _line(value)) for name, value in response.headers]
    if response.status not in {204, 304}:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})


def _line(value: str) -> bytes:
    """A header's value on one line, whatever a client made the product put into it."""
    return re.sub(r"[\r\n]+", " ", value).encode("latin-1", "replace")


async def _hold(fault: Fault, receive: Receive) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(_gone(receive), fault.seconds or None)


async def _hang_up(scope: Message, receive: Receive) -> None:
    """Close the socket without (more of) an answer; the transport is put into the scope by the server."""
    scope["transport"].close()
    await _gone(receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _half(response: Response) -> bytes:
    return response.body[: len(response.body) // 2]
