"""Pure ASGI layers around the whole application, outermost first: log and request id, body limit, path rewrite."""

import re
import time
from collections.abc import Awaitable, Callable, Iterable

import structlog
from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deskbridge.kit.errors import TooLarge
from deskbridge.kit.http import error_response
from deskbridge.kit.ids import new_id

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PARAMETER_NAME = re.compile(rb"[a-z_]{1,30}")
MOST_PARAMETERS = 50

METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}

REQUESTS = Histogram(
    "deskbridge_request_duration_seconds",
    "Requests by route template, method and status, and how long they took.",
    ["route", "method", "status"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
)
"""Callers choose paths and methods, so what is no route of ours counts as `none`, and no method of ours as `OTHER`."""

log = structlog.get_logger("deskbridge.access")


class AccessLog:
    """Give each request an id (the caller's own `X-Request-ID` if it is a plain one), count it and log a line about it.

    The line says who (`actor_id`) did what (`method`, `path`, the names of the parameters), how it ended, how long it
    took in ms and how many bytes went out. It holds no value of a parameter, no header and no body: those are people's
    words and secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("x-request-id", "")
        request_id = asked if REQUEST_ID.fullmatch(asked) else new_id().hex
        scope.setdefault("state", {})["request_id"] = request_id
        started, status, size = time.perf_counter(), 500, 0

        async def send_with_id(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            method = scope["method"] if scope["method"] in METHODS else "OTHER"
            REQUESTS.labels(scope["state"].get("route", "none"), method, status).observe(seconds)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                parameters=_names(scope["query_string"]),
                status=status,
                bytes=size,
                ms=round(seconds * 1000, 1),
                actor_id=scope["state"].get("actor_id"),
                request_id=request_id,
            )


def _names(query: bytes) -> list[str]:
    """Return the names of a query's parameters that are plain words, each once: others could be anything."""
    names = {part.partition(b"=")[0] for part in query.split(b"&", MOST_PARAMETERS)[:MOST_PARAMETERS]}
    return sorted(name.decode() for name in names if PARAMETER_NAME.fullmatch(name))


class BodyLimit:
    """Refuse bodies over the limit while they arrive, before anything reads them whole.

    `larger` names the paths (as a regular expression) whose own door bounds what it streams.
    """

    def __init__(self, app: ASGIApp, limit: int, larger: str = "(?!)") -> None:
        self.app, self.limit, self.larger = app, limit, re.compile(larger)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD"} or self.larger.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        refused = error_response(TooLarge(f"The body is larger than {self.limit} bytes."))
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > self.limit:
            await refused(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await refused(scope, receive, send)
            return
        await self.app(scope, replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the whole body, or None once it passes the limit."""
        chunks, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return b""
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self.limit:
                return None
            if not message.get("more_body", False):
                return b"".join(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out the body that was already read, then what comes after it."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


class RewritePaths:
    """Serve `/api/…` as `/api/v1/…`: the unversioned address always means the newest version."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith("/api/") and not path.startswith("/api/v1/"):
                scope = {**scope, "path": "/api/v1/" + path[5:], "raw_path": b"/api/v1/" + scope["raw_path"][5:]}
        await self.app(scope, receive, send)


class Catch:
    """Answer what nothing else caught, inside the other layers: such an answer too has its id, headers and log line."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Awaitable[Response]]) -> None:
        self.app, self.answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, note_start)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            response = await self.answer(Request(scope, receive), error)
            await response(scope, receive, send)


class ExtraHeaders:
    """Add headers to every answer that does not set them itself."""

    def __init__(self, app: ASGIApp, headers: Iterable[tuple[str, str]]) -> None:
        self.app = app
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                added = [header for header in self.headers if header[0] not in present]
                message["headers"] = [*message["headers"], *added]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)
