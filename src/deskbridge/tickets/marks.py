"""What is unread, as SQL: what somebody else has said since, the opening of a ticket included."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, bindparam, func, literal, or_, select

from deskbridge.kit.model import UtcDateTime
from deskbridge.tickets.companions import Read
from deskbridge.tickets.model import Audience, Message, Ticket

NEVER_READ = datetime(1970, 1, 1, tzinfo=UTC)


def unread(sees_all: bool) -> ColumnElement[bool]:
    """The tickets with something new for the person in `reader_id`; internal messages count for those who see them."""
    reader = bindparam("reader_id", type_=Ticket.requester_id.type)
    read_at = (
        select(Read.read_at)
        .where(Read.person_id == reader, Read.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )
    said = [
        Message.ticket_id == Ticket.id,
        Message.deleted_at.is_(None),
        or_(Message.author_id.is_(None), Message.author_id != reader),
        Message.created_at > func.coalesce(read_at, literal(NEVER_READ, UtcDateTime())),
    ]
    if not sees_all:
        said.append(Message.audience == Audience.PUBLIC)
    return or_(
        and_(read_at.is_(None), Ticket.requester_id != reader),
        select(Message.id).where(*said).correlate(Ticket).exists(),
    )
