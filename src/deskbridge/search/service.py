"""Keeping the index: in the transaction of the change, or built anew."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, func, insert, select

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.kit.statements import Statement
from deskbridge.people.model import User
from deskbridge.search.engine import engine_for
from deskbridge.search.model import Document
from deskbridge.search.words import tokens
from deskbridge.tickets.events import (
    MessageAdded,
    MessageDeleted,
    MessageEdited,
    TicketDeleted,
    TicketOpened,
    TicketUpdated,
)
from deskbridge.tickets.model import Audience, Message, Ticket

BATCH, PAGE = 200, 2000
INDEXED_FIELDS = {"title", "description", "tags"}

_HEADS = Statement(
    select(
        Ticket.id,
        Ticket.number,
        Ticket.title,
        Ticket.description,
        Ticket.external_ref,
        Ticket.tags,
        Ticket.created_at,
        User.name,
    )
    .join(User, Ticket.requester_id == User.id)
    .where(Ticket.id.in_(bindparam("ids", expanding=True)), Ticket.deleted_at.is_(None))
)
_HEAD_DOCUMENT = Statement(
    select(Document.id).where(Document.ticket_id == bindparam("ticket_id"), Document.message_id.is_(None))
)
_MESSAGE_DOCUMENT = Statement(select(Document.id).where(Document.message_id == bindparam("message_id")))


@dataclass(frozen=True)
class Source:
    """What one document is made of."""

    ticket_id: UUID
    message_id: UUID | None
    audience: Audience
    at: datetime
    texts: tuple[str | None, ...]


def follow(subscriptions: Subscriptions) -> None:
    """Follow the ticket's events inside their transactions."""
    subscriptions.inside(TicketOpened, add_ticket)
    subscriptions.inside(TicketUpdated, renew_ticket)
    subscriptions.inside(TicketDeleted, forget_ticket)
    subscriptions.inside(MessageAdded, add_message)
    subscriptions.inside(MessageEdited, renew_message)
    subscriptions.inside(MessageDeleted, forget_message)


def add_ticket(uow: UnitOfWork, event: TicketOpened) -> None:
    """Index a new ticket; it and its requester have just been loaded."""
    ticket = uow.session.get_one(Ticket, event.subject_id)
    requester = uow.session.get_one(User, ticket.requester_id)
    put(uow, [_head(ticket, requester.name)])


def renew_ticket(uow: UnitOfWork, event: TicketUpdated) -> None:
    """Index a ticket anew after its text changed; it stays where it was in time."""
    if INDEXED_FIELDS & set(event.fields):
        renew(uow, heads(uow, [event.subject_id]))


def forget_ticket(uow: UnitOfWork, event: TicketDeleted) -> None:
    """Take a deleted ticket and its messages out of the index."""
    _drop(uow, uow.execute(select(Document.id).where(Document.ticket_id == event.subject_id)).scalars().all())


def add_message(uow: UnitOfWork, event: MessageAdded) -> None:
    """Index a new message."""
    put(uow, messages(uow, [event.message_id]))


def renew_message(uow: UnitOfWork, event: MessageEdited) -> None:
    """Index a message anew after its text changed."""
    renew(uow, messages(uow, [event.message_id]))


def forget_message(uow: UnitOfWork, event: MessageDeleted) -> None:
    """Take a deleted message out of the index."""
    _drop(uow, uow.execute(select(Document.id).where(Document.message_id == event.message_id)).scalars().all())


# What documents are made of


def heads(reader: Reader, ticket_ids: Sequence[UUID]) -> list[Source]:
    """Return the documents of tickets that are not deleted: number, title, description, references, requester."""
    rows = reader.named(_HEADS, {"ids": list(ticket_ids)})
    return [_head(row, row.name) for row in rows]


def _head(ticket: Ticket | Row[Any], requester: str) -> Source:
    texts = (str(ticket.number), ticket.title, ticket.description, ticket.external_ref, *ticket.tags, requester)
    return Source(ticket.id, None, Audience.PUBLIC, ticket.created_at, texts)


def messages(reader: Reader, message_ids: Sequence[UUID]) -> list[Source]:
    """Return the documents of messages that are not deleted, of tickets that are not either."""
    rows = reader.execute(
        select(Message.id, Message.ticket_id, Message.audience, Message.content, Message.created_at)
        .join(Ticket, Message.ticket_id == Ticket.id)
        .where(Message.id.in_(message_ids), Message.deleted_at.is_(None), Ticket.deleted_at.is_(None))
    )
    return [Source(row.ticket_id, row.id, row.audience, row.created_at, (row.content,)) for row in rows]


# Writing


def put(uow: UnitOfWork, sources: Iterable[Source]) -> None:
    """Add documents, with ids in the order given."""
    sources = list(sources)
    if not sources:
        return
    rows = [{"ticket_id": s.ticket_id, "message_id": s.message_id, "audience": s.audience, "at": s.at} for s in sources]
    uow.session.flush()
    added = uow.connection.execute(insert(Document).returning(Document.id, sort_by_parameter_order=True), rows)
    words = [
        {"document_id": document_id, "tokens": tokens(*source.texts)}
        for document_id, source in zip(added.scalars(), sources, strict=True)
    ]
    engine_for(uow.dialect).put(uow, words)


def renew(uow: UnitOfWork, sources: Iterable[Source]) -> None:
    """Give documents that are there already their new words, under the ids they have."""
    engine = engine_for(uow.dialect)
    for source in sources:
        document_id = _document_of(uow, source)
        if document_id is None:
            put(uow, [source])
        else:
            engine.drop(uow, [document_id])
            engine.put(uow, [{"document_id": document_id, "tokens": tokens(*source.texts)}])


def _document_of(reader: Reader, source: Source) -> int | None:
    if source.message_id is None:
        found = reader.rows(_HEAD_DOCUMENT, {"ticket_id": source.ticket_id})
    else:
        found = reader.rows(_MESSAGE_DOCUMENT, {"message_id": source.message_id})
    return found[0][0] if found else None


def _drop(uow: UnitOfWork, document_ids: Sequence[int]) -> None:
    if document_ids:
        engine_for(uow.dialect).drop(uow, document_ids)
        uow.execute(delete(Document).where(Document.id.in_(document_ids)))


# Building anew

Entry = tuple[datetime, bytes, bool, UUID]
"""When something was written, a tie-break, whether it is a message, and its id."""


def reindex(database: Database, progress: Callable[[int], None]) -> int:
    """Build the whole index anew, in the order things were written, while the desk goes on; return how many documents.

    The old documents answer until the new ones are there; `progress` hears of each batch how many it held. May be
    interrupted and run again.
    """
    last_old = database.read(_last_document)
    written = 0
    for batch in _batches(heapq.merge(_entries(database, Ticket), _entries(database, Message))):
        written += database.write(_rewrite, batch, last_old)
        progress(len(batch))
    while database.write(_drop_old, last_old):
        pass
    return written


def how_many(reader: Reader) -> int:
    """Return how many documents the whole index will have."""
    counts = [select(func.count()).where(kind.deleted_at.is_(None)) for kind in (Ticket, Message)]
    return sum(reader.execute(count).scalar_one() for count in counts)


def _last_document(reader: Reader) -> int:
    return reader.execute(select(func.max(Document.id))).scalar() or 0


def _entries(database: Database, kind: type[Ticket] | type[Message]) -> Iterator[Entry]:
    """Yield every row of a table by the time it was written, a bounded page at a time."""
    last: tuple[datetime, UUID] | None = None
    while page := database.read(_page, kind, last):
        for at, id_ in page:
            yield at, id_.bytes, kind is Message, id_
        last = page[-1]


def _page(
    reader: Reader, kind: type[Ticket] | type[Message], last: tuple[datetime, UUID] | None
) -> list[tuple[datetime, UUID]]:
    query = select(kind.created_at, kind.id).where(kind.deleted_at.is_(None))
    if last is not None:
        at, id_ = last
        query = query.where((kind.created_at > at) | ((kind.created_at == at) & (kind.id > id_)))
    rows = reader.execute(query.order_by(kind.created_at, kind.id).limit(PAGE))
    return [(row.created_at, row.id) for row in rows]


def _batches(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while batch := list(islice(entries, BATCH)):
        yield batch


def _rewrite(uow: UnitOfWork, batch: list[Entry], last_old: int) -> int:
    """Write the documents of a batch, and drop the old ones of the same things. Newer ones are left alone."""
    ticket_ids = [id_ for _, _, is_message, id_ in batch if not is_message]
    message_ids = [id_ for _, _, is_message, id_ in batch if is_message]
    same = (Document.ticket_id.in_(ticket_ids) & Document.message_id.is_(None)) | Document.message_id.in_(message_ids)
    _drop(uow, uow.execute(select(Document.id).where(same, Document.id <= last_old)).scalars().all())
    present = {(row.ticket_id, row.message_id) for row in uow.execute(select(Document.__table__).where(same))}
    made = sorted(heads(uow, ticket_ids) + messages(uow, message_ids), key=lambda source: source.at)
    new = [source for source in made if (source.ticket_id, source.message_id) not in present]
    put(uow, new)
    return len(new)


def _drop_old(uow: UnitOfWork, last_old: int) -> int:
    """Drop a batch of what is left of the old index: documents of things that are gone."""
    ids = uow.execute(select(Document.id).where(Document.id <= last_old).limit(BATCH)).scalars().all()
    _drop(uow, ids)
    return len(ids)
