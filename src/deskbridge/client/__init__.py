"""A typed client of Deskbridge's API.

    with Client.sign_in("https://desk.example.org", "anna@example.org", password) as desk:
        for ticket in desk.tickets.list_tickets(status=[Status.OPEN]):
            print(ticket.number, ticket.title)

Every route of the API is a method of `desk.tickets`, `desk.directory` and so on. Writes happen once, however often the
network makes the client repeat them. Errors are `ClientError`s; what the desk refuses is a `Refused`.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx

from deskbridge.client.calls import Calls, Upload
from deskbridge.client.errors import AnswerLost, ClientError, NotReached, Refused, UnreadableAnswer
from deskbridge.client.pages import Pages
from deskbridge.client.routes import Routes
from deskbridge.client.stream import Frame

__all__ = [
    "AnswerLost",
    "Client",
    "ClientError",
    "Frame",
    "NotReached",
    "Pages",
    "Refused",
    "UnreadableAnswer",
    "Upload",
]


class Client(Routes):
    """A desk, for one caller. `token` is an access token or a personal API token; it goes nowhere but to `url`."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._calls = Calls(url, token, transport, sleep)
        super().__init__(self._calls)

    @classmethod
    def sign_in(
        cls,
        url: str,
        username: str,
        password: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Self:
        """Return a client signed in with an e-mail address, phone number or customer ID; it renews its tokens."""
        client = cls(url, transport=transport, sleep=sleep)
        tokens = client.people.login(username=username, password=password)
        client._calls.sign_in(tokens.access_token, tokens.refresh_token)
        return client

    def close(self) -> None:
        self._calls.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
