"""The SLA slice's scheduled work: within a minute of a deadline it is noticed, though nobody touches the ticket."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.sla.service import BATCH, check_ticket, due_for_check

SWEEP, CHECK = "sla.sweep", "sla.check"


def _sweep(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
    ids = due_for_check(uow)
    for ticket_id in ids:
        uow.enqueue(CHECK, {"ticket_id": str(ticket_id)})
    if len(ids) == BATCH:
        uow.enqueue(SWEEP, {})


def _check(uow: UnitOfWork, payload: dict[str, Any]) -> None:
    check_ticket(uow, UUID(payload["ticket_id"]))


JOBS = [Job(SWEEP, run=_sweep), Job(CHECK, run=_check)]
SCHEDULES = [Schedule(SWEEP, every=timedelta(seconds=20))]
