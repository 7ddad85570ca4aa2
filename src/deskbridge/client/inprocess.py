"""A transport to an application in this very process: the same requests, without a server."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx


class InProcess(httpx.BaseTransport):
    """Calls an ASGI application, one request at a time, on an event loop of its own."""

    def __init__(self, app: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self._app = httpx.ASGITransport(app=app)
        self._loop = asyncio.Runner()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._loop.run(self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        response = await self._app.handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        self._loop.close()
