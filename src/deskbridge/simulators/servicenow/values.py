"""Times and durations as ServiceNow writes them: text in UTC with whole seconds, a duration as a moment after 1970."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STAMP = "%Y-%m-%d %H:%M:%S"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("Day", 86400), ("Hour", 3600), ("Minute", 60), ("Second", 1))
_DURATION = re.compile(r"(?:(\d{1,6}) )?(\d{1,2}):(\d{2}):(\d{2})")
INTEGER = re.compile(r"-?[0-9]{1,18}")
SYS_ID = re.compile(r"[0-9A-Za-z]{32}")


def stamp(moment: datetime) -> str:
    """The fraction of the second is lost: that is the resolution of every stamp of the instance."""
    return moment.astimezone(UTC).strftime(_STAMP)


def parse_stamp(value: str, zone: str = "UTC") -> datetime | None:
    """A moment of the years 1000 to 9998 from `YYYY-MM-DD HH:MM:SS` (or a day: its midnight) in `zone`, else None."""
    text = f"{value} 00:00:00" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else value
    try:
        read = datetime.strptime(text, _STAMP).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return read.astimezone(UTC) if 1000 <= read.year <= 9998 else None


def local(value: str, zone: str) -> str:
    """A stored stamp as the account's time zone shows it."""
    moment = parse_stamp(value)
    return moment.astimezone(ZoneInfo(zone)).strftime(_STAMP) if moment else value


def is_day(value: str) -> bool:
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) is not None and parse_stamp(value) is not None


def duration(seconds: int) -> str:
    return stamp(_EPOCH + timedelta(seconds=seconds))


def seconds(value: str) -> int | None:
    """The length of a duration given as `1970-01-01 00:30:00`, `00:30:00` or `2 00:30:00` (days), else None."""
    if found := _DURATION.fullmatch(value):
        days, hours, minutes, rest = (int(part or 0) for part in found.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + rest
    moment = parse_stamp(value)
    return None if moment is None or moment < _EPOCH else int((moment - _EPOCH).total_seconds())


def spoken(value: str) -> str:
    """A stored duration in words, such as `1 Hour 30 Minutes`."""
    rest = seconds(value) or 0
    words = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(words) or "0 Seconds"
