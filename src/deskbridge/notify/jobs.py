"""The notify slice's scheduled work: events are kept for as long as a reader may be away, not for ever."""

from datetime import timedelta
from typing import Any

from deskbridge.kit.db import UnitOfWork
from deskbridge.kit.jobs import Job, Schedule
from deskbridge.kit.tail import sweep_events

SWEEP_EVENTS = "notify.sweep_events"


def _sweep(uow: UnitOfWork, _payload: dict[str, Any]) -> None:
    if sweep_events(uow):
        uow.enqueue(SWEEP_EVENTS, {})


SWEEP_EVENTS_JOB = Job(SWEEP_EVENTS, run=_sweep)
SWEEP_EVENTS_SCHEDULE = Schedule(SWEEP_EVENTS, every=timedelta(hours=1))
