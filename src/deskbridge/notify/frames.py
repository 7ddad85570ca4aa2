"""What a stream tells of an event, to agents, customers and those who see the monitor: as it goes over the line."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import Row

from deskbridge.kit.events import CATALOGUE
from deskbridge.people.actor import Actor
from deskbridge.sync.events import ConnectionEvent
from deskbridge.sync.queries import sees_monitor
from deskbridge.tickets.events import TicketEvent
from deskbridge.tickets.model import Audience, Status
from deskbridge.tickets.policy import sees
from deskbridge.tickets.workflow import CUSTOMER_WORDS

HEARTBEAT = b":\n\n"
RETRY = b"retry: 2000\n"
CUSTOMERS_NAMES = {"TicketOpened", "MessageAdded", "MessageEdited", "MessageDeleted"}
"""What customers hear of under its own name, besides StatusChanged; of any other event as an update of the ticket."""

UPDATED = "TicketUpdated"
TOLD_APART = {"subject_id", "actor_id", "audience", "number"}


class TicketName(msgspec.Struct, frozen=True):
    """Which ticket."""

    id: UUID
    number: int


class CustomerFrame(msgspec.Struct, omit_defaults=True):
    """What a customer hears of an event; `message_id` is the message it is about."""

    ticket: TicketName
    at: datetime
    message_id: UUID | None = None


class AgentFrame(msgspec.Struct):
    """What an agent hears of an event; `change` is what the event tells besides (docs/reference/events.md)."""

    ticket: TicketName
    at: datetime
    actor_id: UUID | None
    audience: Audience
    change: dict[str, Any]


class ConnectionFrame(msgspec.Struct):
    """What those who see the sync monitor hear of an event; `connection` is the connection's id."""

    connection: UUID
    at: datetime
    actor_id: UUID | None
    change: dict[str, Any]


@dataclass(frozen=True)
class TicketFacts:
    """What it takes to tell who may hear of a ticket."""

    id: UUID
    number: int
    requester_id: UUID


def is_about_a_ticket(event: Row[Any]) -> bool:
    """Tell whether an event is one that those hear who see its ticket."""
    kind = CATALOGUE.get(event.name)
    return kind is not None and issubclass(kind, TicketEvent)


def is_about_a_connection(event: Row[Any]) -> bool:
    """Tell whether an event is one that those hear who see the sync monitor."""
    kind = CATALOGUE.get(event.name)
    return kind is not None and issubclass(kind, ConnectionEvent)


class Telling(Protocol):
    """One event, as each kind of reader is told of it; put into words once."""

    def to(self, actor: Actor) -> bytes | None:
        """Return the frame for one reader; None when nothing may reach them."""
        ...


class ConnectionTelling:
    """One event about a connection."""

    def __init__(self, event: Row[Any], seal: Callable[[], bytes]) -> None:
        self._event, self._seal = event, seal

    def to(self, actor: Actor) -> bytes | None:
        return self._frame if sees_monitor(actor) else None

    @cached_property
    def _frame(self) -> bytes:
        event = self._event
        body = ConnectionFrame(event.subject_id, event.at, event.actor_id, _change(event))
        return _framed(self._seal(), event.name, body)


class TicketTelling:
    """One event about a ticket that is not deleted."""

    def __init__(self, event: Row[Any], ticket: TicketFacts, seal: Callable[[], bytes]) -> None:
        self._event, self._ticket, self._seal = event, ticket, seal
        self._public = event.payload["audience"] == Audience.PUBLIC

    def to(self, actor: Actor) -> bytes | None:
        if not sees(actor, self._ticket.requester_id):
            return None
        if actor.is_agent:
            return self._for_agents
        return self._for_customers if self._public else None

    @cached_property
    def _for_agents(self) -> bytes:
        event = self._event
        audience = Audience(event.payload["audience"])
        body = AgentFrame(self._named, event.at, event.actor_id, audience, _change(event))
        return _framed(self._seal(), event.name, body)

    @cached_property
    def _for_customers(self) -> bytes:
        event, known = self._event, self._has_customers_name
        message_id = event.payload.get("message_id") if known else None
        body = CustomerFrame(self._named, event.at, UUID(message_id) if message_id else None)
        return _framed(self._seal(), event.name if known else UPDATED, body)

    @property
    def _has_customers_name(self) -> bool:
        """Whether customers hear of this under its own name; not of a step that their words do not tell apart."""
        if self._event.name == "StatusChanged":
            old, new = Status(self._event.payload["old"]), Status(self._event.payload["new"])
            return CUSTOMER_WORDS[old] != CUSTOMER_WORDS[new]
        return self._event.name in CUSTOMERS_NAMES

    @property
    def _named(self) -> TicketName:
        return TicketName(self._ticket.id, self._ticket.number)


def _change(event: Row[Any]) -> dict[str, Any]:
    return {name: value for name, value in event.payload.items() if name not in TOLD_APART}


def _framed(bookmark: bytes, name: str, body: object) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (bookmark, name.encode(), msgspec.json.encode(body))


def beginning(bookmark: bytes) -> bytes:
    """Return what a stream opens with: a bookmark, so that what happens from here on is never missed."""
    return RETRY + b"id: %s\n\n" % bookmark


def reset(bookmark: bytes) -> bytes:
    """Return what tells a reader to load everything anew: too much has happened since its last bookmark."""
    return b"id: %s\nevent: reset\ndata: {}\n\n" % bookmark
