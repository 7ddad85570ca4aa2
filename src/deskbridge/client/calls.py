"""Calling the API: credentials, time-outs, safe repetition, and errors as exceptions."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast
from urllib.parse import quote
from uuid import UUID

import httpx
import msgspec
from msgspec import UNSET

from deskbridge.client.errors import AnswerLost, ClientError, NotReached, Refused, UnreadableAnswer, refusal
from deskbridge.client.pages import P, Pages
from deskbridge.client.stream import Frame, frames_of
from deskbridge.kit.ids import new_id

T = TypeVar("T")

TRIES = 5
LONGEST_WAIT = 30.0
"""In seconds: when the desk asks for more patience than this, the caller decides."""
CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
PASSING = {502, 503, 504}
SAFE_METHODS = {"GET", "HEAD"}


class Upload(NamedTuple):
    """A file to send, whole: its name and its content, which is read from the beginning each time."""

    name: str
    content: BinaryIO


@dataclass(frozen=True)
class Call:
    """One call. `query` and `body` may hold `UNSET`, which is left out. `key` makes a write happen once."""

    method: str
    path: str
    query: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None
    files: Mapping[str, Upload] | None = None
    headers: Mapping[str, str] | None = None
    key: str | None = None

    @property
    def repeatable(self) -> bool:
        """Tell whether the call may be sent again although it may have happened."""
        return self.method in SAFE_METHODS or self.key is not None


class Calls:
    """The way to one desk, for one caller. It may be shared by threads."""

    def __init__(
        self,
        url: str,
        token: str | None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(
            base_url=url,
            transport=transport,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            headers={"User-Agent": "deskbridge-client"},
        )
        self._sleep = sleep
        self._access: str | None = token
        self._refresh: str | None = None
        self._renewing = threading.Lock()

    def sign_in(self, access: str, refresh: str) -> None:
        """Use these tokens from now on; the access token is renewed when it has run out."""
        self._access, self._refresh = access, refresh

    def close(self) -> None:
        self._http.close()

    # What a call answers

    def answer(self, call: Call, kind: type[T]) -> T:
        """Return the answer of a call, read as `kind`; as text where that is `str`."""
        response = self._sent(call)
        if kind is str:
            return cast("T", response.text)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as error:
            raise UnreadableAnswer(f"{self._http.base_url} did not answer as a desk does: {error}") from error

    def nothing(self, call: Call) -> None:
        """Make a call that answers nothing."""
        self._sent(call)

    def text(self, call: Call) -> str:
        """Return an answer that is text."""
        return self._sent(call).text

    def pages(self, call: Call, kind: type[P]) -> Pages[Any, P]:
        """Return a list that comes in pages."""

        def fetch(cursor: str | None) -> P:
            return self.answer(replace(call, query={**(call.query or {}), "cursor": cursor}), kind)

        return Pages(fetch)

    @contextmanager
    def opened(self, call: Call) -> Iterator[httpx.Response]:
        """Open an answer for reading in chunks."""
        response = self._sent(call, stream=True)
        try:
            with _naming_loss():
                yield response
        finally:
            response.close()

    def frames(self, call: Call) -> Iterator[Frame]:
        """Yield what a stream tells, without end: a connection that is lost is taken up again where it was.

        Raises `AnswerLost` when `TRIES` connections in a row brought nothing, not even a heartbeat.
        """
        last, silent = "", 0

        def lines(response: httpx.Response) -> Iterator[str]:
            nonlocal silent
            for line in response.iter_lines():
                silent = 0
                yield line

        while silent < TRIES:
            resumed = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
            silent += 1
            with suppress(AnswerLost), self.opened(replace(call, headers=resumed)) as response:
                for frame in frames_of(lines(response)):
                    last = frame.id or last
                    yield frame
            self._sleep(0.1 * 2**silent)
        raise AnswerLost("The desk's stream brought nothing any more.")

    # Sending, and sending again

    def _sent(self, call: Call, *, stream: bool = False) -> httpx.Response:
        """Return a good answer; whatever passes by itself is waited for, as long as a repetition can do no harm."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self._attempt(call, stream)
            except ClientError as error:
                wait = _wait(call, error, TRIES - tries_left)
                if not tries_left or wait is None or wait > LONGEST_WAIT:
                    raise
            self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, call: Call, stream: bool) -> httpx.Response:
        access = self._access
        response = self._once(call, access, stream)
        if response.status_code == 401 and access and self._refresh:
            response.close()
            self._renew(access)
            response = self._once(call, self._access, stream)
        if response.status_code < 400:
            return response
        with _naming_loss():
            response.read()
        response.close()
        raise refusal(response)

    def _once(self, call: Call, access: str | None, stream: bool) -> httpx.Response:
        headers = {**(call.headers or {})}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        if call.key:
            headers["Idempotency-Key"] = call.key
        if call.body is not None and call.files is None:
            headers["Content-Type"] = "application/json"
        with _naming_loss():
            request = self._http.build_request(
                call.method, call.path, params=list(_pairs(call.query or {})), headers=headers, **_content(call)
            )
            return self._http.send(request, stream=stream)

    def _renew(self, stale: str) -> None:
        """Trade the refresh token for new ones, once for all threads: a second use would end the sign-in."""
        with self._renewing:
            if self._access != stale:
                return
            refresh, self._refresh = self._refresh, None
            call = Call("POST", "/api/v1/auth/refresh", body={"refresh_token": refresh})
            response = self._once(call, None, stream=False)
            if response.status_code >= 400:
                raise refusal(response)
            tokens = msgspec.json.decode(response.content)
            self._access, self._refresh = tokens["access_token"], tokens["refresh_token"]


def _wait(call: Call, error: ClientError, tries: int) -> float | None:
    """Return the seconds after which a call may be sent again; None for one that must not be."""
    backoff = random.uniform(0.1, 0.2) * 2**tries  # noqa: S311 - jitter, not a secret
    if isinstance(error, Refused):
        passes = error.status == 429 or (error.status in PASSING and call.repeatable)
        wait = backoff if error.retry_after is None else error.retry_after
        return wait if passes or error.code == "IDEMPOTENCY_IN_PROGRESS" else None
    harmless = isinstance(error, NotReached) or (isinstance(error, AnswerLost) and call.repeatable)
    return backoff if harmless else None


@contextmanager
def _naming_loss() -> Iterator[None]:
    """Turn what goes wrong on the way into whether the desk may have heard."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise NotReached(f"The desk cannot be reached: {error}") from error
    except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
        raise AnswerLost(f"The desk's answer was lost: {type(error).__name__} {error}") from error


def _content(call: Call) -> dict[str, Any]:
    """Return the body of a call as httpx takes it."""
    given = {name: value for name, value in (call.body or {}).items() if value is not UNSET}
    if call.files is not None:
        fields = {name: _text(value) for name, value in given.items()}
        return {"data": fields, "files": {name: (file.name, file.content) for name, file in call.files.items()}}
    if call.body is None:
        return {}
    return {"content": msgspec.json.encode(given)}


def _pairs(query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        if value is UNSET or value is None:
            continue
        for one in value if isinstance(value, list) else [value]:
            yield name, _text(one)


def _text(value: object) -> str:
    """Return a parameter as it is written in an address; None among alternatives is `none`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return "none" if value is None else str(value)


def segment(value: str | int | UUID) -> str:
    """Return one part of a path, whatever it contains."""
    return quote(str(value), safe="")


def once(key: str | None) -> str:
    """Return the `Idempotency-Key` given, or a new one: a write that is sent again happens once all the same."""
    return key or str(new_id())


def version_tag(version: int | None) -> dict[str, str]:
    """Return the headers that let a change happen only to this version."""
    return {} if version is None else {"If-Match": f'"{version}"'}
