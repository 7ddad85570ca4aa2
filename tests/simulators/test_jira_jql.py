"""JQL: read, matched, ordered, and refused by name."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.jira_kit import START, Site

from deskbridge.simulators.jira.jql import And, Clause, Empty, Function, JqlError, Not, Or, Order, Value, parse


@pytest.fixture
def site() -> Site:
    return Site()


def test_and_binds_tighter_than_or() -> None:
    a, b, c = (Clause(name, "=", [Value("1")]) for name in "xyz")
    assert parse("x = 1 OR y = 1 AND z = 1").where == Or([a, And([b, c])])
    assert parse("(x = 1 || y = 1) && !z = 1").where == And([Or([a, b]), Not(c)])


def test_lists_functions_empties_and_orders() -> None:
    query = parse(
        'assignee not in (currentUser(), EMPTY, "a b") AND due is not null order by due DESC, key, cf[10050] asc'
    )
    assert isinstance(query.where, And)
    first, second = query.where.parts
    assert first == Clause("assignee", "not in", [Function("currentUser", []), Empty(), Value("a b", is_quoted=True)])
    assert second == Clause("due", "is not", [Empty()])
    assert query.order == [Order("due", True), Order("key", None), Order("cf[10050]", False)]


def test_escapes_in_strings() -> None:
    assert parse(r'summary ~ "a\"b\u0041\n"').where == Clause("summary", "~", [Value('a"bA\n', is_quoted=True)])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "project = ",
            "Expecting either a value, list or function but got the end of the query. (line 1, character 11)",
        ),
        ("project DESK", "Expecting operator but got 'DESK'. (line 1, character 9)"),
        ('summary ~ "open', "The quoted string 'open' has not been completed. (line 1, character 11)"),
        ("assignee = a@b.org", "The character '@' is a reserved JQL character"),
        ("order = 1", "Expecting 'by' but got '='"),
        ("status = select", "'select' is a reserved JQL word"),
        ("status in (Done", "Expecting ')' but got the end of the query"),
        ("status = Done status = Done", "Expecting either 'OR' or 'AND' but got 'status'"),
        (r'summary ~ "\q"', r"'\q' is an illegal JQL escape sequence"),
        ("status is Done", "only supported with EMPTY or NULL"),
        ("status was Done", "History searches ('was') are not supported by the field 'status'"),
        ("status changed", "History searches ('changed')"),
        ("issue.property[desk].ticket = 1", "Field 'issue.property[desk]' does not exist"),
        ("a = 1\nand b ? 2", "reserved JQL character"),
        ("(" * 5000, "nested too deeply"),
        ("not " * 5000 + "a = 1", "nested too deeply"),
    ],
)
def test_what_is_not_jql_is_refused_with_the_place(query: str, said: str) -> None:
    with pytest.raises(JqlError) as error:
        parse(query)
    assert said in str(error.value)


WORDS = ["a", "=", "(", ")", ",", "and", "or", "not", "in", "is", "~", "!", "<", '"', "'", "order", "by", "[", "]", "1"]


@settings(deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    try:
        reason = "" if parse(text) else "nothing"
    except JqlError as error:
        reason = str(error).partition(" ")[0]
    assert reason in {"", "Error", "Field", "The", "History"}


def test_a_query_of_twenty_thousand_clauses_is_read() -> None:
    query = parse(" or ".join(['summary ~ "word"'] * 20000))
    assert isinstance(query.where, Or)
    assert len(query.where.parts) == 20000


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("project = OTHER", "The value 'OTHER' does not exist for the field 'project'."),
        ("status = Shipped", "The value 'Shipped' does not exist for the field 'status'."),
        ("key = DESK-404", "An issue with key 'DESK-404' does not exist for field 'key'."),
        ("status ~ Done", "The operator '~' is not supported by the 'status' field."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("status > Done", "The operator '>' is not supported by the 'status' field."),
        ("assignee in membersOf(staff)", "Unable to find JQL function 'membersOf(staff)'."),
        ("status = currentUser()", "Unable to find JQL function 'currentUser()'."),
        ("updated > yesterday", "Date value 'yesterday' for field 'updated' is invalid."),
        ("updated > '2026-03-04T10:30:15'", "Date value '2026-03-04T10:30:15' for field 'updated' is invalid."),
        ("updated > startOfDay(soon)", "is not an increment"),
        ("updated > startOfYear(99999)", "leads out of the calendar"),
        ("updated > endOfYear(7973)", "leads out of the calendar"),
        ("updated > -999999w", "Date value '-999999w' for field 'updated' is invalid."),
        ("due > -99999999999999", "is invalid"),
        ("updated > EMPTY", "does not support searching for EMPTY values"),
        ("project = DESK order by colour", "Field 'colour' does not exist"),
        ("order by created", "Unbounded JQL queries are not allowed here."),
    ],
)
def test_what_jira_does_not_know_is_refused_by_name(site: Site, query: str, said: str) -> None:
    assert said in site.refusal(query)


def test_picklists_users_and_labels(site: Site) -> None:
    account = site.get("/user/search", query="maria")[0]["accountId"]
    first = site.create("One", priority={"name": "High"}, labels=["desk-1", "Late"], assignee={"accountId": account})
    second = site.create("Two", issuetype={"name": "Task"}, components=[{"name": "API"}])
    assert site.search("priority = high") == [first]
    assert site.search("priority > Medium") == [first]
    assert site.search('type in (Task, "Story")') == [second]
    assert site.search('labels = "desk-1"') == [first]
    assert site.search("labels in (late, other)") == [first]
    assert site.search("component = API") == [second]
    assert site.search('assignee = "maria.rossi@example.org"') == [first]
    assert site.search("reporter = currentUser() order by key") == [first, second]
    assert site.search("statusCategory = 'To Do' order by key desc") == [second, first]


def test_unresolved_means_no_resolution(site: Site) -> None:
    done, open_ = site.create("Done"), site.create("Open")
    site.finish(done)
    assert site.search("resolution = Unresolved") == [open_]
    assert site.search("resolution != unresolved") == [done]
    assert site.search("resolution in (Unresolved, Done) order by key") == [done, open_]


def test_priorities_come_highest_first_and_statuses_in_their_order(site: Site) -> None:
    low, high = site.create("Low", priority={"name": "Low"}), site.create("High", priority={"name": "High"})
    assert site.search("project = DESK order by priority") == [high, low]
    assert site.search("project = DESK order by priority asc") == [low, high]
    site.transition(low, "11")
    assert site.search("project = DESK order by status asc") == [high, low]


def test_negation_never_finds_the_empty(site: Site) -> None:
    """As in Jira: an issue without labels matches neither `labels = x` nor `labels != x`."""
    empty, other = site.create("Empty"), site.create("Other", labels=["y"])
    assert site.search("labels != x") == [other]
    assert site.search("labels not in (x)") == [other]
    assert site.search("labels is empty") == [empty]
    assert site.search("labels is EMPTY or labels != x order by key") == [empty, other]
    assert site.search("NOT labels = x order by key") == [empty, other]


def test_text_search_is_by_words(site: Site) -> None:
    key = site.create("Printer blocked: tray 2", description="The *red* light blinks")
    site.call("POST", f"/issue/{key}/comment", {"body": "Ordered a drum"})
    assert site.search("summary ~ 'tray printer'") == [key]
    assert site.search("summary ~ 'print'") == []
    assert site.search("summary ~ 'print*'") == [key]
    assert site.search(r"""text ~ '"red light"'""") == [key]
    assert site.search(r"""text ~ '"light red"'""") == []
    assert site.search("comment ~ drum and description !~ green") == [key]


def test_keys_compare_by_number(site: Site) -> None:
    keys = [site.create(f"Issue {number}") for number in range(11)]
    assert site.search("key >= DESK-9 order by key") == keys[8:]
    assert site.search("key in (DESK-2, desk-10) order by key desc") == [keys[9], keys[1]]


def test_custom_fields_by_number_and_by_name(site: Site) -> None:
    key = site.create("Ref", customfield_10050="desk-77", customfield_10051=12.5, customfield_10052={"value": "High"})
    assert site.search('cf[10050] ~ "desk-77"') == [key]
    assert site.search('"Desk Minutes" >= 12') == [key]
    assert site.search("Impact = High") == [key]


def test_dates_are_minutes_in_the_accounts_time_zone(site: Site) -> None:
    """The trap that lost updates in other tools: 10:30 UTC is 19:30 in Tokyo and 02:30 in Los Angeles."""
    key = site.create("Now")
    for zone, local in (("UTC", "10:30"), ("Asia/Tokyo", "19:30"), ("America/Los_Angeles", "02:30")):
        site.set("time_zone", zone)
        assert site.search(f'updated >= "2026-03-04 {local}"') == [key]
        assert site.search(f'updated <= "2026/03/04 {local}"') == []
        hour, minute = local.split(":")
        assert site.search(f'updated >= "2026-03-04 {hour}:{int(minute) + 1}"') == []


def test_epoch_milliseconds_are_exact(site: Site) -> None:
    key = site.create("Now")
    stamp = int(START.timestamp() * 1000)
    assert site.search(f"updated >= {stamp}") == [key]
    assert site.search(f"updated > {stamp}") == []


def test_relative_dates_and_functions_follow_the_clock(site: Site) -> None:
    old = site.create("Old")
    site.clock.advance(3 * 3600)
    new = site.create("New")
    assert site.search("updated >= -1h") == [new]
    assert site.search("updated < '-2h 30m'") == [old]
    assert site.search("created >= startOfDay() and created <= endOfDay() order by created asc") == [old, new]
    assert site.search("created >= startOfDay(1)") == []
    assert site.search("created > now()") == []
    site.set("time_zone", "Pacific/Kiritimati")
    assert site.search("created >= startOfDay()") == [old, new][::-1]


def test_due_dates_are_days(site: Site) -> None:
    late = site.create("Late", duedate="2026-03-01")
    site.create("Never")
    assert site.search("due < now()") == [late]
    assert site.search("due = '2026-03-01'") == [late]
    assert site.search("due <= -3d") == [late]


def test_missing_values_sort_last_ascending_and_first_descending(site: Site) -> None:
    none, soon = site.create("None"), site.create("Soon", duedate="2026-03-05")
    assert site.search("project = DESK order by due asc") == [soon, none]
    assert site.search("project = DESK order by due desc") == [none, soon]


def test_newest_first_without_an_order(site: Site) -> None:
    first, second = site.create("a"), site.create("b")
    assert site.search("project = DESK") == [second, first]


def test_unvalidated_queries_skip_unknown_values(site: Site) -> None:
    key = site.create("One")
    found = site.get("/search", jql="status = Shipped or key = DESK-1", validateQuery="False")
    assert [issue["key"] for issue in found["issues"]] == [key]


def test_stamps_are_told_in_the_accounts_zone(site: Site) -> None:
    site.set("time_zone", "Asia/Tokyo")
    shown = site.fields(site.create("Now"))["updated"]
    assert shown == "2026-03-04T19:30:15.250+0900"
    assert datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC) == START
