"""A ticket's clock: pure arithmetic over when it began, what it may take, and when it stood still."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from deskbridge.sla.calendar import Calendar, Segment, after_working_time, segments, working_time

Pause = tuple[datetime, datetime | None]
"""When the clock stood still; an open end is a pause that lasts."""


@dataclass(frozen=True)
class Clock:
    """One target of one ticket. Pauses are in order and apart; only the last may be open."""

    start: datetime
    target: timedelta
    calendar: Calendar | None = None
    pauses: tuple[Pause, ...] = ()

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1][1] is None


def running(clock: Clock, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the stretches in which the clock was not paused, up to an instant."""
    at = clock.start
    for since, end in clock.pauses:
        if at < min(since, until):
            yield at, min(since, until)
        if end is None or end >= until:
            return
        at = max(at, end)
    if at < until:
        yield at, until


def elapsed(clock: Clock, now: datetime) -> timedelta:
    """Return how much working time the clock has counted."""
    return sum((working_time(clock.calendar, since, until) for since, until in running(clock, now)), timedelta(0))


def reaches(clock: Clock, amount: timedelta) -> datetime | None:
    """Return when the clock reaches an amount of working time; None while a pause keeps it from getting there."""
    left, at = amount, clock.start
    for since, end in clock.pauses:
        counted = working_time(clock.calendar, at, since)
        if counted >= left:
            return after_working_time(clock.calendar, at, left)
        if end is None:
            return None
        left, at = left - counted, max(at, end)
    return after_working_time(clock.calendar, at, left)


def deadline(clock: Clock) -> datetime | None:
    """Return when the target is used up; None while the clock is paused short of it."""
    return reaches(clock, clock.target)


def explain(clock: Clock, until: datetime) -> list[Segment]:
    """Return what counted and what did not, from the start up to an instant."""
    found: list[Segment] = []
    at = clock.start
    for since, end in [*clock.pauses, (until, until)]:
        found += segments(clock.calendar, at, min(since, until))
        stood_still_until = until if end is None else min(end, until)
        if since < stood_still_until:
            found.append(Segment(max(since, clock.start), stood_still_until, counted=False, reason="paused"))
        at = max(at, stood_still_until)
        if at >= until:
            break
    return found


def pause(pauses: Sequence[Pause], now: datetime) -> tuple[Pause, ...]:
    """Return the pauses with one that begins now; a clock that stands still already just goes on standing."""
    if pauses and pauses[-1][1] is None:
        return tuple(pauses)
    return (*pauses, (now, None))


def resume(pauses: Sequence[Pause], now: datetime) -> tuple[Pause, ...]:
    """Return the pauses with an open one ended now."""
    if not pauses or pauses[-1][1] is not None:
        return tuple(pauses)
    return (*pauses[:-1], (pauses[-1][0], now))
