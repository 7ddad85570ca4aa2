"""The network of the simulation: the simulators' pure handlers behind httpx, in virtual time, with faults of all kinds.

Nothing here sleeps, opens a socket or asks what time it really is. What goes wrong is drawn from the seed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random
from urllib.parse import parse_qsl

import httpx

from deskbridge.kit.clock import ManualClock
from deskbridge.simulators.faults import Fault, Rule
from deskbridge.simulators.product import Answer, Simulator
from deskbridge.simulators.wire import Request

HANG = timedelta(seconds=20)


class Crash(BaseException):
    """The worker dies: nothing of it runs any more, as if the machine had lost its power."""


@dataclass
class Skewed:
    """A tracker's clock: ours, some way off."""

    clock: ManualClock
    offset: timedelta

    def now(self) -> datetime:
        return self.clock.now() + self.offset


@dataclass
class Calm:
    """What goes wrong: nothing."""

    def fault(self, request: Request) -> Fault | None:
        return None


@dataclass
class Trouble:
    """What goes wrong: something, now and then, until it is `over`."""

    random: Random
    clock: ManualClock
    often: float
    over: bool = False
    seen: dict[str, int] = field(default_factory=dict)

    def fault(self, request: Request) -> Fault | None:
        if self.over or self.random.random() >= self.often:
            return None
        name = self.random.choice(list(FAULTS))
        self.seen[name] = self.seen.get(name, 0) + 1
        return FAULTS[name](self)


def _status(status: int, body: str = "", **headers: str) -> Callable[[Trouble], Fault]:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda trouble: Fault("status", status, named, body)


FAULTS: dict[str, Callable[[Trouble], Fault]] = {
    "lost before": lambda trouble: Fault("drop_before_commit"),
    "lost after": lambda trouble: Fault("drop_after_commit"),
    "hang": lambda trouble: Fault("hang"),
    "slow": lambda trouble: Fault("slow", seconds=8),
    "truncated": lambda trouble: Fault("truncate"),
    "html": lambda trouble: Fault("html_200"),
    "throttled by seconds": _status(429, "{}", Retry_After="7"),
    "throttled by date": lambda trouble: Fault(
        "status", 429, (("Retry-After", format_datetime(trouble.clock.now() + timedelta(seconds=30), usegmt=True)),)
    ),
    "unauthorised": _status(401, "{}"),
    "quota": _status(403, '[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]'),
    "server error": _status(500, '{"error": "boom"}'),
    "unavailable": _status(503, "<html>Down for maintenance</html>", Content_Type="text/html"),
}


class Wire(httpx.BaseTransport):
    """Carries requests to simulators by host name. Each takes a moment; `around` is told before and after each."""

    def __init__(
        self,
        simulators: dict[str, Simulator],
        clock: ManualClock,
        trouble: Calm | Trouble,
        around: Callable[[str, Request, bool], None] = lambda host, request, before: None,
    ) -> None:
        self._simulators, self._clock, self._trouble, self._around = simulators, clock, trouble, around

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        simulator = self._simulators[host]
        asked = _request(request, simulator.product.max_body)
        self._around(host, asked, True)
        self._clock.advance(timedelta(milliseconds=30))
        fault = self._trouble.fault(asked)
        simulator.faults.rules = [Rule(fault)] if fault else []
        answer = simulator.receive(asked)
        self._around(host, asked, False)
        return self._answered(request, answer)

    def _answered(self, request: httpx.Request, answer: Answer) -> httpx.Response:
        fault, response = answer.fault, answer.response
        if fault and fault.kind in {"hang", "slow"}:
            self._clock.advance(HANG if fault.kind == "hang" else timedelta(seconds=fault.seconds))
        if response is None:
            kind = httpx.ReadTimeout if fault and fault.kind == "hang" else httpx.RemoteProtocolError
            raise kind("the answer was lost", request=request)
        cut = bool(fault and fault.kind == "truncate")
        body = response.body[: len(response.body) // 2] if cut else response.body
        return httpx.Response(response.status, headers=list(response.headers), stream=_Stream(body, cut))


class _Stream(httpx.SyncByteStream):
    def __init__(self, body: bytes, cut: bool) -> None:
        self._body, self._cut = body, cut

    def __iter__(self) -> Iterator[bytes]:
        yield self._body
        if self._cut:
            raise httpx.RemoteProtocolError("the answer ended too soon")


def _request(request: httpx.Request, most: int) -> Request:
    body = request.read() if not hasattr(request, "_content") else request.content
    path, _, query = request.url.raw_path.decode("latin-1").partition("?")
    return Request(
        request.method,
        path,
        parse_qsl(query, keep_blank_values=True),
        {name.lower(): value for name, value in request.headers.items()},
        body[:most],
        request.url.scheme,
        len(body) > most,
    )
