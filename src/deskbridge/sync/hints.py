"""What happens on the desk becomes hints: a changed ticket's links are dirty, and filing rules say whether it gets one.

A change is heeded inside its own transaction, with one look at the connections. A new ticket has no links yet: it is
read from the events a moment later, so that opening one costs no more for it. Neither is ever missed.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, select, update

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.kit.ids import new_id
from deskbridge.kit.statements import Statement
from deskbridge.sync import leases, tail, timeline
from deskbridge.sync.mapping import Mapping, MappingRefused
from deskbridge.sync.mapping_text import parse
from deskbridge.sync.merge import Origin
from deskbridge.sync.model import NEVER, Connection, ConnectionState, Link, LinkState
from deskbridge.sync.sides import filing_facts
from deskbridge.tickets import events
from deskbridge.tickets.events import TicketDeleted, TicketEvent

CHANGES = (
    events.TicketUpdated,
    events.PriorityChanged,
    events.StatusChanged,
    events.AssignmentChanged,
    events.MessageAdded,
    events.MessageEdited,
    events.MessageDeleted,
    events.TimeLogged,
    events.AttachmentAdded,
    events.AttachmentDeleted,
    events.TicketMerged,
    events.TicketUnmerged,
)
FIRST_LOOK = timedelta(minutes=15)
"""After so long every tracker shows all records that carry a key."""
FILES_ON = (
    ConnectionState.ACTIVE,
    ConnectionState.PAUSED,
    ConnectionState.STOPPED,
)
"""In these states a connection gets its tickets; while it is held up, they wait."""

_CONNECTIONS = Statement(
    select(Connection.id, Connection.name, Connection.mapping, Link.id.label("link_id"))
    .outerjoin(Link, and_(Link.connection_id == Connection.id, Link.ticket_id == bindparam("ticket_id")))
    .where(Connection.state.in_(FILES_ON))
    .order_by(Connection.name)
)


def follow(subscriptions: Subscriptions) -> None:
    """Follow what changes tickets, inside the transactions that do."""
    for event in CHANGES:
        subscriptions.inside(event, heed)
    subscriptions.inside(TicketDeleted, unlink_deleted)


def heed(uow: UnitOfWork, event: TicketEvent) -> None:
    """Mark a changed ticket's links dirty, and file it where a connection's rules now say so."""
    _heed(uow, event.subject_id)


def _heed(uow: UnitOfWork, ticket_id: UUID) -> None:
    rows = uow.named(_CONNECTIONS, {"ticket_id": ticket_id})
    linked = [row.link_id for row in rows if row.link_id is not None]
    if linked:
        leases.mark_dirty(uow, Link.id.in_(linked))
    unlinked = [row for row in rows if row.link_id is None]
    if unlinked:
        _file(uow, ticket_id, unlinked)


def _file(uow: UnitOfWork, ticket_id: UUID, connections: list[Row[Any]]) -> None:
    facts = filing_facts(uow, ticket_id)
    for row in connections:
        try:
            decision = mapping_of(row.mapping).filing.out(facts)
        except MappingRefused:  # the engine stops that connection; a ticket's change never fails for it
            continue
        if decision.yes:
            link = new_link(uow, row.id, LinkState.CREATING, Origin.DESK, decision.reason, ticket_id=ticket_id)
            timeline.add(uow, row.id, "link.filed", {"reason": decision.reason}, link)


# New tickets


def read_tail(uow: UnitOfWork) -> int:
    """File the tickets that were opened since the last time where rules say so; returns how many events were read."""
    if not uow.execute(select(Connection.id).where(Connection.state.in_(FILES_ON)).limit(1)).first():
        tail.skip(uow)
        return 0
    rows = tail.read(uow)
    for row in rows:
        if row.name == tail.OPENED:
            _heed(uow, row.subject_id)
    return len(rows)


def mapping_of(text: str) -> Mapping:
    """Return a mapping that was accepted when it was stored."""
    return parse(text)


def new_link(
    uow: UnitOfWork,
    connection_id: UUID,
    state: LinkState,
    origin: Origin,
    reason: str,
    *,
    ticket_id: UUID | None = None,
    remote_id: str | None = None,
) -> Link:
    """Add a link that is due at once."""
    id_ = new_id()
    link = Link(
        id=id_,
        connection_id=connection_id,
        ticket_id=ticket_id,
        remote_id=remote_id,
        remote_key="",
        url="",
        state=state,
        origin=origin,
        reason=reason,
        idem_key=id_.hex,
        look_at=uow.now + FIRST_LOOK if origin is Origin.DESK else None,
        hints=1,
        dirty_at=uow.now,
        due_at=uow.now,
        fence=0,
        attempts=0,
        created_at=uow.now,
    )
    uow.session.add(link)
    uow.session.flush()
    return link


def unlink_deleted(uow: UnitOfWork, event: TicketDeleted) -> None:
    """A deleted ticket lets go of its records; they stay as they are in their trackers, and never come back here."""
    uow.execute(
        update(Link)
        .where(Link.ticket_id == event.subject_id)
        .values(state=LinkState.TOMBSTONE, due_at=NEVER, reason="The ticket was deleted.", fence=Link.fence + 1)
        .execution_options(synchronize_session=False)
    )
