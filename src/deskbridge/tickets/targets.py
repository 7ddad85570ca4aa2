"""How a ticket stands with its service level, as pages show it: one mark for each target, and which comes next."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from deskbridge.tickets.answers import TicketAnswer
from deskbridge.tickets.model import Status
from deskbridge.tickets.workflow import FINISHED
from deskbridge.ui.languages import N_

SOON = timedelta(minutes=30)
SOON_SHARE = 0.25

FIRST_REPLY, SOLUTION = N_("First reply"), N_("Solution")


class Standing(StrEnum):
    """How a target stands; `soon` is less than a quarter of the time, or half an hour."""

    OK = "ok"
    SOON = "soon"
    BREACHED = "breached"
    PAUSED = "paused"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True)
class Target:
    """One target: `due` is None where no time runs, `share` is how much of the time is left, 0 to 1."""

    what: str
    standing: Standing
    due: datetime | None = None
    share: float = 0.0


def targets(ticket: TicketAnswer, now: datetime) -> list[Target]:
    """Return the targets of a ticket, the first reply before the solution; none for a ticket without."""
    solved_at = ticket.resolved_at or ticket.closed_at
    both = (
        (FIRST_REPLY, ticket.first_response_at, ticket.response_due_at, ticket.response_breached),
        (SOLUTION, solved_at, ticket.resolution_due_at, ticket.resolution_breached),
    )
    waiting = ticket.status is Status.PENDING_INFO
    found = [
        _reached(what, at, breached) or _running(what, ticket, due, now)
        for what, at, due, breached in both
        if due is not None or breached or waiting
    ]
    return [target for target in found if target is not None]


def next_target(ticket: TicketAnswer, now: datetime) -> Target | None:
    """Return the target that counts now: the next one due, else how the last one ended."""
    known = targets(ticket, now)
    due = [target for target in known if target.due is not None]
    if due:
        return min(due, key=lambda target: target.due or now)
    return known[-1] if known else None


def _reached(what: str, at: datetime | None, breached: bool | None) -> Target | None:
    if at is None:
        return None
    return Target(what, Standing.MISSED if breached else Standing.MET)


def _running(what: str, ticket: TicketAnswer, due: datetime | None, now: datetime) -> Target | None:
    """Return a target whose end has not come; a ticket that waits for its customer counts no time."""
    if due is None:
        return Target(what, Standing.PAUSED) if ticket.status is Status.PENDING_INFO else None
    if ticket.status in FINISHED:
        return None
    left, whole = due - now, due - ticket.created_at
    if left <= timedelta(0):
        return Target(what, Standing.BREACHED, due)
    share = left / whole if whole > timedelta(0) else 0.0
    standing = Standing.SOON if left < SOON or share < SOON_SHARE else Standing.OK
    return Target(what, standing, due, min(share, 1.0))
