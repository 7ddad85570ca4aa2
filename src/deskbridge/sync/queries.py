"""Reading sync: how connections do, what waits, what failed, what both sides changed, what happened to a ticket."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, Select, case, func, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden
from deskbridge.people.actor import Actor, Role
from deskbridge.sync.model import (
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
from deskbridge.tickets.model import Ticket
from deskbridge.tickets.queries import require_visible

MOST = 200


class ConnectionStatus(msgspec.Struct):
    """How one connection does. `lag_seconds` is how long the oldest hint has waited; 0 when nothing waits."""

    id: UUID
    slug: str
    name: str
    kind: str
    base_url: str
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


class FailureAnswer(msgspec.Struct):
    """What could not be done, in the tracker's own words."""

    id: UUID
    connection: str
    link_id: UUID | None
    number: int | None
    remote_key: str
    failure: FailureClass
    field: str | None
    reason: str
    payload: dict[str, Any]
    tries: int
    parked: bool
    first_at: datetime
    last_at: datetime
    state: FailureState


class ConflictAnswer(msgspec.Struct):
    """Both sides' values of one field. `winner` is empty while a person is asked."""

    id: UUID
    connection: str
    link_id: UUID
    ticket_id: UUID
    number: int
    field: str
    desk: Any
    remote: Any
    winner: str
    reason: str
    state: ConflictState
    at: datetime
    settled_by: str | None


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


def require_monitor(actor: Actor) -> None:
    """Raise `Forbidden` unless the actor may see the sync monitor."""
    if not actor.role.at_least(Role.TEAM_LEAD):
        raise Forbidden("The sync monitor is for team leads.")


def status(reader: Reader, actor: Actor) -> list[ConnectionStatus]:
    """Return how every connection does, by name."""
    require_monitor(actor)
    links = _link_figures(reader)
    failed = _counts(reader, SyncFailure.connection_id, SyncFailure.state == FailureState.OPEN)
    asked = _conflict_counts(reader)
    rows = reader.execute(select(Connection.__table__).order_by(Connection.name)).all()
    return [_status(reader, row, links.get(row.id), failed.get(row.id, 0), asked.get(row.id, 0)) for row in rows]


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


def _status(reader: Reader, row: Row[Any], links: Row[Any] | None, failures: int, conflicts: int) -> ConnectionStatus:
    oldest = links.oldest if links is not None else None
    return ConnectionStatus(
        id=row.id,
        slug=row.slug,
        name=row.name,
        kind=row.kind,
        base_url=row.base_url,
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
        lag_seconds=max(0.0, (reader.now - oldest).total_seconds()) if oldest else 0.0,
        unknown=int(links.unknown or 0) if links is not None else 0,
        failures=failures,
        conflicts=conflicts,
    )


_LINKS = (
    select(Link.__table__, Connection.name.label("connection"), Connection.kind, Ticket.number)
    .join(Connection, Link.connection_id == Connection.id)
    .outerjoin(Ticket, Link.ticket_id == Ticket.id)
)


def links_of(reader: Reader, actor: Actor, ref: UUID | int) -> list[LinkAnswer]:
    """Return a ticket's links, for agents; a customer learns the records' keys by `keys_of`."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("Links are for agents.")
    return _links(reader, _LINKS.where(Link.ticket_id == ticket_id).order_by(Connection.name))


def keys_of(reader: Reader, ticket_id: UUID) -> list[str]:
    """Return the keys of a ticket's records that its requester may quote, oldest link first."""
    rows = reader.execute(
        select(Link.remote_key)
        .where(Link.ticket_id == ticket_id, Link.state == LinkState.ACTIVE, Link.remote_key != "")
        .order_by(Link.created_at)
    )
    return [row.remote_key for row in rows]


def dirty_links(reader: Reader, actor: Actor, limit: int = 50) -> list[LinkAnswer]:
    """Return the links that wait, longest first."""
    require_monitor(actor)
    waiting = _LINKS.where(Link.dirty_at.is_not(None)).order_by(Link.dirty_at, Link.id)
    return _links(reader, waiting.limit(min(limit, MOST)))


def _links(reader: Reader, wanted: Select[Any]) -> list[LinkAnswer]:
    names = LinkAnswer.__struct_fields__
    return [LinkAnswer(**{name: getattr(row, name) for name in names}) for row in reader.execute(wanted)]


def failures(
    reader: Reader, actor: Actor, state: FailureState = FailureState.OPEN, limit: int = 50
) -> list[FailureAnswer]:
    """Return what failed, latest first; payloads are for administrators."""
    require_monitor(actor)
    rows = reader.execute(
        select(SyncFailure.__table__, Connection.name.label("connection"), Ticket.number, Link.remote_key)
        .join(Connection, SyncFailure.connection_id == Connection.id)
        .outerjoin(Link, SyncFailure.link_id == Link.id)
        .outerjoin(Ticket, Link.ticket_id == Ticket.id)
        .where(SyncFailure.state == state)
        .order_by(SyncFailure.last_at.desc(), SyncFailure.id.desc())
        .limit(min(limit, MOST))
    )
    sees_payload = actor.role.at_least(Role.ADMIN)
    return [
        FailureAnswer(
            id=row.id,
            connection=row.connection,
            link_id=row.link_id,
            number=row.number,
            remote_key=row.remote_key or "",
            failure=row.failure,
            field=row.field,
            reason=row.reason,
            payload=row.payload if sees_payload else {},
            tries=row.tries,
            parked=row.parked,
            first_at=row.first_at,
            last_at=row.last_at,
            state=row.state,
        )
        for row in rows
    ]


def conflicts(
    reader: Reader, actor: Actor, state: ConflictState = ConflictState.OPEN, limit: int = 50
) -> list[ConflictAnswer]:
    """Return what both sides changed, latest first; for agents, who settle it with the right to edit the ticket."""
    if not actor.is_agent:
        raise Forbidden("Conflicts are for agents.")
    rows = reader.execute(
        select(SyncConflict.__table__, Connection.name.label("connection"), Ticket.number)
        .join(Link, SyncConflict.link_id == Link.id)
        .join(Connection, Link.connection_id == Connection.id)
        .join(Ticket, SyncConflict.ticket_id == Ticket.id)
        .where(SyncConflict.state == state, Ticket.deleted_at.is_(None))
        .order_by(SyncConflict.at.desc(), SyncConflict.id.desc())
        .limit(min(limit, MOST))
    )
    names = ConflictAnswer.__struct_fields__
    return [ConflictAnswer(**{name: getattr(row, name) for name in names}) for row in rows]


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
