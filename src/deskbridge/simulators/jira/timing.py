"""Jira's notations of time: stamps with a numeric offset, and durations such as `1d 2h 30m`."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_UNITS = {"w": 5 * 8 * 3600, "d": 8 * 3600, "h": 3600, "m": 60}  # Jira's defaults: 8-hour days, 5-day weeks
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([wdhm])?", re.IGNORECASE)
_YEARS = range(1900, 3000)  # what every time zone can show
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}")


def millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def moment(stamp: int) -> datetime:
    """From milliseconds since the epoch."""
    return datetime.fromtimestamp(stamp / 1000, tz=UTC)


def render(stamp: int | None, zone: ZoneInfo) -> str | None:
    """`2026-11-21T10:15:30.123+0100`, in the zone of the account that asks."""
    if stamp is None:
        return None
    local = moment(stamp).astimezone(zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{stamp % 1000:03d}{local:%z}"


def parse_stamp(text: object) -> int | None:
    """A stamp as Jira takes it (milliseconds and a numeric offset are obligatory) as epoch milliseconds."""
    if not isinstance(text, str) or not _STAMP.fullmatch(text):
        return None
    try:
        parsed = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None
    return millis(parsed) if parsed.year in _YEARS else None


def parse_date(text: object) -> str | None:
    """A calendar date `2026-11-21`; None when it is not one."""
    try:
        return date.fromisoformat(text).isoformat() if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        return None


def parse_duration(text: object) -> int | None:
    """Seconds of `1w 2d 3h 4m` (a bare number is minutes); None when it is none."""
    if not isinstance(text, str) or not text.strip():
        return None
    total, end = 0.0, 0
    for found in _DURATION.finditer(text.strip()):
        if text.strip()[end : found.start()].strip():
            return None
        total += float(found[1]) * _UNITS[(found[2] or "m").lower()]
        end = found.end()
    return round(total) if end == len(text.strip()) else None


def render_duration(seconds: int) -> str:
    """`1d 2h 30m`; `0m` for nothing."""
    parts = []
    for unit, size in _UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0m"
