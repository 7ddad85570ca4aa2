"""Working time: pure arithmetic over weekly hours, holidays and a time zone.

Hours are wall-clock times of the calendar's zone. Where clocks are put forward, the hour that does not exist counts
nothing; where they are put back, the hour that happens twice counts twice if both passes lie in working hours. All
instants are aware; durations are `timedelta`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60
HORIZON = timedelta(days=366 * 10)
"""How far a deadline may lie ahead: what cannot be reached by then has a calendar that almost never works."""


class NeverWorks(ValueError):
    """The calendar has no working hours (within the horizon), so no deadline can be counted."""


@dataclass(frozen=True)
class Hours:
    """A stretch of one weekday in minutes after its midnight: 0 <= start < end <= 1440."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= MINUTES_A_DAY:
            raise ValueError("hours must begin before they end, within one day")


@dataclass(frozen=True)
class Calendar:
    """Weekly hours (Monday first, each day's in order and apart), holidays without any, and the zone they are in."""

    week: tuple[tuple[Hours, ...], ...]
    holidays: frozenset[date] = frozenset()
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError("a week has seven days")
        if not any(self.week):
            raise NeverWorks("the calendar has no working hours")
        for day in self.week:
            if any(earlier.end > later.start for earlier, later in pairwise(day)):
                raise ValueError("the hours of a day must be in order and must not overlap")

    def hours_of(self, day: date) -> tuple[Hours, ...]:
        return () if day in self.holidays else self.week[day.weekday()]


@dataclass(frozen=True)
class Segment:
    """A stretch of time that counted, or did not for a reason: `paused`, `outside working hours`."""

    start: datetime
    end: datetime
    counted: bool
    reason: str = ""


def working_time(calendar: Calendar | None, start: datetime, end: datetime) -> timedelta:
    """Return how much working time lies between two instants; None is round the clock. Zero when end is not after."""
    if end <= start:
        return timedelta(0)
    if calendar is None:
        return end - start
    return sum((until - since for since, until in _working(calendar, start, end)), timedelta(0))


def after_working_time(calendar: Calendar | None, start: datetime, duration: timedelta) -> datetime:
    """Return the first instant by which `duration` of working time has passed since `start`.

    Raises `NeverWorks` when that does not happen within the horizon.
    """
    if calendar is None or duration <= timedelta(0):
        return start + max(duration, timedelta(0))
    left = duration
    for since, until in _working(calendar, start, start + HORIZON):
        if until - since >= left:
            return since + left
        left -= until - since
    raise NeverWorks("the deadline lies beyond the calendar's horizon")


def segments(calendar: Calendar | None, start: datetime, end: datetime) -> Iterator[Segment]:
    """Divide the time between two instants into what counts and what lies outside working hours, in order."""
    if end <= start:
        return
    at = start
    for since, until in [(start, end)] if calendar is None else _working(calendar, start, end):
        if since > at:
            yield Segment(at, since, counted=False, reason="outside working hours")
        yield Segment(since, until, counted=True)
        at = until
    if at < end:
        yield Segment(at, end, counted=False, reason="outside working hours")


def _working(calendar: Calendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the working stretches between two instants, in order, none empty."""
    zone = ZoneInfo(calendar.zone)
    day = start.astimezone(zone).date() - timedelta(days=1)
    last = end.astimezone(zone).date()
    while day <= last:
        for hours in calendar.hours_of(day):
            since = max(_instant(calendar.zone, day, hours.start), start)
            until = min(_instant(calendar.zone, day, hours.end), end)
            if since < until:
                yield since, until
        day += timedelta(days=1)


@lru_cache(maxsize=4096)
def _instant(zone_name: str, day: date, minute: int) -> datetime:
    """Return the instant of a wall-clock minute; one that clocks skip is the moment they are put forward."""
    zone = ZoneInfo(zone_name)
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    return _moment_put_forward(zone, second, first)


def _moment_put_forward(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the second between two instants at which the zone's offset changes."""
    low, high = int(before.timestamp()), int(after.timestamp())
    offset = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if datetime.fromtimestamp(middle, zone).utcoffset() == offset else (low, middle)
    return datetime.fromtimestamp(high, UTC)
