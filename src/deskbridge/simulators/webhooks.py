"""What a product wants to tell the world: an outbox in its state, with retries and deliberate misbehaviour.

The product only emits; whoever drives the simulator (the server, or a test in virtual time) takes what is due, sends
it and settles the outcome.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from deskbridge.simulators import faults
from deskbridge.simulators.store import Record, State

_OUTBOX = "_outbox"
_REORDER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where deliveries go; an empty secret means that they are not signed."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way. `attempt` counts the tries made before this one."""

    id: str
    event: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    attempt: int


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed delivery is tried again: seconds before each retry, and the statuses worth one (None: no answer).

    `on_retry` gives headers to add when it is sent for the n-th time again.
    """

    delays: Sequence[float] = ()
    statuses: Callable[[int | None], bool] = lambda status: status is None or status >= 300
    on_retry: Callable[[int], Mapping[str, str]] = lambda _attempt: {}


def parse_settings(body: object) -> dict[str, Any]:
    """The control API's {"url", "secret", "duplicate", "reorder", "lose", "enabled"}; InvalidSettingError if wrong.

    duplicate: true or extra copies of each; reorder: true or seconds every other one is held back;
    lose: true for all, or how many of the next ones vanish.
    """
    settings = faults.mapping("body", body)
    faults.known("", settings, {"url", "secret", "duplicate", "reorder", "lose", "enabled"})
    url = settings.get("url")
    if url is not None and not faults.text("url", url).startswith(("http://", "https://")):
        raise faults.InvalidSettingError("url", "must be an http or https address, or null for none")
    for name in ("duplicate", "reorder", "lose"):
        if not isinstance(settings.get(name, False), bool):
            faults.number(name, settings[name], 0)
    faults.text("secret", settings.get("secret", ""))
    faults.flag("enabled", settings.get("enabled", True))
    return dict(settings)


def target(state: State) -> Target | None:
    """Where to send, if anywhere: products build nothing when this is None."""
    settings = _settings(state)
    if not settings.get("url") or not settings.get("enabled", True):
        return None
    return Target(settings["url"], settings.get("secret", ""))


def sign(secret: str, body: bytes) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def emit(
    state: State, now: datetime, target: Target, event: str, headers: Sequence[tuple[str, str]], body: bytes
) -> None:
    """Put one delivery into the outbox, as often and as late as the misbehaviour settings say."""
    settings = _settings(state)
    if _is_lost(state, settings):
        return
    count = state.next("_deliveries")
    late = _held_back(settings, count)
    for _ in range(1 + int(settings.get("duplicate", 0))):
        row = {
            "event": event,
            "url": target.url,
            "headers": [list(pair) for pair in headers],
            "body": body.decode(),
            "attempt": 0,
            "due": (now + timedelta(seconds=late)).timestamp(),
        }
        state.table(_OUTBOX).put(str(state.next(_OUTBOX)), row)


def due(state: State, now: datetime, policy: RetryPolicy) -> list[Delivery]:
    """What should be sent now, oldest first."""
    ripe = [(row["due"], int(key)) for key, row in state.table(_OUTBOX).items() if row["due"] <= now.timestamp()]
    return [_delivery(str(key), state.table(_OUTBOX)[str(key)], policy) for _, key in sorted(ripe)]


def next_due(state: State) -> datetime | None:
    """The moment of the earliest waiting delivery, as UTC."""
    moments = [row["due"] for row in state.table(_OUTBOX).values()]
    return datetime.fromtimestamp(min(moments), tz=UTC) if moments else None


def settle(state: State, delivery: Delivery, status: int | None, now: datetime, policy: RetryPolicy) -> None:
    """Record how a delivery went (`status` None: no answer): gone when done or hopeless, else due again later."""
    row = state.table(_OUTBOX).get(delivery.id)
    if row is None:
        return
    if not policy.statuses(status) or delivery.attempt >= len(policy.delays):
        state.table(_OUTBOX).delete(delivery.id)
        return
    again = now + timedelta(seconds=policy.delays[delivery.attempt])
    state.table(_OUTBOX).put(delivery.id, {**row, "attempt": delivery.attempt + 1, "due": again.timestamp()})


def _delivery(key: str, row: Record, policy: RetryPolicy) -> Delivery:
    headers = [(name, value) for name, value in row["headers"]]
    if row["attempt"]:
        headers += policy.on_retry(row["attempt"]).items()
    return Delivery(key, row["event"], row["url"], tuple(headers), row["body"].encode(), row["attempt"])


def _settings(state: State) -> dict[str, Any]:
    settings: dict[str, Any] = state.setting("webhooks", {})
    return settings


def _is_lost(state: State, settings: dict[str, Any]) -> bool:
    lose = settings.get("lose", False)
    if lose is True or not lose:
        return lose is True
    state.set("webhooks", {**settings, "lose": lose - 1})
    return True


def _held_back(settings: dict[str, Any], count: int) -> float:
    reorder = settings.get("reorder", 0)
    seconds = _REORDER_SECONDS if reorder is True else float(reorder)
    return seconds if count % 2 else 0.0
