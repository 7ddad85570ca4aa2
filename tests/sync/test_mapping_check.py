"""A mapping held against a tracker as it really is: every misfit named with its line, before anything runs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from deskbridge.sync.connector import Audiences, Capabilities, FieldInfo, FieldKind, Metadata, WorklogKind
from deskbridge.sync.mapping_check import check
from deskbridge.sync.mapping_text import parse

TEAMS = ("Support", "Admin", "R&D")
CAN = Capabilities(
    unique_key=True,
    conditional_update=True,
    audiences=Audiences.BOTH,
    comment_edit=True,
    comment_delete=True,
    worklogs=WorklogKind.ENTRIES,
    webhooks=True,
    max_comment_length=1000,
    max_attachment_size=1000,
    lookback=timedelta(minutes=1),
    settle=timedelta(minutes=1),
)
LEVELS = {"1": "High", "2": "Low"}
FIELDS = (
    FieldInfo("name", "Name", FieldKind.TEXT, required=True, max_length=255),
    FieldInfo("text", "Text", FieldKind.RICH_TEXT, max_length=4000),
    FieldInfo("state", "State", FieldKind.CHOICE, writable=False, choices={"a": "A", "b": "B"}),
    FieldInfo("level", "Level", FieldKind.CHOICE, choices=LEVELS),
    FieldInfo("sum", "Computed", FieldKind.CHOICE, writable=False, choices=LEVELS),
    FieldInfo("kind", "Kind", FieldKind.CHOICE, choices={"x": "X"}),
    FieldInfo("labels", "Labels", FieldKind.LABELS),
    FieldInfo("why", "Why", FieldKind.CHOICE, writable=False, choices={"done": "Done"}),
    FieldInfo("until", "Until", FieldKind.DATE_TIME),
)
TRACKER = Metadata({one.name: one for one in FIELDS}, "state", {"a": "A", "b": "B"})
GOOD = """\
version: 1
product: jira
record: issue
fields:
  title: {remote: name}
  status:
    remote: state
    values:
      a: {desk: [NEW, OPEN, IN_PROGRESS, PENDING_INFO, ESCALATED, REOPENED], inbound: OPEN}
      b: {desk: [RESOLVED, CLOSED], inbound: RESOLVED}
    demands: {b: {why: done}}
  priority:
    remote: level
    values:
      "1": {desk: [P1, P2], inbound: P2}
      "2": {desk: [P3, P4], inbound: P3}
  category: {remote: kind, values: {x: {desk: [BUG, SUPPORT], inbound: BUG}}}
"""


def faults(text: str, tracker: Metadata = TRACKER, can: Capabilities = CAN) -> list[str]:
    return [str(fault) for fault in check(parse(text), tracker, can, ["BUG", "SUPPORT"], TEAMS)]


def test_a_mapping_that_fits_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("remote: name", "remote: nome", "line 5: fields.title.remote: the tracker has no field nome"),
        ("remote: name", "remote: until", "line 5: fields.title: until is a date-time, which cannot hold a line"),
        ("remote: name", "remote: text", "line 4: fields: the tracker requires name, and nothing is written to it"),
        ("{remote: name}", "{remote: name, longest: 300}", "name holds 255 characters, and up to 300 would be written"),
        ("remote: state", "remote: why", "line 6: fields.status: the status, and only it, goes with state"),
        (
            "{remote: name}",
            "{remote: state, direction: in}",
            "line 5: fields.title: the status, and only it, goes with state",
        ),
        ("remote: level", "remote: sum", "line 13: fields.priority.remote: the tracker does not let sum be written"),
        ("a: {desk", "c: {desk", "line 9: fields.status.values.c: state has no value c; it has a, b"),
        ("a: {desk", "c: {desk", "line 8: fields.status.values: not mapped: a (A)"),
        ('"2": {desk', '"7": {desk', "line 16: fields.priority.values.7: level has no value 7; it has 1, 2"),
        ('"2": {desk', '"7": {desk', "line 14: fields.priority.values: not mapped: 2 (Low)"),
        ("b: {why", "z: {why", "line 11: fields.status.demands.z: the tracker has no status z"),
        ("why: done", "how: done", "line 11: fields.status.demands.b.how: the tracker has no field how"),
        ("why: done", "why: fun", "line 11: fields.status.demands.b.why: why has no value fun; it has done"),
        ("[BUG, SUPPORT]", "[BUG]", "line 17: fields.category.values: not mapped: SUPPORT"),
        ("[BUG, SUPPORT]", "[BUG, SUPPORT, ODD]", "line 17: fields.category.values.x: the desk has no category ODD"),
        (
            "inbound: P3}",
            "inbound: P3, write: {sum: '1'}}",
            "line 16: fields.priority.values.2.write.sum: the tracker does not let",
        ),
        (
            "inbound: P3}",
            "inbound: P3, write: {why: y}}",
            "values.2.write.why: the tracker does not let why be written",
        ),
    ],
)
def test_a_misfit_is_named_with_its_line(old: str, new: str, fault: str) -> None:
    assert old in GOOD
    found = faults(GOOD.replace(old, new, 1))
    assert any(fault in one for one in found), found


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("{when: {mood: [x]}, ticket: {}}", "line 20: filing.in[0].when.mood: the tracker has no field mood"),
        ("{when: {level: ['9']}, ticket: {}}", "line 20: filing.in[0].when.level: level has no value 9"),
        ("{when: {}, ticket: {team: Nobody}}", "line 20: filing.in[0].ticket.team: the desk has no team Nobody"),
        ("{when: {}, ticket: {category: ODD}}", "line 20: filing.in[0].ticket.category: the desk has no category ODD"),
    ],
)
def test_a_filing_rule_that_does_not_fit_is_named_with_its_line(rule: str, fault: str) -> None:
    assert fault in faults(f"{GOOD}filing:\n  in:\n    - {rule}\n")


def test_a_ticket_that_could_not_begin_is_told_beforehand() -> None:
    one_way = GOOD.replace("category: {remote: kind", "category: {remote: kind, direction: out")
    text = f"{one_way}filing:\n  in:\n    - {{when: {{}}, ticket: {{}}}}\n"
    assert faults(text) == [
        "line 20: filing.in[0].ticket: a ticket needs a category: map it inwards or name it under ticket"
    ]
    assert faults(text.replace("ticket: {}", "ticket: {category: BUG}")) == []
    assert faults(text.replace("ticket: {}", "ticket: false")) == []


def test_what_a_step_alone_takes_may_be_demanded() -> None:
    text = GOOD.replace("why: done", "note: Over.")
    assert faults(text) == ["line 11: fields.status.demands.b.note: the tracker has no field note"]
    said = {"note": FieldInfo("note", "Note", FieldKind.RICH_TEXT)}
    assert faults(text, replace(TRACKER, step_fields=said)) == []


def test_time_entries_need_a_tracker_that_keeps_them() -> None:
    text = f"{GOOD}time_entries: both\n"
    assert faults(text) == []
    assert faults(text, can=replace(CAN, worklogs=WorklogKind.TOTAL)) == [
        "line 18: time_entries: the tracker keeps no time entry by entry"
    ]


def test_what_is_kept_need_not_be_mapped() -> None:
    text = GOOD.replace("[BUG, SUPPORT]", "[BUG]").replace("kind, values", "kind, unmapped: keep, values")
    assert faults(text) == []
