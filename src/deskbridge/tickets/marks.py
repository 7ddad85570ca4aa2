"""What is unread, as SQL: what somebody else has said since, the opening of a ticket included."""

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select

from deskbridge.tickets.companions import NOTHING, Read
from deskbridge.tickets.model import Audience, Message, Ticket


def unread(sees_all: bool) -> ColumnElement[bool]:
    """The tickets with something new for the person in `reader_id`; internal messages count for those who see them."""
    reader = bindparam("reader_id", type_=Ticket.requester_id.type)
    read_to = (
        select(Read.message_id)
        .where(Read.person_id == reader, Read.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    said = [
        Message.ticket_id == Ticket.id,
        Message.deleted_at.is_(None),
        or_(Message.author_id.is_(None), Message.author_id != reader),
        Message.id > func.coalesce(read_to, literal(NOTHING, Message.id.type)),
    ]
    if not sees_all:
        said.append(Message.audience == Audience.PUBLIC)
    return or_(
        and_(read_to.is_(None), Ticket.requester_id != reader),
        select(Message.id).where(*said).correlate(Ticket).exists(),
    )
