"""Reading a log: what is unknown, what is no event, and which line it was."""

from datetime import UTC, datetime

import pytest
from tests.importers.logs import COLUMNS, event, write_log

from deskbridge.importers.log_file import read_log
from deskbridge.kit.errors import Malformed


def with_line(tmp_path, content: bytes):
    """Return a log of three lines whose middle one is `content`."""
    path = write_log(tmp_path, event(), event(number="INC0000002"))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], content, *lines[2:]]))
    return read_log(path)


def as_line(**values: str) -> bytes:
    return (",".join(event(**values)[column] for column in COLUMNS) + "\r\n").encode()


def test_events_are_grouped_by_incident_in_the_order_of_the_file(tmp_path):
    path = write_log(tmp_path, event(number="A"), event(number="B"), event(number="A", incident_state="Active"))
    log = read_log(path)
    assert [[e.line for e in events] for events in log.incidents.values()] == [[2, 4], [3]]
    assert log.events_read == 3


def test_times_are_taken_as_utc_and_a_question_mark_as_unknown(tmp_path):
    [[read]] = read_log(write_log(tmp_path, event(location="?"))).incidents.values()
    assert read.opened_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert read.times["closed_at"] is None
    assert read.get("location") is None
    assert read.raw["location"] == "?"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (as_line(number="?"), "no incident number"),
        (as_line(number=" "), "no incident number"),
        (as_line(sys_updated_at="?"), "sys_updated_at '?' is not a time"),
        (as_line(opened_at="2016-02-29 01:16"), "opened_at '2016-02-29 01:16' is not a time"),
        (as_line(closed_at="31-02-2016 01:16"), "closed_at '31-02-2016 01:16' is not a time"),
        (as_line(sys_updated_at="01-01-1960 00:00"), "before 1970"),
        (as_line(caller_id="x" * 101), "caller_id is longer than 100"),
        (as_line(location="a\x00b"), "control characters"),
        (b"INC0000009,New\r\n", "2 fields where the first line has 36"),
        (as_line()[:-2] + b",one more\r\n", "37 fields"),
        (as_line(location="\u00e9").replace("\u00e9".encode(), b"\xe9"), "not UTF-8"),
        (as_line(location='"never closed'), "not CSV"),
    ],
)
def test_a_bad_line_is_named_and_stops_nothing(tmp_path, content, reason):
    log = with_line(tmp_path, content)
    [skipped] = log.skipped
    assert skipped.line == 3
    assert reason in skipped.reason
    assert list(log.incidents) == ["INC0000001", "INC0000002"]
    assert log.events_read == 3


def test_empty_lines_are_no_events(tmp_path):
    log = with_line(tmp_path, b"\r\n")
    assert (log.events_read, log.skipped) == (2, [])
    assert [e.line for events in log.incidents.values() for e in events] == [2, 4]


def test_a_byte_order_mark_and_other_columns_do_no_harm(tmp_path):
    path = write_log(tmp_path, event())
    lines = path.read_text().splitlines()
    path.write_text("\ufeff" + "\n".join([lines[0] + ",extra", lines[1] + ",more"]))
    [[read]] = read_log(path).incidents.values()
    assert read.raw["extra"] == "more"


@pytest.mark.parametrize("content", [b"", b"\n", b"a,b,c\n1,2,3\n", b"\xff\xfe\x00", b"PK\x03\x04 and so on"])
def test_a_file_that_is_no_such_log_is_refused(tmp_path, content):
    path = tmp_path / "other.csv"
    path.write_bytes(content)
    with pytest.raises(Malformed, match="no ServiceNow incident log"):
        read_log(path)


def test_equal_lines_are_told_apart(tmp_path):
    [events] = read_log(write_log(tmp_path, event(), event())).incidents.values()
    assert [e.copy for e in events] == [0, 1]
