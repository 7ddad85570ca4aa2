"""Rehearsing a connection: what its mapping would do with what both sides hold now. Nothing is written anywhere."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from deskbridge.kit.db import Reader
from deskbridge.people.actor import Actor
from deskbridge.sync.connections import ToTry, require_admin
from deskbridge.sync.connector import Failure, Record, Watermark
from deskbridge.sync.lines import Lines
from deskbridge.sync.mapping import Mapping
from deskbridge.sync.mapping_text import parse
from deskbridge.sync.model import Link
from deskbridge.sync.plan import birth
from deskbridge.sync.sides import filing_facts
from deskbridge.sync.stored import packed
from deskbridge.tickets.model import Ticket

MOST = 20
BACK = timedelta(days=30)


class RehearsedRecord(msgspec.Struct):
    """What would become of a record: whether it becomes a ticket and why, with which values, and what is refused."""

    key: str
    url: str
    becomes_ticket: bool
    reason: str
    values: dict[str, Any]
    refusals: list[str]


class RehearsedTicket(msgspec.Struct):
    """Whether a ticket would be filed, and why."""

    number: int
    title: str
    files: bool
    reason: str


class Rehearsal(msgspec.Struct):
    """What a connection would do with the latest records and tickets; `failure` says why records could not be read."""

    records: list[RehearsedRecord]
    tickets: list[RehearsedTicket]
    failure: str | None


def rehearse_tickets(reader: Reader, actor: Actor, mapping: str, connection_id: UUID) -> list[RehearsedTicket]:
    """Decide for the latest tickets without a record there; an ADMIN asks."""
    require_admin(actor)
    filing = parse(mapping).filing
    linked = select(Link.ticket_id).where(Link.connection_id == connection_id, Link.ticket_id.is_not(None))
    rows = reader.execute(
        select(Ticket.id, Ticket.number, Ticket.title)
        .where(Ticket.deleted_at.is_(None), Ticket.id.not_in(linked))
        .order_by(Ticket.number.desc())
        .limit(MOST)
    ).all()
    found = []
    for row in rows:
        decision = filing.out(filing_facts(reader, row.id))
        found.append(RehearsedTicket(row.number, row.title, decision.yes, decision.reason))
    return found


def rehearse_records(lines: Lines, wanted: ToTry) -> tuple[list[RehearsedRecord], str | None]:
    """Decide for records changed of late. Talks to the tracker: outside of transactions."""
    mapping = parse(wanted.mapping)
    connector = lines.open(wanted.address)
    try:
        page = connector.changed_since(Watermark(connector.now() - BACK), MOST)
        found = [connector.fetch(hit.remote_id) for hit in page.hits[:MOST] if not hit.deleted]
    except Failure as failure:
        return [], failure.reason
    return [_rehearsed(mapping, record) for record in found if record is not None], None


def _rehearsed(mapping: Mapping, record: Record) -> RehearsedRecord:
    decision = mapping.filing.into(record.fields)
    born = birth(mapping, record, decision.ticket)
    return RehearsedRecord(
        record.ref.key,
        record.ref.url,
        decision.yes,
        decision.reason,
        {name: packed(value) for name, value in born.values.items()},
        [refusal.message for refusal in born.refusals],
    )
