"""The ticket slice's scheduled work."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.people.actor import SYSTEM
from deskbridge.tickets.model import Status, Ticket
from deskbridge.tickets.service import close_if_still_resolved

AUTO_CLOSE = "tickets.auto_close"
BATCH = 200


def auto_close_job(days: int) -> Job:
    """Return the job that closes what has been RESOLVED for `days` (more than zero)."""

    def close_resolved(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
        due = select(Ticket.id).where(
            Ticket.status == Status.RESOLVED,
            Ticket.resolved_at <= uow.now - timedelta(days=days),
            Ticket.deleted_at.is_(None),
        )
        ids = uow.execute(due.order_by(Ticket.resolved_at).limit(BATCH)).scalars().all()
        for ticket_id in ids:
            close_if_still_resolved(uow, SYSTEM, ticket_id, days)
        if len(ids) == BATCH:
            uow.enqueue(AUTO_CLOSE, {})

    return Job(AUTO_CLOSE, run=close_resolved)


AUTO_CLOSE_SCHEDULE = Schedule(AUTO_CLOSE, every=timedelta(minutes=10))
