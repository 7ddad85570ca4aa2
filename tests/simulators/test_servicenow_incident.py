"""The rules of an incident: priority, policies, the state model, journals, worked time."""

import pytest
from tests.simulators.servicenow_kit import RESOLVED, STAMP, TABLE, ServiceNow, error

POLICY = "Data Policy Exception: The following fields are mandatory: "
READ_ONLY = (403, "Operation Failed", "ACL Exception Update Failed due to security constraints")


@pytest.fixture
def now() -> ServiceNow:
    return ServiceNow()


def test_a_new_incident_has_its_defaults(now: ServiceNow) -> None:
    made = now.create()
    assert (made["number"], made["state"], made["incident_state"], made["active"]) == ("INC0010001", "1", "1", "true")
    assert (made["impact"], made["urgency"], made["priority"]) == ("3", "3", "5")
    assert made["opened_at"] == made["sys_created_on"] == made["sys_updated_on"] == STAMP
    assert made["opened_by"]["value"] == now.user("desk@example.org")
    assert now.create()["number"] == "INC0010002"


@pytest.mark.parametrize(
    ("impact", "urgency", "priority"),
    [
        (1, 1, "1"),
        (1, 2, "2"),
        (1, 3, "3"),
        (2, 1, "2"),
        (2, 2, "3"),
        (2, 3, "4"),
        (3, 1, "3"),
        (3, 2, "4"),
        (3, 3, "5"),
    ],
)
def test_priority_is_computed_from_impact_and_urgency(
    now: ServiceNow, impact: int, urgency: int, priority: str
) -> None:
    assert now.create(impact=impact, urgency=urgency)["priority"] == priority


def test_a_written_priority_is_ignored_without_a_word(now: ServiceNow) -> None:
    made = now.create(priority=1)
    assert made["priority"] == "5"
    same = now.update(made, priority="2")
    assert (same["priority"], same["sys_mod_count"]) == ("5", "0")


@pytest.mark.parametrize("state", ["6", "7"])
def test_resolving_demands_code_and_notes(now: ServiceNow, state: str) -> None:
    made = now.create()
    refused = error(now.patch(made, state=state))
    assert refused == (403, "Operation Failed", POLICY + "Resolution code, Resolution notes")
    refused = error(now.patch(made, state=state, close_code="Duplicate", close_notes="  "))
    assert refused == (403, "Operation Failed", POLICY + "Resolution notes")
    assert now.get(made)["state"] == "1"


def test_resolving_stamps_and_measures(now: ServiceNow) -> None:
    made = now.create()
    now.clock.advance(5400)
    done = now.update(made, **RESOLVED)
    assert (done["state"], done["incident_state"], done["active"]) == ("6", "6", "true")
    assert done["resolved_at"] == "2025-03-10 10:30:00"
    assert done["resolved_by"]["value"] == now.user("desk@example.org")
    assert (done["calendar_stc"], done["calendar_duration"]) == ("5400", "1970-01-01 01:30:00")


def test_a_closed_incident_is_read_only(now: ServiceNow) -> None:
    made = now.create()
    now.update(made, **RESOLVED)
    closed = now.update(made, state=7)
    assert (closed["active"], closed["closed_at"]) == ("false", STAMP)
    assert error(now.patch(made, state=2)) == READ_ONLY
    assert error(now.patch(made, work_notes="one more thing")) == READ_ONLY
    assert now.journal(made) == []


def test_a_canceled_incident_is_read_only(now: ServiceNow) -> None:
    made = now.create()
    assert now.update(made, state=8)["active"] == "false"
    assert error(now.patch(made, short_description="other")) == READ_ONLY


def test_reopening_counts_and_forgets_the_resolution(now: ServiceNow) -> None:
    made = now.create()
    now.update(made, **RESOLVED)
    now.clock.advance(60)
    again = now.update(made, state=2)
    assert (again["reopen_count"], again["reopened_time"]) == ("1", "2025-03-10 09:01:00")
    assert (again["resolved_at"], again["resolved_by"], again["calendar_stc"]) == ("", "", "")


def test_hold_demands_a_reason_and_awaiting_the_caller_a_comment(now: ServiceNow) -> None:
    made = now.create()
    assert error(now.patch(made, state=3))[2] == POLICY + "On hold reason"
    assert error(now.patch(made, state=3, hold_reason=1))[2] == POLICY + "Additional comments"
    assert now.update(made, state=3, hold_reason=4)["hold_reason"] == "4"
    assert error(now.patch(made, hold_reason=1))[2] == POLICY + "Additional comments"
    assert now.update(made, hold_reason=1, comments="Which printer?")["hold_reason"] == "1"


def test_leaving_hold_clears_the_reason(now: ServiceNow) -> None:
    made = now.create(state=3, hold_reason=4)
    assert now.update(made, state=2)["hold_reason"] == ""


def test_the_callers_reply_brings_a_waiting_incident_back(now: ServiceNow) -> None:
    """A change by the instance itself right after a write of ours: not a user's edit."""
    made = now.create(caller_id=now.user("desk@example.org"))
    now.update(made, state=3, hold_reason=1, comments="Which printer?")
    replied = now.update(made, comments="The one on the left")
    assert (replied["state"], replied["hold_reason"]) == ("2", "")


def test_a_comment_of_somebody_else_does_not(now: ServiceNow) -> None:
    made = now.create(caller_id=now.user("grace.okafor"))
    now.update(made, state=3, hold_reason=1, comments="Which printer?")
    assert now.update(made, comments="Still waiting")["state"] == "3"


def test_incident_state_is_another_name_of_state(now: ServiceNow) -> None:
    made = now.create()
    assert now.update(made, incident_state=2)["state"] == "2"
    assert now.update(made, state=1, incident_state=8)["incident_state"] == "1", "state wins"


def test_reassigning_to_another_group_counts(now: ServiceNow) -> None:
    made = now.create()
    first = now.update(made, assignment_group=now.group("Network"))
    assert first["reassignment_count"] == "0"
    assert now.update(made, assignment_group=now.group("Database"))["reassignment_count"] == "1"


def test_a_write_that_changes_nothing_moves_no_stamp(now: ServiceNow) -> None:
    made = now.create()
    now.clock.advance(10)
    same = now.update(made, short_description="A title", impact=3)
    assert (same["sys_mod_count"], same["sys_updated_on"]) == ("0", STAMP)
    changed = now.update(made, impact=2)
    assert (changed["sys_mod_count"], changed["sys_updated_on"]) == ("1", "2025-03-10 09:00:10")


def test_stamps_have_whole_seconds(now: ServiceNow) -> None:
    made = now.create()
    now.clock.advance(0.2)
    assert now.update(made, impact=1)["sys_updated_on"] == STAMP
    now.clock.advance(0.1)
    assert now.update(made, impact=2)["sys_updated_on"] == "2025-03-10 09:00:01"


def test_journals_are_written_through_columns_that_stay_empty(now: ServiceNow) -> None:
    made = now.create(comments="first")
    now.clock.advance(60)
    answer = now.update(made, comments="public", work_notes="private")
    assert (answer["comments"], answer["work_notes"]) == ("", "")
    assert now.journal(made) == [("comments", "first"), ("comments", "public"), ("work_notes", "private")]
    entry = now.find(
        f"element_id={made['sys_id']}^elementINcomments,work_notes^ORDERBYsys_created_on", "sys_journal_field"
    )
    assert entry[0].keys() >= {"sys_id", "element_id", "element", "name", "value", "sys_created_on", "sys_created_by"}
    assert answer["sys_mod_count"] == "1", "one PATCH is one update, whatever it adds to the journals"


def test_the_display_value_of_a_journal_is_all_of_it(now: ServiceNow) -> None:
    made = now.create(comments="first")
    now.state.set("time_zone", "Europe/Berlin")
    now.update(made, comments="second", work_notes="private")
    shown = now.get(made, display_value="all", fields="comments,work_notes,comments_and_work_notes")
    stamp = "2025-03-10 10:00:00 - Desk Integration"
    assert shown["comments"] == {
        "display_value": f"{stamp} (Additional comments)\nsecond\n\n{stamp} (Additional comments)\nfirst\n\n",
        "value": "",
    }
    assert shown["work_notes"]["display_value"] == f"{stamp} (Work notes)\nprivate\n\n"
    assert shown["comments_and_work_notes"]["display_value"].startswith(f"{stamp} (Work notes)\nprivate\n\n{stamp}")


@pytest.mark.parametrize("text", ["x" * 40_000, "👩‍🔧 naïve\u202e\u05e9\u05dc\u05d5\u05dd", "a\n\nb\tc", "--+++\r\n"])
def test_a_journal_keeps_any_text(now: ServiceNow, text: str) -> None:
    made = now.create()
    now.update(made, comments=text)
    assert now.journal(made) == [("comments", text)]


def test_half_a_surrogate_pair_becomes_a_question_mark(now: ServiceNow) -> None:
    assert now.create(short_description="a\ud83d!")["short_description"] == "a?!"


def test_journal_entries_cannot_be_written_changed_or_deleted(now: ServiceNow) -> None:
    made = now.create(comments="said")
    entry = now.find(f"element_id={made['sys_id']}", "sys_journal_field")[0]["sys_id"]
    body = {"element": "comments", "element_id": made["sys_id"], "value": "forged"}
    for method, path in (("POST", ""), ("PATCH", f"/{entry}"), ("DELETE", f"/{entry}")):
        assert now.call(method, f"{TABLE}/sys_journal_field{path}", body).status == 403
    assert now.journal(made) == [("comments", "said")]


def test_short_texts_are_cut_without_a_word_and_long_ones_kept(now: ServiceNow) -> None:
    made = now.create(short_description="x" * 200, description="y" * 40_000)
    assert (len(made["short_description"]), len(made["description"])) == (160, 40_000)


def test_worked_time_as_rows(now: ServiceNow) -> None:
    made = now.create()
    body = {"task": made["sys_id"], "time_worked": "1970-01-01 00:30:00", "comments": "on site"}
    row = now.result(now.call("POST", f"{TABLE}/task_time_worked", body), 201)
    assert (row["time_in_seconds"], row["user"]["value"]) == ("1800", now.user("desk@example.org"))
    changed = now.call("PATCH", f"{TABLE}/task_time_worked/{row['sys_id']}", {"time_in_seconds": 60})
    assert now.result(changed, 200)["time_worked"] == "1970-01-01 00:01:00"
    shown = now.find(f"task={made['sys_id']}", "task_time_worked", display_value="true")
    assert (shown[0]["time_worked"], shown[0]["task"]) == ("1 Minute", made["number"])


def test_worked_time_needs_its_task(now: ServiceNow) -> None:
    refused = error(now.call("POST", f"{TABLE}/task_time_worked", {"time_in_seconds": 60}))
    assert refused == (403, "Operation Failed", POLICY + "Task")
    unknown = error(now.call("POST", f"{TABLE}/task_time_worked", {"task": "0" * 32, "time_in_seconds": 60}))
    assert "no record of task" in (unknown[2] or "")


def test_time_worked_of_an_incident_logs_the_difference(now: ServiceNow) -> None:
    made = now.create(time_worked="00:10:00")
    now.update(made, time_worked="00:25:00")
    rows = now.find(f"task={made['sys_id']}", "task_time_worked")
    assert [row["time_in_seconds"] for row in rows] == ["600", "900"]


def test_deleting_takes_journal_time_and_files_along(now: ServiceNow) -> None:
    made = now.create(comments="said", time_worked="00:10:00")
    assert now.call("DELETE", f"{TABLE}/incident/{made['sys_id']}").status == 204
    assert now.journal(made) == []
    assert now.find(f"task={made['sys_id']}", "task_time_worked") == []
    assert error(now.call("GET", f"{TABLE}/incident/{made['sys_id']}"))[0] == 404


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("state", "99", "'99' is not a choice of state"),
        ("close_code", "Solved", "'Solved' is not a choice of close_code"),
        ("caller_id", "0" * 32, "is no record of sys_user"),
        ("caller_id", "Grace Okafor", "is no record of sys_user"),
        ("due_date", "tomorrow", "'tomorrow' is not a date and time"),
        ("due_date", "0001-01-01 00:00:00", "is not a date and time"),
        ("knowledge", "perhaps", "neither true nor false"),
        ("order", "1e5", "not a number"),
        ("order", "9" * 18, "not a number"),
        ("business_duration", "soon", "not a duration"),
    ],
)
def test_values_that_a_column_cannot_hold_are_refused_by_name(
    now: ServiceNow, field: str, value: str, reason: str
) -> None:
    status, message, detail = error(now.call("POST", f"{TABLE}/incident", {field: value}))
    assert (status, message) == (403, "Operation Failed")
    assert "aborted by Business Rule 'Validate values'" in (detail or "")
    assert reason in (detail or "")


def test_without_that_rule_they_are_stored_as_out_of_the_box(now: ServiceNow) -> None:
    now.state.set("option.validation", "off")
    made = now.create(state="99", due_date="tomorrow", category="pets", caller_id="nobody", order="many")
    assert (made["state"], made["due_date"], made["category"], made["order"]) == ("99", "", "pets", "")
    shown = now.get(made, display_value="all", fields="state,caller_id")
    assert shown == {
        "state": {"display_value": "99", "value": "99"},
        "caller_id": {"display_value": "", "value": "nobody"},
    }
