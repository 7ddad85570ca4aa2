"""A tracker product, and a simulator that runs one: everything but sockets and files."""

import importlib
import pkgutil
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import format_datetime
from functools import cache
from typing import Protocol, cast

from deskbridge.simulators import webhooks
from deskbridge.simulators.clock import Clock, SettableClock
from deskbridge.simulators.faults import Fault, FaultBook
from deskbridge.simulators.store import State
from deskbridge.simulators.webhooks import RetryPolicy
from deskbridge.simulators.wire import Request, Response

# Who may sign in, at every product; anything else is that product's own 401.
USER = "desk@example.org"
SECRET = "desk-token"  # noqa: S105 - the published token of a simulator
CLIENT_ID = "desk"
CLIENT_SECRET = "desk-secret"  # noqa: S105 - as above

# The four at fixed ports, which are also what "all" means.
NAMES = ("jira", "servicenow", "salesforce", "polarion")
DEFAULT_PORT = 8081
_REMEMBERED = 65536  # bytes kept of each received body, for GET /__sim__/requests


class Product(Protocol):
    """What one tracker must offer. All of it is pure: the answer depends on the arguments alone, and only the state
    changes. Failures are that product's own error answers, never exceptions."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def max_body(self) -> int:
        """Bytes; of a longer body `handle` gets the head only, with `Request.truncated` set."""
        ...

    @property
    def retries(self) -> RetryPolicy: ...

    @property
    def options(self) -> Mapping[str, Sequence[str]]:
        """Switches of this product's own: name to allowed values, the first being the default."""
        ...

    def seed(self, state: State) -> None:
        """Fill an empty state with users, projects, workflows, picklists."""
        ...

    def handle(self, request: Request, clock: Clock, state: State) -> Response:
        """Answer one call of the product's API."""
        ...

    def page(self, request: Request, clock: Clock, state: State) -> Response | None:
        """Answer a browser at one of the product's pages (acting as USER); None when the path is not a page."""
        ...


@cache
def known() -> tuple[str, ...]:
    """NAMES, then every other package beside this module: a folder is all it takes to be one more simulator."""
    folder = importlib.import_module(__package__ or "").__path__
    return NAMES + tuple(
        sorted(one.name for one in pkgutil.iter_modules(folder) if one.ispkg and one.name not in NAMES)
    )


def product(name: str) -> Product:
    """The product called `name` (one of `known`); loaded on first use."""
    if name not in known():
        raise ValueError(f"no such simulator: {name} (known: {', '.join(known())})")
    return cast("Product", importlib.import_module(f"deskbridge.simulators.{name}").PRODUCT)


def option(state: State, product: Product, name: str) -> str:
    """The present value of one of the product's own switches."""
    chosen: str = state.setting(f"option.{name}", product.options[name][0])
    return chosen


def lag(state: State) -> float:
    """Seconds until a committed change shows in search (the control API's /__sim__/lag)."""
    seconds: float = state.setting("lag", 0.0)
    return seconds


def time_zone(state: State, default: str = "UTC") -> str:
    """The IANA time zone of the signed-in account."""
    zone: str = state.setting("time_zone", default)
    return zone


@dataclass(frozen=True, slots=True)
class Limits:
    """Rate limits: off, the product's own (both None), or `requests` in each `seconds`."""

    enabled: bool = True
    requests: int | None = None
    seconds: float | None = None


def limits(state: State) -> Limits:
    return Limits(**state.setting("limits", {}))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the transport has to do: send `response` (None: nothing), bent by `fault`."""

    response: Response | None
    fault: Fault | None = None


class Simulator:
    """One running product with its state, clock and faults. No I/O: a test may drive it in virtual time."""

    def __init__(self, product: Product, clock: Clock | None = None, state: State | None = None) -> None:
        self.product = product
        self.clock: Clock = clock or SettableClock()
        self.state = state or State()
        self.faults = FaultBook()
        self.received: deque[Request] = deque(maxlen=2000)
        if state is None:
            product.seed(self.state)

    def reset(self) -> None:
        """As fresh from the box: no content, no faults, no settings, nothing received."""
        self.state.reset()
        self.product.seed(self.state)
        self.faults.rules.clear()
        self.received.clear()

    def receive(self, request: Request) -> Answer:
        """Answer a request to the product's API, or decide how it goes wrong."""
        self.received.append(replace(request, body=request.body[:_REMEMBERED]))
        fault = self.faults.decide(request)
        if fault and fault.kind in {"drop_before_commit", "hang"}:
            return Answer(None, fault)
        canned = fault.canned() if fault else None
        response = self._dated(canned or self._handle(request))
        return Answer(None if fault and fault.kind == "drop_after_commit" else response, fault)

    def page(self, request: Request) -> Response | None:
        """Answer a browser, if the path is one of the product's pages; faults do not concern pages."""
        with self.state.transaction():
            return self.product.page(request, self.clock, self.state)

    def due(self) -> list[webhooks.Delivery]:
        return webhooks.due(self.state, self.clock.now(), self.product.retries)

    def settle(self, delivery: webhooks.Delivery, status: int | None) -> None:
        webhooks.settle(self.state, delivery, status, self.clock.now(), self.product.retries)

    def _handle(self, request: Request) -> Response:
        with self.state.transaction():
            return self.product.handle(request, self.clock, self.state)

    def _dated(self, response: Response) -> Response:
        return response.adding(("Date", format_datetime(self.clock.now(), usegmt=True)))
