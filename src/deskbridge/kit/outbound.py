"""HTTP out: every call to somebody else's server goes through here.

Addresses are resolved once, refused when they are not public (unless the operator allows them), and the connection is
made to the very address that was checked. There are no redirects, answers are bounded, everything has a time-out, and
whoever calls learns whether a failed request may have reached the other side.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from deskbridge.kit.clock import Clock

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
MAX_ANSWER = 16 * 1024 * 1024
HEADERS = {"User-Agent": "Deskbridge", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}


class OutboundError(Exception):
    """The base of what goes wrong before an answer is there; its text holds no secret."""


class AddressRefused(OutboundError):
    """The address is private, or not an address: nothing was sent, and nothing will be until it is allowed."""


class NotSent(OutboundError):
    """The other side was never reached: nothing can have happened there."""


class AnswerLost(OutboundError):
    """The request may have reached the other side; what became of it is not known."""


class AnswerTooLarge(OutboundError):
    """The answer is larger than the caller was ready to read."""


@dataclass(frozen=True)
class Answer:
    """A whole answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GuardedTransport(httpx.BaseTransport):
    """A transport that connects only to public addresses, or to those named in `allow` (`host` or `host:port`)."""

    def __init__(self, allow: Sequence[str] = (), verify: ssl.SSLContext | None = None) -> None:
        self._allow = {entry.lower() for entry in allow}
        self._inner = httpx.HTTPTransport(verify=verify or ssl.create_default_context(), trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or {"http": 80, "https": 443}[request.url.scheme]
        address = self._checked_address(host, port)
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return self._inner.handle_request(request)

    def _checked_address(self, host: str, port: int) -> str:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpx.ConnectError(f"the name {host} cannot be resolved") from error
        addresses = [str(entry[4][0]) for entry in found]
        if not {host.lower(), f"{host.lower()}:{port}"} & self._allow:
            for address in addresses:
                if not is_public(address):
                    raise AddressRefused(f"{host} is the address {address}, which is not a public one")
        return addresses[0]

    def close(self) -> None:
        self._inner.close()


def is_public(address: str) -> bool:
    """Tell whether an IP address is of the public internet; mapped and tunnelled ones are judged by what they hold."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if ip in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return ip.is_global and not ip.is_multicast


@dataclass
class TokenBucket:
    """A rate we keep to by ourselves: `rate` calls a second, `burst` at once. Times are the clock's."""

    rate: float
    burst: float
    clock: Clock
    _tokens: float = field(init=False)
    _at: datetime = field(init=False)

    def __post_init__(self) -> None:
        self._tokens, self._at = self.burst, self.clock.now()

    def take(self) -> timedelta:
        """Take a token and return zero, or return how long to wait until there is one and take none."""
        now = self.clock.now()
        passed = max(0.0, (now - self._at).total_seconds())  # a clock may be set back
        self._tokens, self._at = min(self.burst, self._tokens + passed * self.rate), now
        if self._tokens >= 1:
            self._tokens -= 1
            return timedelta(0)
        return timedelta(seconds=(1 - self._tokens) / self.rate)


class Outbound:
    """A client for one server: paths are below `base_url`, and its credentials go nowhere else.

    Connections are kept for the next request; nothing of an answer is, so that there are no cookies.
    """

    def __init__(self, base_url: str, transport: httpx.BaseTransport, *, read_seconds: float = READ_SECONDS) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = transport
        self._limits = {"timeout": httpx.Timeout(read_seconds, connect=CONNECT_SECONDS).as_dict()}

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: object = None,
        content: bytes | Iterator[bytes] | None = None,
        max_answer: int = MAX_ANSWER,
    ) -> Answer:
        """Send a request and return the whole answer, whatever its status.

        `path` begins with a slash. Raises `AddressRefused`, `NotSent`, `AnswerLost` or `AnswerTooLarge`.
        """
        body: dict[str, Any] = {"json": json} if json is not None else {"content": content} if content else {}
        with self._answering(method, path, params, headers, body) as response:
            return Answer(response.status_code, dict(response.headers), b"".join(_bounded(response, max_answer)))

    @contextmanager
    def stream(
        self, path: str, *, headers: Mapping[str, str] | None = None, max_answer: int
    ) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Open an answer for reading in chunks; the `Answer` given has no body, unless its status is not 200."""
        with self._answering("GET", path, (), headers, {}) as response:
            plain = Answer(response.status_code, dict(response.headers), b"")
            if response.status_code == 200:
                yield plain, _bounded(response, max_answer)
            else:
                body = b"".join(_bounded(response, MAX_ANSWER))
                yield Answer(plain.status, plain.headers, body), iter(())

    @contextmanager
    def _answering(
        self,
        method: str,
        path: str,
        params: Sequence[tuple[str, str]],
        headers: Mapping[str, str] | None,
        body: Mapping[str, Any],
    ) -> Iterator[httpx.Response]:
        """Send, and turn what goes wrong into whether the other side may have heard."""
        try:
            response = self._transport.handle_request(
                httpx.Request(
                    method,
                    self.base_url + path,
                    params=list(params) or None,
                    headers={**HEADERS, **(headers or {})},
                    extensions=self._limits,
                    **body,
                )
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise NotSent(_reason(error)) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise AnswerLost(_reason(error)) from error
        try:
            yield response
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise AnswerLost(_reason(error)) from error
        finally:
            response.close()

    def close(self) -> None:
        self._transport.close()


def _bounded(response: httpx.Response, limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > limit:
            raise AnswerTooLarge(f"the answer is larger than {limit} bytes")
        yield chunk


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return what a `Retry-After` header asks for, in seconds or as a date; None without a usable one."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return timedelta(seconds=min(int(value), 86_400))
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(timedelta(0), min(at - now, timedelta(days=1)))
