"""Writing the audit trail."""

from datetime import datetime
from typing import Any, NamedTuple

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


class Elsewhere(NamedTuple):
    """That something was written in a tracker: by whom, in which connection, when."""

    name: str
    system: str
    at: datetime


class Change(NamedTuple):
    """What one entry says."""

    type: HistoryType
    field: str | None = None
    old: str | None = None
    new: str | None = None
    audience: Audience = Audience.INTERNAL


def status_changes(old: Status, new: Status, text: str | None = None) -> list[Change]:
    """Return the entries of a status change: itself, and the milestone it reaches with the `text` given for it.

    Texts of RESOLVED, CLOSED and REOPENED are for the requester too. A step that the customer's words do not tell apart
    stays among agents.
    """
    seen = CUSTOMER_WORDS[old] != CUSTOMER_WORDS[new]
    audience = Audience.PUBLIC if seen else Audience.INTERNAL
    changes = [Change(HistoryType.STATUS_CHANGE, "status", old, new, audience)]
    if new in MILESTONES:
        milestone = Audience.INTERNAL if new is Status.ESCALATED else Audience.PUBLIC
        changes.append(Change(MILESTONES[new], new=text, audience=milestone))
    return changes


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
    """Add the entries of a status change."""
    for change in status_changes(old, new, text):
        write(
            uow,
            actor,
            ticket,
            change.type,
            field=change.field,
            old=change.old,
            new=change.new,
            audience=change.audience,
            details=details,
        )
