"""The lists of the sync monitor, a page at a time: links, what failed, what both sides changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, and_, or_, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden, NotFound
from deskbridge.kit.paging import Page, decode_cursor, encode_cursor, list_key
from deskbridge.people.actor import Actor, Role
from deskbridge.sync.model import (
    ConflictState,
    Connection,
    FailureClass,
    FailureState,
    Link,
    LinkState,
    SyncConflict,
    SyncFailure,
)
from deskbridge.sync.queries import LINKS, LinkAnswer, as_links, require_monitor
from deskbridge.tickets.model import Ticket
from deskbridge.tickets.policy import TicketFacts, Verb, may


class FailureAnswer(msgspec.Struct):
    """What could not be done, in the tracker's own words; the payload is empty but for administrators.

    `records` are the keys to choose from, where more than one record seems to be of one ticket.
    """

    id: UUID
    connection: str
    link_id: UUID | None
    number: int | None
    remote_key: str
    failure: FailureClass
    field: str | None
    reason: str
    payload: dict[str, Any]
    records: list[str]
    tries: int
    parked: bool
    first_at: datetime
    last_at: datetime
    state: FailureState
    closed_by: str | None
    closed_because: str | None


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


@dataclass(frozen=True)
class LinkFilter:
    """Which links to list; `waiting` ones have something to do."""

    connection_id: UUID | None = None
    state: LinkState | None = None
    waiting: bool | None = None


@dataclass(frozen=True)
class FailureFilter:
    """Which failures to list."""

    connection_id: UUID | None = None
    failure: FailureClass | None = None
    state: FailureState = FailureState.OPEN


# Links


def list_links(reader: Reader, actor: Actor, wanted: LinkFilter, limit: int, cursor: str | None) -> Page[LinkAnswer]:
    """Return a page of links, newest first; for whoever sees the monitor."""
    require_monitor(actor)
    key = list_key("links", wanted)
    query = LINKS.where(*_links_where(wanted)).order_by(Link.id.desc()).limit(limit + 1)
    if cursor is not None:
        (after,) = decode_cursor(key, cursor, [UUID])
        query = query.where(Link.id < after)
    found = as_links(reader, query)
    more = len(found) > limit
    return Page(found[:limit], encode_cursor(key, [found[limit - 1].id]) if more else None)


def _links_where(wanted: LinkFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.connection_id is not None:
        conditions.append(Link.connection_id == wanted.connection_id)
    if wanted.state is not None:
        conditions.append(Link.state == wanted.state)
    if wanted.waiting is not None:
        conditions.append(Link.dirty_at.is_not(None) if wanted.waiting else Link.dirty_at.is_(None))
    return conditions


def get_link(reader: Reader, link_id: UUID) -> LinkAnswer:
    """Return one link, for whoever just changed it; raises `NotFound`."""
    found = as_links(reader, LINKS.where(Link.id == link_id))
    if not found:
        raise NotFound("There is no such link.")
    return found[0]


# Failures


_FAILURES = (
    select(SyncFailure.__table__, Connection.name.label("connection"), Ticket.number, Link.remote_key)
    .join(Connection, SyncFailure.connection_id == Connection.id)
    .outerjoin(Link, SyncFailure.link_id == Link.id)
    .outerjoin(Ticket, Link.ticket_id == Ticket.id)
)


def list_failures(
    reader: Reader, actor: Actor, wanted: FailureFilter, limit: int, cursor: str | None
) -> Page[FailureAnswer]:
    """Return a page of what failed, latest first; payloads are for administrators."""
    require_monitor(actor)
    key = list_key("failures", wanted)
    query = _FAILURES.where(SyncFailure.state == wanted.state)
    if wanted.connection_id is not None:
        query = query.where(SyncFailure.connection_id == wanted.connection_id)
    if wanted.failure is not None:
        query = query.where(SyncFailure.failure == wanted.failure)
    if cursor is not None:
        query = query.where(_after(SyncFailure.last_at, SyncFailure.id, key, cursor))
    rows = reader.execute(query.order_by(SyncFailure.last_at.desc(), SyncFailure.id.desc()).limit(limit + 1)).all()
    items = [_failure(row, actor) for row in rows[:limit]]
    return Page(items, encode_cursor(key, [items[-1].last_at, items[-1].id]) if len(rows) > limit else None)


def get_failure(reader: Reader, actor: Actor, failure_id: UUID) -> FailureAnswer:
    """Return one failure; raises `NotFound`."""
    require_monitor(actor)
    row = reader.execute(_FAILURES.where(SyncFailure.id == failure_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such failure.")
    return _failure(row, actor)


def _failure(row: Row[Any], actor: Actor) -> FailureAnswer:
    records = list(row.payload.get("records", ())) if row.failure is FailureClass.DUPLICATE else []
    given = {"remote_key": row.remote_key or "", "records": records}
    shown = {name: getattr(row, name) for name in FailureAnswer.__struct_fields__ if name not in given} | given
    return FailureAnswer(**shown if actor.role.at_least(Role.ADMIN) else shown | {"payload": {}})


# Conflicts


_CONFLICTS = (
    select(SyncConflict.__table__, Connection.name.label("connection"), Ticket.number)
    .join(Link, SyncConflict.link_id == Link.id)
    .join(Connection, Link.connection_id == Connection.id)
    .join(Ticket, SyncConflict.ticket_id == Ticket.id)
    .where(Ticket.deleted_at.is_(None))
)


def list_conflicts(
    reader: Reader, actor: Actor, state: ConflictState, limit: int, cursor: str | None
) -> Page[ConflictAnswer]:
    """Return a page of what both sides changed, latest first; for agents, who settle it where they edit the ticket."""
    if not actor.is_agent:
        raise Forbidden("Conflicts are for agents.")
    key = list_key("conflicts", state)
    query = _CONFLICTS.where(SyncConflict.state == state)
    if cursor is not None:
        query = query.where(_after(SyncConflict.at, SyncConflict.id, key, cursor))
    rows = reader.execute(query.order_by(SyncConflict.at.desc(), SyncConflict.id.desc()).limit(limit + 1)).all()
    items = [_conflict(row) for row in rows[:limit]]
    return Page(items, encode_cursor(key, [items[-1].at, items[-1].id]) if len(rows) > limit else None)


def get_conflict(reader: Reader, conflict_id: UUID) -> ConflictAnswer:
    """Return one conflict, for whoever just settled it; raises `NotFound`."""
    row = reader.execute(_CONFLICTS.where(SyncConflict.id == conflict_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such conflict.")
    return _conflict(row)


def may_settle(reader: Reader, actor: Actor, conflicts: Sequence[ConflictAnswer]) -> set[UUID]:
    """Return the ids of those conflicts that the actor may settle: of tickets they may edit."""
    asked = {conflict.ticket_id for conflict in conflicts}
    columns = (Ticket.id, Ticket.requester_id, Ticket.assignee_id, Ticket.team_id, Ticket.status)
    rows = reader.execute(select(*columns).where(Ticket.id.in_(asked))).all()
    facts = {row.id: TicketFacts(row.requester_id, row.assignee_id, row.team_id, row.status) for row in rows}
    editable = {id_ for id_, ticket in facts.items() if may(actor, Verb.EDIT, ticket)}
    return {conflict.id for conflict in conflicts if conflict.ticket_id in editable}


def _conflict(row: Row[Any]) -> ConflictAnswer:
    return ConflictAnswer(**{name: getattr(row, name) for name in ConflictAnswer.__struct_fields__})


def _after(at: Any, id_: Any, key: str, cursor: str) -> ColumnElement[bool]:
    """Return the condition for the rows after a cursor, latest first."""
    moment, last = decode_cursor(key, cursor, [datetime, UUID])
    return or_(at < moment, and_(at == moment, id_ < last))
