"""Events: the typed facts that changes record, and who follows them.

A slice declares its events as frozen dataclasses under `@catalogued`. A use case records one with `uow.record(...)`;
the row commits with the change. Followers are named in `wiring.py`: a function that runs inside the same transaction,
or a job whose row is written there and which a worker runs after the commit. Nothing is lost between two stores.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Json, Serial, table_args

if TYPE_CHECKING:
    from deskbridge.kit.db import UnitOfWork


@dataclass(frozen=True, kw_only=True)
class Event:
    """The base of every event.

    `subject_id` is the thing that changed, `actor_id` who changed it (None: the desk itself).
    """

    summary: ClassVar[str] = ""
    subject_id: UUID
    actor_id: UUID | None


CHANNEL = "deskbridge_events"
"""Where PostgreSQL tells those who listen that events have committed."""

E = TypeVar("E", bound=Event)
CATALOGUE: dict[str, type[Event]] = {}


def catalogued(event: type[E]) -> type[E]:
    """Enter an event class in the catalogue under its own name; names are unique and never reused."""
    if event.__name__ in CATALOGUE:
        raise ValueError(f"two events are called {event.__name__}")
    CATALOGUE[event.__name__] = event
    return event


class EventRow(Base):
    """One recorded event; they commit in the order of their ids, so that `kit.tail` passes over none."""

    __tablename__ = "events"
    __table_args__ = table_args(Index(None, "subject_id", "id"), never_reuse_ids=True)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[UUID]
    actor_id: Mapped[UUID | None]
    at: Mapped[datetime]
    payload: Mapped[dict[str, Any]] = mapped_column(Json)


class EventGate(Base):
    """One row; on MariaDB whoever inserts events holds it until they commit."""

    __tablename__ = "event_gate"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)


def payload_of(event: Event) -> dict[str, Any]:
    """Return the event as JSON-ready values."""
    payload: dict[str, Any] = msgspec.to_builtins(event)
    return payload


def from_payload(name: str, payload: dict[str, Any]) -> Event:
    """Return the event that `payload_of` was given."""
    return msgspec.convert(payload, CATALOGUE[name])


class Subscriptions:
    """Who follows which event."""

    def __init__(self) -> None:
        self._inside: dict[type[Event], list[Callable[[UnitOfWork, Any], None]]] = defaultdict(list)
        self._jobs: dict[type[Event], list[str]] = defaultdict(list)

    def inside(self, event: type[E], follower: Callable[["UnitOfWork", E], None]) -> None:
        """Call `follower` within the transaction that records the event, before it commits."""
        self._inside[event].append(follower)

    def after(self, event: type[Event], job: str) -> None:
        """Queue `job` with {"event": name, "payload": …} in the transaction that records the event."""
        self._jobs[event].append(job)

    def inside_followers(self, event: Event) -> list[Callable[["UnitOfWork", Any], None]]:
        return self._inside.get(type(event), [])

    def jobs_for(self, event: Event) -> list[str]:
        return self._jobs.get(type(event), [])
