"""Writing the audit trail."""

from typing import Any

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.ids import new_id
from deskbridge.people.actor import Actor
from deskbridge.tickets.model import Audience, HistoryEntry, HistoryType, Status, Ticket
from deskbridge.tickets.workflow import CUSTOMER_WORDS, MILESTONES


def write(
    uow: UnitOfWork,
    actor: Actor,
    ticket: Ticket,
    type_: HistoryType,
    *,
    field: str | None = None,
    old: str | None = None,
    new: str | None = None,
    audience: Audience = Audience.INTERNAL,
    details: dict[str, Any] | None = None,
) -> None:
    """Add one entry to a ticket's history, at the time of this unit of work."""
    uow.session.add(
        HistoryEntry(
            id=new_id(),
            ticket_id=ticket.id,
            type=type_,
            audience=audience,
            field=field,
            old=old,
            new=new,
            actor_id=actor.id,
            actor_name=actor.name,
            at=uow.now,
            details=details or {},
        )
    )


def write_status_change(
    uow: UnitOfWork,
    actor: Actor,
    ticket: Ticket,
    old: Status,
    new: Status,
    *,
    text: str | None,
    details: dict[str, Any],
) -> None:
    """Add the entry of a status change, and that of the milestone it reaches with the `text` given for it.

    Texts of RESOLVED, CLOSED and REOPENED are for the requester too. A step that the customer's words do not tell apart
    stays among agents.
    """
    seen = CUSTOMER_WORDS[old] != CUSTOMER_WORDS[new]
    audience = Audience.PUBLIC if seen else Audience.INTERNAL
    write(
        uow,
        actor,
        ticket,
        HistoryType.STATUS_CHANGE,
        field="status",
        old=old,
        new=new,
        audience=audience,
        details=details,
    )
    if new in MILESTONES:
        milestone = Audience.INTERNAL if new is Status.ESCALATED else Audience.PUBLIC
        write(uow, actor, ticket, MILESTONES[new], new=text, audience=milestone, details=details)
