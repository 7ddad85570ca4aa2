"""The notify slice's scheduled work: mails go out, operators get their digest, and events are not kept for ever."""

from datetime import timedelta
from typing import Any

from deskbridge.kit.db import Database, UnitOfWork
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.kit.mail import compose, send
from deskbridge.kit.tail import sweep_events
from deskbridge.notify.alerts import EVERY, SEND_MAIL, Operators, digest

SWEEP_EVENTS, DIGEST = "notify.sweep_events", "notify.digest"
MAIL_TRIES = 3


def _sweep(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
    if sweep_events(uow):
        uow.enqueue(SWEEP_EVENTS, {})


SWEEP_EVENTS_JOB = Job(SWEEP_EVENTS, run=_sweep)
SWEEP_EVENTS_SCHEDULE = Schedule(SWEEP_EVENTS, every=timedelta(hours=1))


def mail_job(url: str, sender: str) -> Job:
    """Return the job that hands one queued mail to the server at `url`."""

    def mail(database: Database, payload: dict[str, Any]) -> None:
        send(url, compose(sender, **payload, at=database.clock.now()))

    return Job(SEND_MAIL, effect=mail, tries=MAIL_TRIES)


def digest_job(operators: Operators) -> Job:
    """Return the job that tells operators what is still bad."""
    return Job(DIGEST, run=digest(operators))


DIGEST_SCHEDULE = Schedule(DIGEST, every=EVERY)
