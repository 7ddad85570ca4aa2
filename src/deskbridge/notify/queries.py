"""Reading what the live stream needs to know of tickets."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader
from deskbridge.notify.frames import TicketFacts
from deskbridge.tickets.model import Ticket


def ticket_facts(reader: Reader, ticket_ids: Iterable[UUID]) -> dict[UUID, TicketFacts]:
    """Return who may now hear of these tickets; those that are deleted are nobody's to hear of."""
    wanted = select(Ticket.id, Ticket.number, Ticket.requester_id).where(
        Ticket.id.in_(set(ticket_ids)), Ticket.deleted_at.is_(None)
    )
    return {row.id: TicketFacts(row.id, row.number, row.requester_id) for row in reader.execute(wanted)}
