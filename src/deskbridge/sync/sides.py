"""The desk's side of a link: a ticket's fields in the mapping's words, when each was changed, and who is who."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select

from deskbridge.kit.db import Reader
from deskbridge.kit.statements import Statement
from deskbridge.people.actor import Role
from deskbridge.people.model import Team, User
from deskbridge.sync.model import RemotePerson
from deskbridge.sync.plan import TicketSide
from deskbridge.sync.vocabulary import People
from deskbridge.tickets.model import HistoryEntry, HistoryType, Ticket

TEXTS = ("title", "description", "category", "affected_service", "external_ref", "resolution_notes")
CHOICES = ("status", "priority", "environment", "impact_level")

_TICKET = Statement(
    select(Ticket.__table__, Team.name.label("team_name"))
    .outerjoin(Team, Ticket.team_id == Team.id)
    .where(Ticket.id == bindparam("ticket_id"))
)
_CHANGED_AT = Statement(
    select(HistoryEntry.field, func.max(HistoryEntry.at).label("at"))
    .where(
        HistoryEntry.ticket_id == bindparam("ticket_id"),
        HistoryEntry.field.is_not(None),
        HistoryEntry.type != HistoryType.SYNC_CONFLICT,
    )
    .group_by(HistoryEntry.field)
)
_PEOPLE = Statement(
    select(RemotePerson.user_id, RemotePerson.remote_id, User.active, User.role)
    .join(User, RemotePerson.user_id == User.id)
    .where(
        RemotePerson.connection_id == bindparam("connection_id"),
        or_(
            RemotePerson.user_id.in_(bindparam("users", expanding=True)),
            RemotePerson.remote_id.in_(bindparam("remote_ids", expanding=True)),
        ),
    )
    .order_by(RemotePerson.seen_at)
)


@dataclass(frozen=True)
class Desk:
    """A ticket as sync sees it. `requester_id` and `assignee_id` are whom the tracker may have to be told of."""

    id: UUID
    number: int
    side: TicketSide
    requester_id: UUID
    assignee_id: UUID | None
    gone: bool


def read_desk(reader: Reader, ticket_id: UUID, clock_offset: timedelta = timedelta(0)) -> Desk:
    """Return the desk's side of a ticket; times are brought to the tracker's clock."""
    ticket = _row(reader, ticket_id)
    changed = {name: at + clock_offset for name, at in _changed_at(reader, ticket).items()}
    return Desk(
        ticket.id,
        ticket.number,
        TicketSide(_values(ticket), changed),
        ticket.requester_id,
        ticket.assignee_id,
        ticket.deleted_at is not None,
    )


def filing_facts(reader: Reader, ticket_id: UUID) -> dict[str, Any]:
    """Return what filing rules may ask about a ticket."""
    row = _row(reader, ticket_id)
    return _values(row) | {"channel": str(row.channel), "number": row.number}


def _row(reader: Reader, ticket_id: UUID) -> Any:
    (ticket,) = reader.named(_TICKET, {"ticket_id": ticket_id})
    return ticket


def _values(ticket: Any) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(ticket, name) for name in TEXTS}
    values |= {name: _plain(getattr(ticket, name)) for name in CHOICES}
    return values | {
        "tags": tuple(sorted(ticket.tags)),
        "time_spent_minutes": ticket.time_spent_minutes,
        "created_at": ticket.created_at,
        "team": ticket.team_name,
        "assignee": str(ticket.assignee_id) if ticket.assignee_id else None,
        "requester": str(ticket.requester_id),
    }


def _plain(value: StrEnum | None) -> str | None:
    return None if value is None else str(value)


def _changed_at(reader: Reader, ticket: Any) -> dict[str, datetime]:
    """When each field was last changed; one that never was, when the ticket came into being."""
    changed: dict[str, datetime] = dict(reader.rows(_CHANGED_AT, {"ticket_id": ticket.id}))
    if ticket.resolved_at is not None:
        changed.setdefault("resolution_notes", ticket.resolved_at)
    return dict.fromkeys((*TEXTS, *CHOICES, "assignee", "tags", "team"), ticket.created_at) | changed


def who_is_who(
    reader: Reader, connection_id: UUID, users: Iterable[UUID | None], remote_ids: Iterable[str | None]
) -> People:
    """Return who these people of the desk and of the tracker are on the other side, as far as that is known."""
    wanted = {
        "connection_id": connection_id,
        "users": [one for one in users if one is not None],
        "remote_ids": [one for one in remote_ids if one is not None],
    }
    rows = reader.named(_PEOPLE, wanted)
    return People(
        remote={str(row.user_id): row.remote_id for row in rows},
        desk={row.remote_id: str(row.user_id) for row in rows if row.active},
        customers=frozenset(str(row.user_id) for row in rows if not row.role.at_least(Role.AGENT)),
    )
