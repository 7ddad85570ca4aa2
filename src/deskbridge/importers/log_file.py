"""Reading a ServiceNow incident log: a CSV file with one line per audit event, the lines of an incident in time order.

Its times (`DD-MM-YYYY HH:MM`) are local and carry no zone; they are taken as UTC. `?` is an unknown value.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deskbridge.importers.report import Skipped
from deskbridge.kit.errors import Malformed

UNKNOWN = "?"
TIME = "%d-%m-%Y %H:%M"
LONGEST_VALUE = 100
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = {"opened_at": True, "sys_updated_at": True, "resolved_at": False, "closed_at": False}
"""The columns that hold times, and whether an event needs one there."""

COLUMNS = {
    *TIMES,
    "number",
    "incident_state",
    "reopen_count",
    "caller_id",
    "opened_by",
    "sys_created_by",
    "sys_updated_by",
    "contact_type",
    "location",
    "category",
    "subcategory",
    "u_symptom",
    "cmdb_ci",
    "impact",
    "priority",
    "assignment_group",
    "assigned_to",
    "closed_code",
    "resolved_by",
}
"""The columns the importer reads; a file may have more, and they are kept with the events."""


class BadLine(Exception):
    """A line that is no event; the text says why."""


@dataclass(frozen=True)
class LogEvent:
    """One line of the log; `raw` is what stands in it, `copy` counts equal lines of the file before it."""

    line: int
    raw: dict[str, str]
    copy: int
    times: dict[str, datetime | None]

    def get(self, column: str) -> str | None:
        """Return a value; None when it is unknown."""
        value = self.raw[column].strip()
        return None if value in {"", UNKNOWN} else value

    @property
    def at(self) -> datetime:
        at = self.times["sys_updated_at"]
        assert at is not None
        return at

    @property
    def opened_at(self) -> datetime:
        at = self.times["opened_at"]
        assert at is not None
        return at


@dataclass
class Log:
    """A log: the events of each incident in the order of the file, and the lines that are none."""

    incidents: dict[str, list[LogEvent]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)
    events_read: int = 0


def read_log(path: Path) -> Log:
    """Read a log; raises `Malformed` for a file that is none at all."""
    log = Log()
    copies: dict[tuple[str, ...], int] = {}
    with path.open("rb") as file:
        columns = _header(file.readline(), path)
        for line, content in enumerate(file, 2):
            if not content.strip():
                continue
            log.events_read += 1
            try:
                values = _values(content, len(columns))
                copies[values] = copies.get(values, -1) + 1
                event = _event(line, dict(zip(columns, values, strict=True)), copies[values])
            except BadLine as error:
                log.skipped.append(Skipped(line, str(error)))
            else:
                log.incidents.setdefault(event.raw["number"].strip(), []).append(event)
    return log


def _header(content: bytes, path: Path) -> tuple[str, ...]:
    try:
        columns = _values(content.removeprefix(b"\xef\xbb\xbf"), None)
    except BadLine as error:
        raise Malformed(f"{path} is no ServiceNow incident log: its first line is {error}.") from error
    if missing := COLUMNS - set(columns):
        raise Malformed(f"{path} is no ServiceNow incident log: it lacks the columns {', '.join(sorted(missing))}.")
    return columns


def _values(content: bytes, wanted: int | None) -> tuple[str, ...]:
    """Return the fields of a line. Each line is read by itself, so that a stray quote costs no more than its own."""
    try:
        text = content.decode()
        values = next(csv.reader([text.rstrip("\r\n")], strict=True), [])
    except UnicodeDecodeError as error:
        raise BadLine("not UTF-8") from error
    except csv.Error as error:
        raise BadLine(f"not CSV ({error})") from error
    if wanted is not None and len(values) != wanted:
        raise BadLine(f"{len(values)} fields where the first line has {wanted}")
    if any(CONTROL.search(value) for value in values):
        raise BadLine("a value with control characters")
    return tuple(values)


def _event(line: int, raw: dict[str, str], copy: int) -> LogEvent:
    if raw["number"].strip() in {"", UNKNOWN}:
        raise BadLine("no incident number")
    for column in COLUMNS:
        if len(raw[column]) > LONGEST_VALUE:
            raise BadLine(f"{column} is longer than {LONGEST_VALUE} characters")
    return LogEvent(line, raw, copy, dict(_times(raw)))


def _times(raw: dict[str, str]) -> Iterator[tuple[str, datetime | None]]:
    for column, needed in TIMES.items():
        value = raw[column].strip()
        if value in {"", UNKNOWN} and not needed:
            yield column, None
            continue
        try:
            at = datetime.strptime(value, TIME).replace(tzinfo=UTC)
        except ValueError as error:
            raise BadLine(f"{column} {value!r} is not a time like 29-02-2016 01:16") from error
        if at < EPOCH:
            raise BadLine(f"{column} {value!r} is before 1970")
        yield column, at
