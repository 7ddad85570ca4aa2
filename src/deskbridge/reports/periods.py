"""Stretches of time and the buckets they are cut into, by the wall clock of a time zone. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MAX_BUCKETS = 2000
LAST = re.compile(r"([1-9]\d{0,3})([hd])")


class Bucket(StrEnum):
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class TooManyBuckets(ValueError):
    """The period has more than `MAX_BUCKETS` of such buckets."""


@dataclass(frozen=True)
class Period:
    """From the first instant to before the second; None is open."""

    start: datetime | None = None
    end: datetime | None = None


def last_period(text: str, now: datetime, zone: ZoneInfo) -> tuple[Period, Bucket] | None:
    """Return the period that `48h` or `30d` means: so many whole hours or days, the present one the last of them."""
    match = LAST.fullmatch(text)
    if match is None:
        return None
    count, bucket = int(match[1]), Bucket.HOUR if match[2] == "h" else Bucket.DAY
    if bucket is Bucket.HOUR:
        start = floor(now, bucket, zone) - timedelta(hours=count - 1)
    else:
        today = floor(now, bucket, zone).astimezone(zone)
        start = (today.replace(tzinfo=None) - timedelta(days=count - 1)).replace(tzinfo=zone).astimezone(UTC)
    return Period(start, now), bucket


def floor(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    """Return when the bucket that holds this instant began, in UTC."""
    local = at.astimezone(zone)
    if bucket is Bucket.HOUR:
        into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return at.astimezone(UTC) - into
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
    if bucket is Bucket.WEEK:
        day -= timedelta(days=day.weekday())
    elif bucket is Bucket.MONTH:
        day = day.replace(day=1)
    return day.replace(tzinfo=zone).astimezone(UTC)


def bucket_starts(start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo) -> list[datetime]:
    """Return when each bucket of a period begins, in UTC; the first holds `start`, the last the instant before `end`.

    Raises `TooManyBuckets`. A day is as long as the zone's clock makes it: 23 to 25 hours.
    """
    starts = []
    at = floor(start, bucket, zone)
    while at < end:
        starts.append(at)
        if len(starts) > MAX_BUCKETS:
            raise TooManyBuckets
        at = _next(at, bucket, zone)
    return starts


def _next(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    if bucket is Bucket.HOUR:
        return at + timedelta(hours=1)
    day = at.astimezone(zone).replace(tzinfo=None)
    if bucket is Bucket.MONTH:
        following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        following = day + timedelta(days=7 if bucket is Bucket.WEEK else 1)
    return following.replace(hour=0, tzinfo=zone).astimezone(UTC)


def fold(counts: Sequence[tuple[datetime, int]], starts: Sequence[datetime]) -> list[int]:
    """Return how many fall into each bucket; both are in order of time, and nothing is before the first start."""
    folded, bucket = [0] * len(starts), 0
    for at, count in counts:
        while bucket + 1 < len(starts) and starts[bucket + 1] <= at:
            bucket += 1
        folded[bucket] += count
    return folded
