"""The client, in front of the application under test or of a desk that says what a test has scripted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
from fastapi import FastAPI
from tests.factories import Person
from tests.support.http import access_token

from deskbridge.client import Client
from deskbridge.client.inprocess import InProcess
from deskbridge.people.access import Access

Answers = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Scripted(httpx.BaseTransport):
    """Answers with what the script says next, and keeps what was asked."""

    script: list[Answers]
    asked: list[httpx.Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.asked]


@pytest.fixture
def scripted() -> Callable[..., tuple[Client, Scripted]]:
    """Make a client of a desk with this script."""

    def make(*script: Answers, token: str | None = "t") -> tuple[Client, Scripted]:
        desk = Scripted(list(script))
        return Client("http://desk.test", token, transport=desk, sleep=desk.waited.append), desk

    return make


class Losing(httpx.BaseTransport):
    """Passes calls on, and loses the answers of those it is told to lose."""

    def __init__(self, inner: httpx.BaseTransport, lost: Sequence[str]) -> None:
        self.inner, self.lost = inner, list(lost)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        if request.method in self.lost:
            self.lost.remove(request.method)
            raise httpx.ReadTimeout("the answer never came")
        return response


@pytest.fixture
def in_process(app: FastAPI) -> Iterator[InProcess]:
    transport = InProcess(app)
    yield transport
    transport.close()


@pytest.fixture
def desk_of(app: FastAPI, in_process: InProcess) -> Callable[..., Client]:
    """Make a client of the desk under test, for a person; `lose` names methods whose next answer is lost."""

    def make(person: Person, *, lose: Sequence[str] = ()) -> Client:
        access: Access = app.state.access
        transport = Losing(in_process, lose)
        return Client("http://desk.test", access_token(access, person), transport=transport, sleep=lambda _: None)

    return make
