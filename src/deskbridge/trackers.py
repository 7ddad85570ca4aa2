"""The trackers the desk can speak with: the connectors, brought together with the way out."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import httpx

from deskbridge.connectors import registry
from deskbridge.connectors.shared import Account, Line, Site, Way
from deskbridge.kit.clock import Clock, SystemClock
from deskbridge.kit.outbound import READ_SECONDS, GuardedTransport
from deskbridge.sync.connector import Connector, Pace
from deskbridge.sync.lines import Address


def sleep(step: timedelta) -> None:
    """Let time pass."""
    time.sleep(step.total_seconds())


class Trackers:
    """Opens connectors, one for each thread and address; `pace` gives what all those of a connection share."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        clock: Clock | None = None,
        wait: Callable[[timedelta], None] = sleep,
        transport: Callable[[], httpx.BaseTransport] | None = None,
        read_seconds: float = READ_SECONDS,
        pace: Callable[[UUID, float, float], Pace] | None = None,
    ) -> None:
        self._transport = transport or (lambda: GuardedTransport(allow))
        self._clock, self._wait, self._read_seconds = clock or SystemClock(), wait, read_seconds
        self._pace = pace
        self._here = threading.local()

    def kinds(self) -> tuple[str, ...]:
        return registry.kinds()

    def shipped_mapping(self, kind: str) -> str:
        return registry.shipped_mapping(kind)

    def open(self, address: Address) -> Connector:
        """Return this thread's connector for an address; ValueError when its kind or way is none."""
        opened: dict[UUID, tuple[Address, Connector]] = self._here.__dict__.setdefault("opened", {})
        kept = opened.get(address.connection_id)
        if kept is None or kept[0] != address:
            kept = opened[address.connection_id] = address, self._new(address)
        return kept[1]

    def _new(self, address: Address) -> Connector:
        account = Account(Way(address.way), address.secret, address.account)
        site = Site(address.base_url, account, address.scope, address.webhook_secret)
        pace = partial(self._pace, address.connection_id) if self._pace else None
        line = Line(self._transport(), self._clock, self._wait, self._read_seconds, pace)
        return registry.opener(address.kind)(site, line)
