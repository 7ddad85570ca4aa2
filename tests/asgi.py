"""Call an ASGI app in the test's own process, without a server."""

import asyncio

import httpx


def fetch(app, path, method="GET", headers=None):
    """Return what the app answers; redirects are not followed."""

    async def call():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(call())
