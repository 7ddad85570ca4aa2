"""Reading sync: how connections do, a ticket's links, why its fields have their values, what happened to it."""

from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, case, func, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden, NotFound
from deskbridge.people.actor import Actor, Role
from deskbridge.people.queries import NamedThing
from deskbridge.sync.model import (
    LET_GO,
    Breaker,
    ConflictState,
    Connection,
    ConnectionState,
    FailureClass,
    FailureState,
    Link,
    LinkField,
    LinkState,
    SyncConflict,
    SyncEvent,
    SyncFailure,
)
from deskbridge.sync.timeline import TROUBLE
from deskbridge.tickets.model import Ticket
from deskbridge.tickets.queries import require_visible

MOST = 200
LAGGING_SECONDS = 120
"""A hint that has waited for longer makes a connection one that lags."""

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class ConnectionHealth(StrEnum):
    """How a connection does, in a word; NEVER_RUN also for one that never reached its tracker."""

    HEALTHY = "healthy"
    LAGGING = "lagging"
    FAILING = "failing"
    PAUSED = "paused"
    NEVER_RUN = "never run"


class Traffic(msgspec.Struct, frozen=True):
    """What went over a connection in some time: written in the tracker, taken over here, rounds that went wrong."""

    pushed: int = 0
    pulled: int = 0
    failed: int = 0


class OpenFailures(NamedTuple):
    """How many failures of a connection have not healed, and how many of those wait for a person."""

    number: int
    parked: int


class ConnectionStatus(msgspec.Struct):
    """How one connection does. `lag_seconds` is how long the oldest hint has waited; 0 when nothing waits.

    `error_rate` is the share of the last hour's rounds that went wrong, from 0 to 1; null when there were none.
    """

    id: UUID
    slug: str
    name: str
    kind: str
    base_url: str
    health: ConnectionHealth
    state: ConnectionState
    stopped_because: str | None
    breaker: Breaker
    open_until: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    bad_since: datetime | None
    pace: float
    links: int
    dirty: int
    lag_seconds: float
    unknown: int
    failures: int
    conflicts: int
    last_minute: Traffic
    last_hour: Traffic
    error_rate: float | None


class ConnectionAnswer(msgspec.Struct):
    """A connection as it is set up. Of its credentials there is only whether webhooks have a secret."""

    id: UUID
    slug: str
    name: str
    kind: str
    base_url: str
    scope: str
    way: str
    account: str
    has_webhook_secret: bool
    state: ConnectionState
    stopped_because: str | None
    breaker: Breaker
    open_until: datetime | None
    last_error: str | None
    last_success_at: datetime | None
    clock_offset: float
    created_at: datetime
    updated_at: datetime
    version: int


class MappingAnswer(msgspec.Struct):
    """A connection's mapping, with the connection's version."""

    text: str
    version: int


class LinkAnswer(msgspec.Struct):
    """One ticket tied to one record."""

    id: UUID
    connection: str
    kind: str
    ticket_id: UUID | None
    number: int | None
    remote_id: str | None
    remote_key: str
    url: str
    state: LinkState
    reason: str
    dirty_at: datetime | None
    due_at: datetime
    attempts: int
    last_error: str | None
    synced_at: datetime | None


class SyncEntry(msgspec.Struct):
    """One line of what sync did."""

    at: datetime
    connection: str
    what: str
    details: dict[str, Any]


class FieldExplained(msgspec.Struct):
    """Why one field has the value it has, towards one connection."""

    connection: str
    field: str
    desk: Any
    remote: Any
    reason: str
    at: datetime


def sees_monitor(actor: Actor) -> bool:
    """Tell whether the actor may see the sync monitor."""
    return actor.role.at_least(Role.TEAM_LEAD)


def require_monitor(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor may see the sync monitor."""
    if not sees_monitor(actor):
        raise Forbidden("The sync monitor is for team leads.")


def status(reader: Reader, actor: Actor) -> list[ConnectionStatus]:
    """Return how every connection does, by name."""
    require_monitor(actor)
    links = _link_figures(reader)
    failed = _counts(reader, SyncFailure.connection_id, SyncFailure.state == FailureState.OPEN)
    asked = _conflict_counts(reader)
    traffic = _traffic(reader)
    rows = reader.execute(select(Connection.__table__).order_by(Connection.name)).all()
    return [
        _status(reader, row, links.get(row.id), failed.get(row.id, 0), asked.get(row.id, 0), traffic.get(row.id))
        for row in rows
    ]


def open_failures(reader: Reader) -> dict[UUID, dict[FailureClass, OpenFailures]]:
    """Return the failures that have not healed, by connection and by what they ask for."""
    found: dict[UUID, dict[FailureClass, OpenFailures]] = {}
    for row in reader.execute(
        select(
            SyncFailure.connection_id,
            SyncFailure.failure,
            func.count().label("number"),
            func.sum(case((SyncFailure.parked.is_(True), 1), else_=0)).label("parked"),
        )
        .where(SyncFailure.state == FailureState.OPEN)
        .group_by(SyncFailure.connection_id, SyncFailure.failure)
    ):
        found.setdefault(row.connection_id, {})[row.failure] = OpenFailures(row.number, int(row.parked))
    return found


def traffic_since(reader: Reader, since: datetime) -> dict[UUID, Traffic]:
    """Return what went over each connection since a moment."""
    columns = [func.sum(of).label(name) for name, of in _TRAFFIC.items()]
    rows = reader.execute(
        select(SyncEvent.connection_id, *columns).where(SyncEvent.at >= since).group_by(SyncEvent.connection_id)
    )
    return {row.connection_id: _traffic_of(row) for row in rows}


def _link_figures(reader: Reader) -> dict[UUID, Row[Any]]:
    rows = reader.execute(
        select(
            Link.connection_id,
            func.count().label("links"),
            func.count(Link.dirty_at).label("dirty"),
            func.min(Link.dirty_at).label("oldest"),
            func.sum(case((Link.state == LinkState.UNKNOWN, 1), else_=0)).label("unknown"),
        )
        .where(Link.state.not_in([LinkState.IGNORED, LinkState.TOMBSTONE]))
        .group_by(Link.connection_id)
    )
    return {row.connection_id: row for row in rows}


def _counts(reader: Reader, column: Any, condition: Any) -> dict[UUID, int]:
    rows = reader.execute(select(column.label("id"), func.count().label("count")).where(condition).group_by(column))
    return {row.id: row.count for row in rows}  # type: ignore[misc]  # a Row's `count` is its label here


def _conflict_counts(reader: Reader) -> dict[UUID, int]:
    rows = reader.execute(
        select(Link.connection_id, func.count().label("number"))
        .join(SyncConflict, SyncConflict.link_id == Link.id)
        .where(SyncConflict.state == ConflictState.OPEN)
        .group_by(Link.connection_id)
    )
    return {row.connection_id: row.number for row in rows}


_TRAFFIC: dict[str, Any] = {
    "pushed": SyncEvent.pushed,
    "pulled": SyncEvent.pulled,
    "failed": case((SyncEvent.what.in_(TROUBLE), 1), else_=0),
}
"""What each line of the timeline adds to `Traffic`."""


def _traffic(reader: Reader) -> dict[UUID, Row[Any]]:
    """Return what went over each connection in the last hour, and of that in the last minute."""
    well = case((SyncEvent.pushed + SyncEvent.pulled > 0, 1), else_=0)
    lately = SyncEvent.at > reader.now - MINUTE

    def sums(of: Any, name: str) -> list[Any]:
        return [func.sum(of).label(name), func.sum(case((lately, of), else_=0)).label(f"{name}_lately")]

    columns = [*chain(*(sums(of, name) for name, of in _TRAFFIC.items())), func.sum(well).label("well")]
    rows = reader.execute(
        select(SyncEvent.connection_id, *columns)
        .where(SyncEvent.at > reader.now - HOUR)
        .group_by(SyncEvent.connection_id)
    )
    return {row.connection_id: row for row in rows}


def _status(
    reader: Reader,
    row: Row[Any],
    links: Row[Any] | None,
    failures: int,
    conflicts: int,
    traffic: Row[Any] | None,
) -> ConnectionStatus:
    oldest = links.oldest if links is not None else None
    lag = max(0.0, (reader.now - oldest).total_seconds()) if oldest else 0.0
    return ConnectionStatus(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        base_url=row.base_url,
        health=_health(row, lag),
        state=row.state,
        stopped_because=row.stopped_because,
        breaker=row.breaker,
        open_until=row.open_until,
        last_error=row.last_error,
        last_success_at=row.last_success_at,
        bad_since=row.bad_since,
        pace=row.pace,
        links=links.links if links is not None else 0,
        dirty=links.dirty if links is not None else 0,
        lag_seconds=lag,
        unknown=int(links.unknown or 0) if links is not None else 0,
        failures=failures,
        conflicts=conflicts,
        last_minute=_traffic_of(traffic, "_lately"),
        last_hour=_traffic_of(traffic),
        error_rate=_error_rate(traffic),
    )


def _health(row: Row[Any], lag_seconds: float) -> ConnectionHealth:
    if row.state is ConnectionState.STOPPED or row.bad_since is not None:
        return ConnectionHealth.FAILING
    if row.state is ConnectionState.PAUSED:
        return ConnectionHealth.PAUSED
    if row.state is not ConnectionState.ACTIVE or row.last_success_at is None:
        return ConnectionHealth.NEVER_RUN
    return ConnectionHealth.LAGGING if lag_seconds > LAGGING_SECONDS else ConnectionHealth.HEALTHY


def _traffic_of(row: Row[Any] | None, when: str = "") -> Traffic:
    if row is None:
        return Traffic()
    return Traffic(*(int(getattr(row, f"{name}{when}")) for name in Traffic.__struct_fields__))


def _error_rate(row: Row[Any] | None) -> float | None:
    rounds = int(row.well + row.failed) if row is not None else 0
    return round(int(row.failed) / rounds, 3) if row is not None and rounds else None


def list_connections(reader: Reader, actor: Actor) -> list[ConnectionAnswer]:
    """Return how every connection is set up, by name; for whoever sees the monitor."""
    require_monitor(actor)
    rows = reader.execute(select(Connection.__table__).order_by(Connection.name).limit(MOST))
    return [_connection(row) for row in rows]


def named_connections(reader: Reader, ticket_id: UUID | None = None) -> list[NamedThing]:
    """Return the connections by name; for a ticket those over which it may be tied to a record just now."""
    query = select(Connection.id, Connection.name).order_by(Connection.name).limit(MOST)
    if ticket_id is not None:
        taken = select(Link.connection_id).where(Link.ticket_id == ticket_id, Link.state.not_in(LET_GO))
        query = query.where(Connection.state == ConnectionState.ACTIVE, Connection.id.not_in(taken))
    return [NamedThing(row.id, row.name) for row in reader.execute(query)]


def get_connection(reader: Reader, actor: Actor, connection_id: UUID) -> ConnectionAnswer:
    """Return how a connection is set up; raises `NotFound`."""
    return _connection(_connection_row(reader, actor, connection_id))


def get_mapping(reader: Reader, actor: Actor, connection_id: UUID) -> MappingAnswer:
    """Return a connection's mapping; raises `NotFound`."""
    row = _connection_row(reader, actor, connection_id)
    return MappingAnswer(row.mapping, row.version)


def _connection_row(reader: Reader, actor: Actor, connection_id: UUID) -> Row[Any]:
    require_monitor(actor)
    row = reader.execute(select(Connection.__table__).where(Connection.id == connection_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such connection.")
    return row


def _connection(row: Row[Any]) -> ConnectionAnswer:
    names = set(ConnectionAnswer.__struct_fields__) - {"has_webhook_secret"}
    shown = {name: getattr(row, name) for name in names}
    return ConnectionAnswer(**shown, has_webhook_secret=row.webhook_secret is not None)


LINKS = (
    select(Link.__table__, Connection.name.label("connection"), Connection.kind, Ticket.number)
    .join(Connection, Link.connection_id == Connection.id)
    .outerjoin(Ticket, Link.ticket_id == Ticket.id)
)
"""Links with what people call their connection and their ticket."""


def links_of(reader: Reader, actor: Actor, ref: UUID | int) -> list[LinkAnswer]:
    """Return a ticket's links, for agents; a customer learns a key by `key_of`."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("Links are for agents.")
    return as_links(reader, LINKS.where(Link.ticket_id == ticket_id).order_by(Connection.name))


def key_of(reader: Reader, ticket_id: UUID) -> str | None:
    """Return the key that a ticket's requester may quote: of the record that was tied to it first."""
    return reader.execute(
        select(Link.remote_key)
        .where(
            Link.ticket_id == ticket_id,
            Link.state.in_([LinkState.ACTIVE, LinkState.PAUSED]),
            Link.remote_key != "",
        )
        .order_by(Link.created_at, Link.id)
        .limit(1)
    ).scalar_one_or_none()


def as_links(reader: Reader, wanted: Select[Any]) -> list[LinkAnswer]:
    """Return what a selection of `LINKS` finds."""
    names = LinkAnswer.__struct_fields__
    return [LinkAnswer(**{name: getattr(row, name) for name in names}) for row in reader.execute(wanted)]


def timeline_of(reader: Reader, actor: Actor, ref: UUID | int, limit: int = 100) -> list[SyncEntry]:
    """Return what sync did with a ticket, latest first; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("The sync timeline is for agents.")
    return _entries(reader, _EVENTS.where(SyncEvent.ticket_id == ticket_id), limit)


def timeline_of_connection(reader: Reader, actor: Actor, connection_id: UUID, limit: int = 100) -> list[SyncEntry]:
    """Return what sync did over a connection, latest first."""
    require_monitor(actor)
    return _entries(reader, _EVENTS.where(SyncEvent.connection_id == connection_id), limit)


_EVENTS = select(SyncEvent.at, Connection.name.label("connection"), SyncEvent.what, SyncEvent.details).join(
    Connection, SyncEvent.connection_id == Connection.id
)


def _entries(reader: Reader, wanted: Select[Any], limit: int) -> list[SyncEntry]:
    rows = reader.execute(wanted.order_by(SyncEvent.id.desc()).limit(min(limit, MOST)))
    return [SyncEntry(row.at, row.connection, row.what, row.details) for row in rows]


def explain(reader: Reader, actor: Actor, ref: UUID | int) -> list[FieldExplained]:
    """Return why each field of a ticket has its value, towards each of its records; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("Links are for agents.")
    rows = reader.execute(
        select(LinkField.__table__, Connection.name.label("connection"))
        .join(Link, LinkField.link_id == Link.id)
        .join(Connection, Link.connection_id == Connection.id)
        .where(Link.ticket_id == ticket_id)
        .order_by(Connection.name, LinkField.field)
    )
    names = FieldExplained.__struct_fields__
    return [FieldExplained(**{name: getattr(row, name) for name in names}) for row in rows]
