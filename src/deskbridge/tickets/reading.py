"""The use cases about what a person has read. Reading leaves no trace but the reader's own."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select, update

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.people.actor import Actor
from deskbridge.tickets.companions import NOTHING, Read
from deskbridge.tickets.marks import unread
from deskbridge.tickets.model import Message, Ticket
from deskbridge.tickets.policy import visible_messages
from deskbridge.tickets.queries import require_visible


def unread_among(reader: Reader, actor: Actor, ticket_ids: Sequence[UUID]) -> set[UUID]:
    """Return those of some visible tickets in which there is something new for the actor, in one query."""
    if not ticket_ids:
        return set()
    news = select(Ticket.id).where(Ticket.id.in_(ticket_ids), unread(actor.is_agent))
    return set(reader.execute(news, {"reader_id": actor.id}).scalars())


def mark_read(uow: UnitOfWork, actor: Actor, ref: UUID | int) -> None:
    """Note that the actor has read a ticket up to its last message that they may see; raises `NotFound`."""
    assert actor.id is not None
    ticket_id = require_visible(uow, actor, ref)
    said = select(Message.id).where(Message.ticket_id == ticket_id, visible_messages(actor))
    last = uow.execute(said.order_by(Message.id.desc()).limit(1)).scalar_one_or_none() or NOTHING
    row = (Read.person_id == actor.id, Read.ticket_id == ticket_id)
    known = uow.execute(select(Read.message_id).where(*row)).scalar_one_or_none()
    if known is None:
        uow.session.add(Read(person_id=actor.id, ticket_id=ticket_id, message_id=last))
    elif known != last:
        uow.execute(update(Read).where(*row).values(message_id=last))


def mark_unread(uow: UnitOfWork, actor: Actor, ref: UUID | int) -> None:
    """Make a ticket new to the actor again, but for what they said themselves; raises `NotFound`."""
    ticket_id = require_visible(uow, actor, ref)
    uow.execute(delete(Read).where(Read.person_id == actor.id, Read.ticket_id == ticket_id))
