"""The ticket slice's work behind the scenes: closing what is solved, checking files, forgetting files."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.clamd import scan
from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.files import Storage
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.people.actor import SYSTEM
from deskbridge.tickets.attachments import (
    DELETE_FILE,
    SCAN_FILE,
    UNCLAIMED_AFTER,
    held_back,
    take_verdict,
    unclaimed,
)
from deskbridge.tickets.model import Status, Ticket
from deskbridge.tickets.service import close_if_still_resolved

AUTO_CLOSE = "tickets.auto_close"
BATCH = 200
SCAN_TRIES = 12  # over an hour: until then a scanner that is away may be back


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


SWEEP_FILES = "tickets.sweep_files"
SWEEP_FILES_SCHEDULE = Schedule(SWEEP_FILES, every=timedelta(days=1))


def file_jobs(storage: Storage, clamd_url: str) -> list[Job]:
    """Return the jobs about files: `clamd_url` is where the scanner listens, for what is held back."""

    def forget(_database: Database, payload: dict[str, Any]) -> None:
        storage.delete(payload["object_name"])

    def check(database: Database, payload: dict[str, Any]) -> None:
        attachment_id = UUID(payload["id"])
        held = database.read(held_back, attachment_id)
        if held is not None:
            found = scan(clamd_url, storage.read(held.object_name, 0, held.size))
            database.write(take_verdict, attachment_id, found)

    def sweep(database: Database, _payload: dict[str, Any]) -> None:
        for names in storage.older_than(database.clock.now() - UNCLAIMED_AFTER):
            for name in database.read(unclaimed, names) if names else ():
                storage.delete(name)

    return [
        Job(DELETE_FILE, effect=forget),
        Job(SCAN_FILE, effect=check, tries=SCAN_TRIES),
        Job(SWEEP_FILES, effect=sweep),
    ]
