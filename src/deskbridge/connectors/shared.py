"""What every connector shares: how it signs in and keeps its pace, and how an answer becomes data or a failure."""

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from deskbridge.kit.clock import Clock
from deskbridge.kit.outbound import (
    READ_SECONDS,
    AddressRefused,
    Answer,
    AnswerLost,
    AnswerTooLarge,
    NotSent,
    Outbound,
    OutboundError,
    TokenBucket,
    retry_after,
)
from deskbridge.sync.connector import AuthFailed, Connector, Failure, NewAttachment, Rejected, RetryLater, Unknown

T = TypeVar("T")
Pairs = Sequence[tuple[str, str]]


class Way(StrEnum):
    """How to sign in."""

    BASIC = "basic"
    BEARER = "bearer"
    CLIENT = "client"


@dataclass(frozen=True)
class Account:
    """Credentials. `name` is the user (BASIC) or the OAuth client's id (CLIENT); a BEARER token has none."""

    way: Way
    secret: str = field(repr=False)
    name: str = ""


@dataclass(frozen=True)
class Site:
    """The tracker of one connection.

    `scope` is the part of it the connection is about (a project, a repository); empty where it is the whole. Without
    a `webhook_secret` every webhook is refused.
    """

    base_url: str
    account: Account
    scope: str = ""
    webhook_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Line:
    """What a connector reaches the world through: all of it is the caller's, so that time can be virtual.

    `wait` lets a moment pass when our own pace demands it, never longer than a token takes to come.
    """

    transport: httpx.BaseTransport
    clock: Clock
    wait: Callable[[timedelta], None]
    read_seconds: float = READ_SECONDS


Opens = Callable[[Site, Line], Connector]
"""What each `connector.py` ends with, as CONNECTOR: its class, held to the protocol by the type checker."""


@dataclass(frozen=True)
class Reply:
    """An answer that was understood: its JSON (None without a body), and its headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    data: Any

    @property
    def moment(self) -> datetime:
        """The tracker's time, to the second; ValueError without a usable `Date`."""
        return date_of(self.headers)


def date_of(headers: Mapping[str, str]) -> datetime:
    """Return the `Date` of an answer as aware UTC; ValueError without a usable one."""
    at = parsedate_to_datetime(headers.get("date", ""))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


Parse = Callable[[Reply], T]
Refusal = Callable[[Answer], Failure | None]
"""Reads a refusal (301 or 4xx) in the tracker's words; None when they are not the tracker's (but a proxy's, say).

A `RetryLater` without `after` gets what the answer's `Retry-After` asks for.
"""


class Api:
    """A tracker's API: signed, paced, bounded, and every answer either data or one of the SDK's failures.

    A write is sent once. The one thing repeated here is a call that was refused for an expired OAuth token: nothing
    can have come of it.
    """

    def __init__(
        self,
        site: Site,
        line: Line,
        *,
        rate: float,
        burst: float,
        refusal: Refusal,
        token_path: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.site = site
        self.clock = line.clock
        self._wait = line.wait
        self._out = Outbound(site.base_url, line.transport, read_seconds=line.read_seconds)
        self._bucket = TokenBucket(rate, burst, line.clock)
        self._refusal = refusal
        self._token_path = token_path
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._token = ""
        self._closed_until: datetime | None = None

    def read(self, path: str, parse: Parse[T], *, params: Pairs = (), method: str = "GET", json: object = None) -> T:
        """Ask for something; what is not an answer of the tracker's own is an outage, `RetryLater`."""
        answer = self._exchange(method, path, writes=False, params=params, json=json)
        return self._parsed(self._accepted(answer, writes=False), parse, writes=False)

    def look(self, path: str, parse: Parse[T], *, params: Pairs = ()) -> T | None:
        """Ask for something that may be gone: None when the tracker itself refuses because it is not there."""
        answer = self._exchange("GET", path, writes=False, params=params)
        if answer.status in {301, 404, 410} and isinstance(self._refusal(answer), Rejected):
            return None
        return self._parsed(self._accepted(answer, writes=False), parse, writes=False)

    def write(
        self,
        method: str,
        path: str,
        parse: Parse[T],
        *,
        json: object = None,
        content: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        params: Pairs = (),
    ) -> T:
        """Change something, once; an outcome that cannot be told is `Unknown`."""
        answer = self._exchange(method, path, writes=True, params=params, json=json, content=content, headers=headers)
        return self._parsed(self._accepted(answer, writes=True), parse, writes=True)

    @contextmanager
    def open(self, path: str, most: int, accept: str = "*/*") -> Iterator[Iterator[bytes]]:
        """Open a file of at most `most` bytes; a redirect is never followed, so credentials stay here."""
        self._wait_for_turn()
        chunks = self._chunks_of(path, most, accept)
        first = next(chunks, b"")
        try:
            yield _chained(first, chunks)
        finally:
            chunks.close()

    def _chunks_of(self, path: str, most: int, accept: str) -> Generator[bytes, None, None]:
        try:
            with self._out.stream(path, headers=self._signed({"Accept": accept}), max_answer=most) as (answer, chunks):
                self._accepted(answer, writes=False)
                yield from chunks
        except AnswerTooLarge as error:
            raise Rejected(f"the file is larger than the {most} bytes it may have") from error
        except OutboundError as error:
            raise self._unanswered(error, writes=False) from error

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        writes: bool,
        params: Pairs = (),
        json: object = None,
        content: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        for is_again in (False, True):
            self._wait_for_turn()
            signed = self._signed(headers or {})
            try:
                answer = self._out.call(method, path, params=params, headers=signed, json=json, content=content)
            except OutboundError as error:
                raise self._unanswered(error, writes=writes) from error
            if answer.status != 401 or is_again or not self._forget_token():
                return answer
            if isinstance(content, Iterator):
                raise RetryLater("the access token had expired while a file was sent", timedelta(0))
        raise AssertionError

    def _wait_for_turn(self) -> None:
        now = self.clock.now()
        if self._closed_until and self._closed_until > now:
            raise RetryLater("the tracker asked us to wait", self._closed_until - now)
        while delay := self._bucket.take():
            self._wait(delay)

    def _signed(self, headers: Mapping[str, str]) -> dict[str, str]:
        account = self.site.account
        if account.way is Way.BASIC:
            signed = "Basic " + base64.b64encode(f"{account.name}:{account.secret}".encode()).decode()
        elif account.way is Way.BEARER:
            signed = _bearer(account.secret)
        else:
            self._token = self._token or self._new_token()
            signed = _bearer(self._token)
        return {**self._headers, **headers, "Authorization": signed}

    def _forget_token(self) -> bool:
        """Whether there is another token to be had after this one was refused."""
        had, self._token = self._token, ""
        return bool(had)

    def _new_token(self) -> str:
        account = self.site.account
        form = {"grant_type": "client_credentials", "client_id": account.name, "client_secret": account.secret}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self._out.call("POST", self._token_path, headers=headers, content=urlencode(form).encode())
        except OutboundError as error:
            raise self._unanswered(error, writes=False) from error
        if 400 <= answer.status < 500 and answer.status not in {408, 429}:
            raise AuthFailed(f"no access token: {said(answer)}")
        return self._parsed(self._accepted(answer, writes=False), lambda reply: str(reply.data["access_token"]))

    def _unanswered(self, error: OutboundError, *, writes: bool) -> Failure:
        if isinstance(error, AddressRefused):
            return AuthFailed(f"{error}; the operator may allow it in OUTBOUND_ALLOW")
        if isinstance(error, NotSent) or not writes:
            return RetryLater(f"no answer: {error}")
        if isinstance(error, AnswerLost | AnswerTooLarge):
            return Unknown(f"sent, but no answer: {error}")
        return Unknown(str(error))

    def _accepted(self, answer: Answer, *, writes: bool) -> Answer:
        if 200 <= answer.status < 300:
            return answer
        failure = self._failure(answer, writes=writes)
        if isinstance(failure, RetryLater) and failure.after:
            self._closed_until = self.clock.now() + failure.after
        raise failure

    def _failure(self, answer: Answer, *, writes: bool) -> Failure:
        status = answer.status
        if status == 401:
            return AuthFailed(f"the credentials were refused: {said(answer)}")
        asked = self._asked_to_wait(answer)
        if 400 <= status < 500 and status != 408:
            own = self._refusal(answer)
            if status == 429 and not isinstance(own, RetryLater):
                own = RetryLater(f"too many calls: {said(answer)}")
            if isinstance(own, RetryLater):
                own.after = own.after or asked
            if own is not None:
                return own
            return Rejected(said(answer)) if writes else RetryLater(f"not the tracker's answer: {said(answer)}")
        if not writes or (status == 503 and (asked is not None or is_json(answer))):
            return RetryLater(f"the tracker is away: {said(answer)}", asked)
        return Unknown(f"sent, and answered {said(answer)}")

    def _asked_to_wait(self, answer: Answer) -> timedelta | None:
        """What `Retry-After` asks for; a date is of the tracker's clock, not ours."""
        try:
            return retry_after(answer.headers, date_of(answer.headers))
        except ValueError:
            return retry_after(answer.headers, self.clock.now())

    def _parsed(self, answer: Answer, parse: Parse[T], *, writes: bool = False) -> T:
        """What cannot be understood is never data: a sign-in page, half an answer, an answer of another shape."""
        try:
            data = json.loads(answer.body) if answer.body else None
            return parse(Reply(answer.status, answer.headers, data))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            reason = f"an answer that cannot be read ({type(error).__name__}): {said(answer)}"
            raise (Unknown(f"sent, and {reason}") if writes else RetryLater(reason)) from error

    def close(self) -> None:
        self._out.close()


def nothing(_: Reply) -> None:
    """Parse an answer whose body does not matter."""


def _bearer(token: str) -> str:
    """Return the header that a token is sent in; AuthFailed where it cannot be: somebody pasted something else."""
    if not _TOKEN.fullmatch(token):
        raise AuthFailed("the access token is none: it holds a character that no header takes")
    return f"Bearer {token}"


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def is_json(answer: Answer) -> bool:
    """Tell whether an answer's body is JSON."""
    try:
        json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return True


def json_of(answer: Answer) -> Any:
    """Return an answer's JSON; None when it is none."""
    return json.loads(answer.body) if is_json(answer) else None


_TOKEN = re.compile("[!-~]+")

_TAGS = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def said(answer: Answer) -> str:
    """Return an answer in a few words for an operator: its status and the beginning of its text."""
    text = " ".join(_TAGS.sub(" ", answer.body[:2000].decode("utf-8", "replace")).split())
    return f"HTTP {answer.status} {text[:200]}".strip()


# Webhooks


def require_signature(secret: str, body: bytes, given: str) -> None:
    """Compare a webhook's HMAC-SHA256 (hex, perhaps after `sha256=`) over its raw body; AuthFailed when it is wrong."""
    if not secret:
        raise AuthFailed("webhooks are refused: the connection has no webhook secret")
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), given.strip().removeprefix("sha256=").lower().encode()):
        raise AuthFailed("the webhook's signature is missing or wrong")


# Files


def multipart(part: str, file: NewAttachment, fields: Pairs = ()) -> tuple[dict[str, str], Iterator[bytes]]:
    """Return the headers and the streamed body of a form with plain `fields` and one file.

    The boundary is random: whatever the file holds (another boundary, say) stays content.
    """
    boundary = secrets.token_hex(16)
    head = b"".join(_form_field(boundary, name, value) for name, value in fields)
    head += (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{_quoted(file.name)}"\r\n'
        f"Content-Type: {_one_line(file.media_type) or 'application/octet-stream'}\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    headers = {
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        "Content-Length": str(len(head) + file.size + len(tail)),
    }
    return headers, _streamed(head, file, tail)


def _form_field(boundary: str, name: str, value: str) -> bytes:
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _quoted(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _streamed(head: bytes, file: NewAttachment, tail: bytes) -> Iterator[bytes]:
    yield head
    yield from exactly(file)
    yield tail


def exactly(file: NewAttachment) -> Iterator[bytes]:
    """Yield a file's chunks; Rejected, in the middle of the request, when they are not as long as was said."""
    left = file.size
    for chunk in file.chunks:
        left -= len(chunk)
        if left < 0:
            raise Rejected(f"{file.name} is longer than the {file.size} bytes it was said to have")
        if chunk:
            yield chunk
    if left:
        raise Rejected(f"{file.name} is {left} bytes shorter than it was said to be")
