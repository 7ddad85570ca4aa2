"""What a log says in the desk's words: statuses, fields, history; no database."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.importers.logs import event, story, write_log

from deskbridge.importers.log_file import read_log
from deskbridge.importers.log_mapping import (
    category_key,
    changes,
    entries,
    state_after,
    states,
    ticket_id,
    ticket_values,
    title_of,
    unmapped,
)
from deskbridge.tickets.model import Audience, Channel, HistoryType, ImpactLevel, Priority, Status


@pytest.fixture
def read(tmp_path):
    """Return the events of the one incident that the lines given make."""

    def read(*events):
        [incident] = read_log(write_log(tmp_path, *events)).incidents.values()
        return incident

    return read


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("New", Status.NEW),
        ("Active", Status.IN_PROGRESS),
        ("Awaiting User Info", Status.PENDING_INFO),
        ("Awaiting Problem", Status.PENDING_INFO),
        ("Awaiting Vendor", Status.PENDING_INFO),
        ("Awaiting Evidence", Status.PENDING_INFO),
        ("Resolved", Status.RESOLVED),
        ("Closed", Status.CLOSED),
    ],
)
def test_states_become_statuses(read, state, status):
    [only] = read(event(incident_state=state))
    assert state_after(only, None).status is status
    assert list(unmapped(only)) == []


def test_an_unknown_state_or_priority_is_told_not_guessed(read):
    first, second = read(
        event(incident_state="Active", priority="2 - High"), event(incident_state="-100", priority="?")
    )
    before = state_after(first, None)
    after = state_after(second, before)
    assert (after.status, after.priority) == (Status.IN_PROGRESS, Priority.P2)
    assert list(unmapped(second)) == [("incident_state", "-100"), ("priority", "?")]


@pytest.mark.parametrize(
    ("priority", "impact", "expected"),
    [
        ("1 - Critical", "1 - High", (Priority.P1, ImpactLevel.HIGH)),
        ("2 - High", "2 - Medium", (Priority.P2, ImpactLevel.MEDIUM)),
        ("3 - Moderate", "3 - Low", (Priority.P3, ImpactLevel.LOW)),
        ("4 - Low", "?", (Priority.P4, None)),
    ],
)
def test_priorities_and_impacts(read, priority, impact, expected):
    [only] = read(event(priority=priority, impact=impact))
    state = state_after(only, None)
    assert (state.priority, state.impact_level) == expected


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ({}, "Category 55 / Subcategory 170: Symptom 72"),
        ({"u_symptom": "?"}, "Category 55 / Subcategory 170"),
        ({"category": "?"}, "Subcategory 170: Symptom 72"),
        ({"category": "?", "subcategory": "?"}, "Symptom 72"),
        ({"category": "?", "subcategory": "?", "u_symptom": "?"}, "Incident INC0000001"),
    ],
)
def test_titles_are_made_of_what_is_known(read, values, title):
    [only] = read(event(**values))
    assert title_of(only) == title


def test_category_keys():
    assert category_key("Category 55") == "CATEGORY_55"
    assert category_key("Hard-/Software & más") == "HARD_SOFTWARE_MÁS"
    assert category_key(None) == "INCIDENT"
    assert category_key("???") == "INCIDENT"


def test_an_incident_that_changes_nothing_but_itself_is_an_update_with_its_row(read):
    events = read(event(), event(sys_mod_count="1", made_sla="FALSE", sys_updated_at="29-02-2016 02:00"))
    last = list(entries(events))[-1]
    assert last.change.type is HistoryType.UPDATE
    assert last.change.field is None
    assert last.details["row"] == events[1].raw
    assert last.details["changed"] == {"made_sla": ["TRUE", "FALSE"]}
    assert last.details["line"] == 3


def test_the_history_of_an_ordinary_incident(read):
    told = [(e.at.strftime("%d %H:%M"), e.change.type, e.change.field, e.change.new) for e in entries(read(*story(3)))]
    assert told == [
        ("29 01:16", HistoryType.CREATED, None, None),
        ("29 01:23", HistoryType.ASSIGNMENT_CHANGE, "team", "Group 56"),
        ("29 09:00", HistoryType.ASSIGNMENT_CHANGE, "assignee", "Resolver 3"),
        ("29 09:00", HistoryType.STATUS_CHANGE, "status", "IN_PROGRESS"),
        ("29 09:00", HistoryType.ASSIGNMENT_CHANGE, "team", "Group 3"),
        ("01 10:00", HistoryType.STATUS_CHANGE, "status", "RESOLVED"),
        ("01 10:00", HistoryType.RESOLVED, None, None),
        ("08 10:00", HistoryType.STATUS_CHANGE, "status", "CLOSED"),
        ("08 10:00", HistoryType.CLOSED, None, None),
    ]


def test_ids_sort_as_the_file_is_written_within_one_minute(read):
    told = list(entries(read(*story(3))))
    assert [e.id for e in told] == [e.id for e in sorted(told, key=lambda entry: (entry.at, entry.id))]


def test_a_log_that_begins_with_a_resolved_incident_says_that_it_begins_there(read):
    told = list(entries(read(event(incident_state="Resolved", assignment_group="?"))))
    assert [e.change.type for e in told] == [HistoryType.CREATED, HistoryType.STATUS_CHANGE, HistoryType.RESOLVED]
    assert (told[1].change.old, told[1].change.new) == (Status.NEW, Status.RESOLVED)
    assert told[1].details["log_begins_here"] is True


def test_from_resolved_back_to_active_is_a_reopening(read):
    before, after = (
        state_after(e, None) for e in read(event(incident_state="Resolved"), event(incident_state="Active"))
    )
    assert [c.type for c in changes(before, after)] == [HistoryType.STATUS_CHANGE, HistoryType.REOPENED]


def test_a_reopening_that_only_the_counter_shows_is_one_too(read):
    first, second = (state_after(e, None) for e in read(event(), event(reopen_count="1")))
    assert [c.type for c in changes(first, second)] == [HistoryType.REOPENED]


def test_one_waiting_state_after_another_is_no_status_change(read):
    events = read(event(incident_state="Awaiting Problem"), event(incident_state="Awaiting Vendor"))
    last = list(entries(events))[-1]
    assert last.change.type is HistoryType.UPDATE
    assert last.details["changed"] == {"incident_state": ["Awaiting Problem", "Awaiting Vendor"]}


def test_what_the_requester_sees_is_what_the_desk_would_show_them(read):
    seen = {(e.change.type, e.change.new) for e in entries(read(*story(3))) if e.change.audience is Audience.PUBLIC}
    assert seen == {
        (HistoryType.CREATED, None),
        (HistoryType.STATUS_CHANGE, "IN_PROGRESS"),
        (HistoryType.STATUS_CHANGE, "RESOLVED"),
        (HistoryType.RESOLVED, None),
        (HistoryType.STATUS_CHANGE, "CLOSED"),
        (HistoryType.CLOSED, None),
    }


def test_a_closed_ticket(read):
    events = read(*story(3))
    values = ticket_values(events)
    assert values["id"] == ticket_id(events)
    assert values["external_ref"] == "INC0000003"
    assert values["channel"] is Channel.IMPORT
    assert values["created_at"] == values["first_response_at"] == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)
    assert values["resolved_at"] == datetime(2016, 3, 1, 10, 0, tzinfo=UTC)
    assert values["closed_at"] == values["updated_at"] == datetime(2016, 3, 8, 10, 0, tzinfo=UTC)
    assert values["resolution_notes"] == "Closed as code 5."
    assert values["version"] == 6


def test_a_reopened_ticket_is_neither_resolved_nor_closed(read):
    values = ticket_values(read(*story(3), event(number="INC0000003", incident_state="Active", closed_code="code 5")))
    assert values["status"] is Status.IN_PROGRESS
    assert [values[name] for name in ("resolved_at", "closed_at", "resolution_notes")] == [None, None, None]


def test_a_resolution_time_the_log_does_not_give_is_when_it_came_to_be_resolved(read):
    events = read(event(), event(incident_state="Resolved", sys_updated_at="03-03-2016 12:00"), contactless())
    assert ticket_values(events)["resolved_at"] == datetime(2016, 3, 3, 12, 0, tzinfo=UTC)
    assert ticket_values(events)["closed_at"] == datetime(2016, 3, 4, 12, 0, tzinfo=UTC)


def contactless():
    return event(incident_state="Closed", sys_updated_at="04-03-2016 12:00", contact_type="Email")


def test_who_did_not_phone_was_first_answered_by_the_resolution(read):
    values = ticket_values(
        read(event(), event(incident_state="Resolved", sys_updated_at="03-03-2016 12:00"), contactless())
    )
    assert values["first_response_at"] == values["resolved_at"]


def test_an_incident_opened_after_its_first_event_is_created_with_that_event(read):
    events = read(event(opened_at="29-02-2016 09:41", sys_updated_at="29-02-2016 07:27"))
    created, *rest = entries(events)
    assert created.at == rest[0].at < ticket_values(events)["created_at"]
    assert created.id < rest[0].id


def test_states_walk_in_the_order_of_the_file(read):
    later_first = read(
        event(incident_state="Active", sys_updated_at="29-02-2016 11:10"), event(incident_state="Resolved")
    )
    assert [state.status for state in states(later_first)] == [Status.NEW, Status.IN_PROGRESS, Status.RESOLVED]
    assert later_first[0].at - later_first[1].at > timedelta()
