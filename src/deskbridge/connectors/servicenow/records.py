"""Rows of an instance as the SDK's records. Each reader raises ValueError or KeyError on what is no such row."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from deskbridge.connectors.plaintext import to_markdown
from deskbridge.connectors.servicenow.client import TABLE, Row, moment_of
from deskbridge.connectors.servicenow.columns import Columns
from deskbridge.connectors.servicenow.journal import unmarked
from deskbridge.sync.connector import Attachment, Hit, Person, Record, Ref, Worklog

REPORTER_FIELDS = ("caller_id.name", "caller_id.email", "opened_by.name", "opened_by.email")
HIT_FIELDS = ("sys_id", "sys_updated_on", "sys_mod_count")
WORKLOG_FIELDS = (
    "sys_id", "time_in_seconds", "comments", "work_date", "sys_created_on", "sys_created_by",
    "user", "user.name", "user.email",
)  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def ref(base_url: str, sys_id: str, number: str) -> Ref:
    """Name an incident, with the page that shows it."""
    return Ref(sys_id, number, f"{base_url.rstrip('/')}/{TABLE}.do?sys_id={sys_id}")


def record(base_url: str, columns: Columns, row: Row) -> Record:
    """Read an incident with all its columns and REPORTER_FIELDS; who opened it reports where no caller is named."""
    who = "caller_id" if row.get("caller_id") else "opened_by"
    return Record(
        ref=ref(base_url, row["sys_id"], row["number"]),
        version=row["sys_mod_count"],
        created_at=moment_of(row["sys_created_on"]),
        updated_at=moment_of(row["sys_updated_on"]),
        reporter=_referred(row, who),
        fields=columns.values(row),
    )


def hit(row: Row, pointer: str) -> tuple[datetime, str, Hit]:
    """Read a row that changed, by its place in the feed; what hangs on an incident has a version of its own."""
    at, sys_id, count = moment_of(row["sys_updated_on"]), row["sys_id"], row["sys_mod_count"]
    version = count if pointer == "sys_id" else f"{sys_id}:{count}"
    return at, sys_id, Hit(row[pointer], version, at)


def attachment(row: Row) -> tuple[str, Attachment]:
    """Read a file, with the user name of who added it."""
    found = Attachment(
        id=row["sys_id"],
        name=row["file_name"],
        size=int(row["size_bytes"]),
        media_type=row["content_type"],
        author=None,
        created_at=moment_of(row["sys_created_on"]),
        sha256=row["hash"] or None,
    )
    return row["sys_created_by"], found


def worklog(row: Row, user_name: str) -> Worklog:
    """Read worked time. What `user_name` (we) logged tells its start in its mark; of others there is only the day."""
    note, mark = unmarked(row["comments"]) if row["sys_created_by"] == user_name else (row["comments"], None)
    seconds = int(row["time_in_seconds"] or 0)
    return Worklog(
        id=row["sys_id"],
        minutes=max(1, (seconds + 30) // 60) if seconds > 0 else 0,
        note=to_markdown(note),
        started_at=datetime.fromisoformat(mark.extra) if mark and mark.extra else _started(row, seconds),
        author=_referred(row, "user"),
        marker=mark.key if mark else None,
    )


def _started(row: Row, seconds: int) -> datetime:
    """The time worked ended when it was entered, unless it was entered for another day."""
    start = moment_of(row["sys_created_on"]) - timedelta(seconds=seconds)
    day = row["work_date"]
    return moment_of(f"{day} 00:00:00") if _DAY.fullmatch(day) and day != f"{start:%Y-%m-%d}" else start


def _referred(row: Row, who: str) -> Person | None:
    sys_id = row.get(who)
    if not sys_id:
        return None
    return Person(sys_id, row.get(f"{who}.name") or sys_id, row.get(f"{who}.email") or None)


def person(row: Row) -> tuple[str, Person]:
    """Read a user, by user name."""
    return row["user_name"], Person(row["sys_id"], row["name"], row["email"] or None)


def authored(people: Mapping[str, Person], user_name: str) -> Person | None:
    """Who created a row; somebody the account cannot see, or who is no user (`system`), goes by the user name."""
    return people.get(user_name) or (Person(user_name, user_name) if user_name else None)
