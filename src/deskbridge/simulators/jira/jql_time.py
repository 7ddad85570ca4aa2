"""Points in time as JQL writes them, in the zone of the account that asks."""

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from deskbridge.simulators.jira import timing
from deskbridge.simulators.jira.jql import JqlError

_FORMATS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
_PERIOD = re.compile(r"([+-]?)\s*((?:[0-9]{1,6}\s*[wdhm]\s*)+)", re.IGNORECASE)
_STEP = re.compile(r"([0-9]+)\s*([wdhm])", re.IGNORECASE)
_INCREMENT = re.compile(r"([+-]?)([0-9]{1,5})([yMwdhm]?)")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}
_MILLIS = re.compile(r"[0-9]{1,14}")  # up to the year 5138


def parse(text: str, field: str, now: datetime, zone: ZoneInfo) -> int:
    """Epoch milliseconds of a value: epoch milliseconds, a period such as `-5d`, or a local time to the minute."""
    if _MILLIS.fullmatch(text):
        return int(text)
    found = _PERIOD.fullmatch(text.strip())
    with contextlib.suppress(OverflowError):
        if found:
            return timing.millis(now + _period(found))
    for shape in _FORMATS:
        try:
            return timing.millis(datetime.strptime(text, shape).replace(tzinfo=zone))
        except (ValueError, OverflowError):
            continue
    raise JqlError(
        f"Date value '{text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _period(found: re.Match[str]) -> timedelta:
    total = timedelta()
    for count, unit in _STEP.findall(found[2]):
        total += timedelta(**{_UNITS[unit.lower()]: int(count)})
    return -total if found[1] == "-" else total


def function(name: str, arguments: Sequence[str], now: datetime, zone: ZoneInfo) -> int | None:
    """Epoch milliseconds of now(), startOfDay(-1d) and their kin; None for a name that is not of them."""
    local = now.astimezone(zone)
    if name.lower() == "now":
        return timing.millis(now)
    unit = name.lower().removeprefix("startof").removeprefix("endof")
    if unit not in _FLOORS or not name.lower().startswith(("startof", "endof")):
        return None
    start = _FLOORS[unit](local)
    try:
        if arguments:
            start = _moved(start, unit, arguments[0], name)
        if name.lower().startswith("startof"):
            return timing.millis(start)
        return timing.millis(_FLOORS[unit](start + _SPANS[unit])) - 1
    except (ValueError, OverflowError) as error:
        raise JqlError(f"The function '{name}({arguments[0]})' leads out of the calendar.") from error


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


_FLOORS: Mapping[str, Callable[[datetime], datetime]] = {
    "day": _day,
    "week": lambda moment: _day(moment) - timedelta(days=(moment.weekday() + 1) % 7),
    "month": lambda moment: _day(moment).replace(day=1),
    "year": lambda moment: _day(moment).replace(month=1, day=1),
}
_SPANS = {
    "day": timedelta(days=1, hours=1),
    "week": timedelta(weeks=1, hours=1),
    "month": timedelta(days=32),
    "year": timedelta(days=367),
}
_OWN_UNIT = {"day": "d", "week": "w", "month": "M", "year": "y"}


def _moved(start: datetime, unit: str, increment: str, name: str) -> datetime:
    found = _INCREMENT.fullmatch(increment.strip())
    if found is None:
        raise JqlError(f"Argument '{increment}' of the function '{name}' is not an increment such as '-1' or '+2d'.")
    count = int(found[2]) * (-1 if found[1] == "-" else 1)
    step = found[3] or _OWN_UNIT[unit]
    if step in {"M", "y"}:
        months = start.year * 12 + start.month - 1 + count * (12 if step == "y" else 1)
        return start.replace(year=months // 12, month=months % 12 + 1, day=min(start.day, 28))
    return start + timedelta(**{_UNITS[step]: count})
