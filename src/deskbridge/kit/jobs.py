"""Workers: run queued jobs and schedules; any number of them may share one database."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.errors import DomainError, NotFound
from deskbridge.kit.ids import new_id
from deskbridge.kit.queue import PARKED, READY, JobRow, ScheduleRow

LEASE = timedelta(seconds=60)
RENEW_EVERY = LEASE / 3
IDLE_SECONDS = 1.0
BATCH = 20

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Job:
    """A kind of job.

    `run` is a use case: it and the removal of the job commit together, so its writes happen exactly once. A job that
    talks to the world outside the database gives `effect` instead: it gets the database, opens its own transactions
    around the slow part, and runs at least once. After `tries` failures it is parked. Exactly one of the two is given.
    """

    kind: str
    run: Callable[[UnitOfWork, dict[str, Any]], None] | None = None
    effect: Callable[[Database, dict[str, Any]], None] | None = None
    tries: int = 5

    def __post_init__(self) -> None:
        if (self.run is None) == (self.effect is None):
            raise ValueError(f"job {self.kind} needs either run or effect")


@dataclass(frozen=True)
class Schedule:
    """A job of the given kind, queued with an empty payload every `every`, by one worker only."""

    kind: str
    every: timedelta


@dataclass(frozen=True)
class Lease:
    """A job this worker may run for now."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    attempts: int


class LeaseLost(DomainError):
    """Another worker took the job over; what this one did for it must not commit."""

    code = "LEASE_LOST"


@dataclass
class Worker:
    """One loop over jobs and schedules. `wake` may be set by anyone who has just queued something."""

    database: Database
    jobs: Sequence[Job]
    schedules: Sequence[Schedule] = ()
    wake: threading.Event = field(default_factory=threading.Event)
    id: UUID = field(default_factory=new_id)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set (set `wake` too, to be heard at once); a failing database is waited for."""
        while not stop.is_set():
            try:
                busy = self.run_due()
            except (SQLAlchemyError, DomainError) as error:
                log.warning("worker.database_unavailable", error=str(error))
                busy = 0
            if not busy and not stop.is_set():
                self.wake.wait(IDLE_SECONDS)
                self.wake.clear()

    def run_due(self) -> int:
        """Run what is due now, one batch, and return how many jobs that were."""
        if self.schedules:
            self.database.write(queue_schedules, self.schedules)
        leases = self.database.write(lease, self.id, [job.kind for job in self.jobs], BATCH)
        for leased in leases:
            self._run_one(leased)
        return len(leases)

    def _run_one(self, leased: Lease) -> None:
        job = next(job for job in self.jobs if job.kind == leased.kind)
        try:
            if job.run is not None:
                self.database.write(_run_and_remove, job.run, leased, self.id)
            elif job.effect is not None:
                with self._renewing(leased):
                    job.effect(self.database, leased.payload)
                self.database.write(remove, leased.id, self.id)
        except LeaseLost:
            log.warning("job.lease_lost", kind=leased.kind, id=str(leased.id))
        except Exception as error:
            log.exception("job.failed", kind=leased.kind, id=str(leased.id), attempt=leased.attempts)
            self.database.write(give_back, leased, self.id, job.tries, f"{type(error).__name__}: {error}")

    @contextmanager
    def _renewing(self, leased: Lease) -> Iterator[None]:
        """Keep the lease alive while a slow effect runs; it may have waited behind others of its batch."""
        self.database.write(extend, leased.id, self.id)
        done = threading.Event()

        def renew() -> None:
            while not done.wait(RENEW_EVERY.total_seconds()):
                try:
                    self.database.write(extend, leased.id, self.id)
                except (SQLAlchemyError, DomainError) as error:
                    log.warning("job.lease_not_renewed", kind=leased.kind, id=str(leased.id), error=str(error))

        renewer = threading.Thread(target=renew, name="lease-renewer", daemon=True)
        renewer.start()
        try:
            yield
        finally:
            done.set()
            renewer.join()


def queue_schedules(uow: UnitOfWork, schedules: Sequence[Schedule]) -> None:
    """Queue each schedule that is due; moving its next time on is what makes sure that only one worker does."""
    known = {row.kind: row.next_at for row in uow.execute(select(ScheduleRow.kind, ScheduleRow.next_at))}
    for schedule in schedules:
        if schedule.kind not in known:
            uow.session.add(ScheduleRow(kind=schedule.kind, next_at=uow.now + schedule.every))
            uow.enqueue(schedule.kind, {})
        elif known[schedule.kind] <= uow.now and _moved(uow, schedule, known[schedule.kind]):
            uow.enqueue(schedule.kind, {})


def _moved(uow: UnitOfWork, schedule: Schedule, seen: datetime) -> bool:
    moved = uow.execute(
        update(ScheduleRow)
        .where(ScheduleRow.kind == schedule.kind, ScheduleRow.next_at == seen)
        .values(next_at=uow.now + schedule.every)
    )
    return moved.rowcount == 1


def lease(uow: UnitOfWork, worker: UUID, kinds: Sequence[str], limit: int) -> list[Lease]:
    """Take up to `limit` due jobs of these kinds, oldest due first; those that another worker is taking are skipped."""
    due = (
        select(JobRow.id, JobRow.kind, JobRow.payload, JobRow.attempts)
        .where(JobRow.state == READY, JobRow.run_at <= uow.now, JobRow.kind.in_(kinds))
        .order_by(JobRow.run_at, JobRow.id)
        .limit(limit)
    )
    rows = uow.execute(due.with_for_update(skip_locked=True)).all()
    if rows:
        uow.execute(
            update(JobRow)
            .where(JobRow.id.in_([row.id for row in rows]))
            .values(leased_by=worker, run_at=uow.now + LEASE, attempts=JobRow.attempts + 1)
        )
    return [Lease(row.id, row.kind, row.payload, row.attempts + 1) for row in rows]


def extend(uow: UnitOfWork, job_id: UUID, worker: UUID) -> None:
    """Hold on to a job for another lease; raises `LeaseLost` if it is not this worker's any more."""
    held = uow.execute(
        update(JobRow).where(JobRow.id == job_id, JobRow.leased_by == worker).values(run_at=uow.now + LEASE)
    )
    if held.rowcount != 1:
        raise LeaseLost


def remove(uow: UnitOfWork, job_id: UUID, worker: UUID) -> None:
    """Take a finished job off the table; raises `LeaseLost` if it is not this worker's any more."""
    removed = uow.execute(delete(JobRow).where(JobRow.id == job_id, JobRow.leased_by == worker))
    if removed.rowcount != 1:
        raise LeaseLost


def _run_and_remove(
    uow: UnitOfWork, run: Callable[[UnitOfWork, dict[str, Any]], None], leased: Lease, worker: UUID
) -> None:
    remove(uow, leased.id, worker)
    run(uow, leased.payload)


def give_back(uow: UnitOfWork, leased: Lease, worker: UUID, tries: int, reason: str) -> None:
    """Put a failed job back for a later try (2, 4, 8 … seconds, jittered), or park it after the last one."""
    parked = leased.attempts >= tries
    wait = timedelta(seconds=2**leased.attempts * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
    uow.execute(
        update(JobRow)
        .where(JobRow.id == leased.id, JobRow.leased_by == worker)
        .values(state=PARKED if parked else READY, run_at=uow.now + wait, leased_by=None, last_error=reason[:2000])
    )


@dataclass(frozen=True)
class ParkedJob:
    """A job that failed its last try."""

    id: UUID
    kind: str
    attempts: int
    last_error: str
    created_at: datetime


def parked(reader: Reader, limit: int = 100) -> list[ParkedJob]:
    """Return the parked jobs, oldest first."""
    rows = reader.execute(
        select(JobRow.id, JobRow.kind, JobRow.attempts, JobRow.last_error, JobRow.created_at)
        .where(JobRow.state == PARKED)
        .order_by(JobRow.run_at, JobRow.id)
        .limit(limit)
    )
    return [ParkedJob(row.id, row.kind, row.attempts, row.last_error or "", row.created_at) for row in rows]


def counts(reader: Reader) -> dict[str, int]:
    """Return how many jobs are READY (those being run among them), and how many PARKED."""
    rows = reader.execute(select(JobRow.state, func.count().label("number")).group_by(JobRow.state))
    return {READY: 0, PARKED: 0} | {row.state: row.number for row in rows}


def replay(uow: UnitOfWork, job_id: UUID) -> None:
    """Give a parked job all its tries again."""
    done = uow.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == PARKED)
        .values(state=READY, run_at=uow.now, attempts=0)
    )
    if done.rowcount != 1:
        raise NotFound("There is no parked job with this id.")
