"""The one list of who follows which event, which jobs there are, and what runs on a schedule."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from deskbridge.kit.clock import Clock
from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.events import Subscriptions
from deskbridge.kit.files import open_storage
from deskbridge.kit.idempotency import sweep_answers
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.kit.limits import sweep_tries
from deskbridge.notify import alerts
from deskbridge.notify.jobs import DIGEST_SCHEDULE, SWEEP_EVENTS_JOB, SWEEP_EVENTS_SCHEDULE, digest_job, mail_job
from deskbridge.people.service import sweep_sign_ins
from deskbridge.search import service as search
from deskbridge.settings import Settings
from deskbridge.sla import service as sla
from deskbridge.sla.jobs import JOBS as SLA_JOBS
from deskbridge.sla.jobs import SCHEDULES as SLA_SCHEDULES
from deskbridge.sync import hints
from deskbridge.sync.inbox import sweep_inbox
from deskbridge.sync.polling import sweep_seen
from deskbridge.tickets import dispatch
from deskbridge.tickets.attachments import Uploads
from deskbridge.tickets.jobs import AUTO_CLOSE_SCHEDULE, SWEEP_FILES_SCHEDULE, auto_close_job, file_jobs


@dataclass(frozen=True)
class Wiring:
    """What the application, the worker, the command line and the tests share."""

    subscriptions: Subscriptions
    jobs: list[Job]
    schedules: list[Schedule]


def wire(settings: Settings) -> Wiring:
    """Return the wiring of a desk with these settings."""
    jobs = [
        _sweep("people.sweep_sign_ins", sweep_sign_ins),
        _sweep("kit.sweep_answers", sweep_answers),
        _sweep("kit.sweep_tries", sweep_tries),
        _sweep("sync.sweep_inbox", sweep_inbox),
        _sweep("sync.sweep_seen", sweep_seen),
    ]
    schedules = [Schedule(job.kind, timedelta(hours=1)) for job in jobs]
    jobs.append(SWEEP_EVENTS_JOB)
    schedules.append(SWEEP_EVENTS_SCHEDULE)
    if settings.TICKET_AUTO_CLOSE_DAYS:
        jobs.append(auto_close_job(settings.TICKET_AUTO_CLOSE_DAYS))
        schedules.append(AUTO_CLOSE_SCHEDULE)
    jobs += file_jobs(open_storage(settings.UPLOAD_STORAGE_PATH, settings.UPLOAD_STORAGE_URL), settings.CLAMD_URL)
    schedules.append(SWEEP_FILES_SCHEDULE)
    subscriptions = Subscriptions()
    search.follow(subscriptions)
    dispatch.follow(subscriptions)
    hints.follow(subscriptions)
    if settings.SLA_ENABLED:
        sla.follow(subscriptions)
        jobs += SLA_JOBS
        schedules += SLA_SCHEDULES
    if settings.NOTIFICATIONS_ENABLED and settings.OPERATOR_EMAILS:
        operators = alerts.Operators(settings.OPERATOR_EMAILS, settings.base_url)
        alerts.follow(subscriptions, operators)
        jobs += [mail_job(settings.SMTP_URL, settings.MAIL_FROM), digest_job(operators)]
        schedules.append(DIGEST_SCHEDULE)
    return Wiring(subscriptions, jobs, schedules)


def uploads(settings: Settings, clock: Clock) -> Uploads:
    """Return where files go, as the settings have it."""
    storage = open_storage(settings.UPLOAD_STORAGE_PATH, settings.UPLOAD_STORAGE_URL)
    return Uploads(storage, clock, settings.UPLOAD_MAX_FILE_SIZE, settings.VIRUS_SCAN_ENABLED)


def _sweep(kind: str, use_case: Callable[[UnitOfWork], None]) -> Job:
    def run(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
        use_case(uow)

    return Job(kind, run=run)
