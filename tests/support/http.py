"""Calling the application as somebody, in the test's own process and from top to bottom."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI

from deskbridge.people.access import Access
from deskbridge.people.service import start_token_family
from deskbridge.people.tokens import issue_access_token
from tests.factories import Person
from tests.support.conformance import Described

T = TypeVar("T")


class Loop:
    """An event loop on a thread of its own: no test is in its way, and it in nobody's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="test-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def background_loop() -> Iterator[Loop]:
    loop = Loop()
    try:
        yield loop
    finally:
        loop.close()


class Api:
    """The API as one caller sees it; paths are below `prefix`. Each answer is held against the OpenAPI document."""

    def __init__(self, app: FastAPI, loop: Loop, token: str | None = None, prefix: str = "/api/v1") -> None:
        self.app, self.loop, self.token, self.prefix = app, loop, token, prefix

    @property
    def root(self) -> "Api":
        """The same caller at the root."""
        return Api(self.app, self.loop, self.token, "")

    def with_token(self, token: str | None) -> "Api":
        return Api(self.app, self.loop, token, self.prefix)

    def as_(self, person: Person) -> "Api":
        """The same API, called by this person."""
        return self.with_token(access_token(self.access, person))

    @property
    def access(self) -> Access:
        access: Access = self.app.state.access
        return access

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.loop.run(self._send([(method, path, options)]))[0]

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("POST", path, **({"json": json} if json is not None else {}), **options)

    def put(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("PUT", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> httpx.Response:
        return self.request("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", path, **options)

    def together(self, calls: Sequence[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        """Send all of these (method, path, options) at once."""
        return self.loop.run(self._send(calls))

    async def _send(self, calls: Sequence[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=self.app)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.test", headers=headers) as client:
            answers = await asyncio.gather(
                *(client.request(method, self.prefix + path, **options) for method, path, options in calls)
            )
        for answer in answers:
            described(self.app).check(answer)
        return answers


def described(app: FastAPI) -> Described:
    """Return what an application says of itself, asked once."""
    if not hasattr(app.state, "described"):
        app.state.described = Described(app)
    found: Described = app.state.described
    return found


def access_token(access: Access, person: Person) -> str:
    """Return a fresh access token of a person, as a sign-in gives it."""
    database = access.desk.database
    family = database.write(start_token_family, person.id)
    key = access.settings.JWT_SECRET_KEY.get_secret_value()
    return issue_access_token(
        key, person.id, person.name, person.email, person.role, family.family_id, database.clock.now()
    )
