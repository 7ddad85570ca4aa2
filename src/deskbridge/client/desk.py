"""The client of one desk, for one caller."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx

from deskbridge.client.calls import Calls
from deskbridge.client.routes import Routes


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
