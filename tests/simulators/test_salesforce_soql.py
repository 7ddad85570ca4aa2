"""SOQL: what is understood, what is refused and how, and what a query finds."""

import contextlib
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.simulators.salesforce_kit import AGENT, CLOSED, MARIA, STAMP, START, Salesforce, failure, message

from deskbridge.simulators.salesforce import soql
from deskbridge.simulators.salesforce.filters import matches
from deskbridge.simulators.salesforce.soql import Comparison, Junction, Literal, Not, SoqlError


@pytest.fixture
def org() -> Salesforce:
    return Salesforce()


# --- the parser


def test_a_query_becomes_a_typed_tree() -> None:
    tree = soql.parse(
        "select Id, Owner.Name from Case c where not (Subject = 'x' and IsClosed = false) limit 5 offset 2"
    )
    assert [str(item) for item in tree.select] == ["Id", "Owner.Name"]
    assert (tree.source, tree.alias, tree.limit, tree.offset) == ("Case", "c", 5, 2)
    assert isinstance(tree.where, Not)
    assert isinstance(tree.where.inner, Junction)
    assert tree.where.inner.operator == "AND"


def test_string_escapes_are_read() -> None:
    tree = soql.parse(r"SELECT Id FROM Case WHERE Subject = 'it\'s \"a\\b\"\n'")
    assert isinstance(tree.where, Comparison)
    assert soql.unquoted(tree.where.value) == 'it\'s "a\\b"\n'


@pytest.mark.parametrize(
    "text",
    [
        "SELECT Id FROM Case USING SCOPE Mine",
        "SELECT Id FROM Case WITH SECURITY_ENFORCED",
        "SELECT Status FROM Case GROUP BY Status HAVING COUNT(Id) > 1",
        "SELECT Id FROM Case FOR UPDATE",
        "SELECT TYPEOF Owner WHEN User THEN Id END FROM Case",
        "SELECT toLabel(Status) FROM Case",
        "SELECT Status FROM Case GROUP BY ROLLUP(Status)",
        "SELECT Id FROM Case WHERE Type INCLUDES ('a')",
        "SELECT Id FROM Case WHERE CreatedDate = LAST_FISCAL_QUARTER",
        "SELECT Id FROM Case WHERE CreatedDate = LAST_N_WEEKS:3",
        "SELECT Id FROM Case WHERE CALENDAR_YEAR(CreatedDate) = 2025",
    ],
)
def test_an_unsupported_part_is_refused_by_name(org: Salesforce, text: str) -> None:
    response = org.soql(text)
    assert failure(response) == (400, "MALFORMED_QUERY")
    assert "is not supported by this simulated org" in message(response)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SELECT",
        "SELECT Id",
        "SELECT Id FROM",
        "SELECT Id FROM Case WHERE",
        "SELECT Id FROM Case WHERE Subject = 'open",
        'SELECT Id FROM Case WHERE Subject = "double"',
        "SELECT Id FROM Case WHERE Subject = 'a\\q'",
        "SELECT Id FROM Case WHERE (Subject = 'a'",
        "SELECT Id FROM Case LIMIT -1",
        "SELECT Id FROM Case LIMIT ten",
        "SELECT Id FROM Case; DROP TABLE x",
        "SELECT * FROM Case",
        "SELECT Id, Id FROM Case",
        "DELETE FROM Case",
        "SELECT Id FROM Case WHERE CreatedDate > 2025-03-10T09:00:00 00:00",
    ],
)
def test_a_malformed_query_is_a_400(org: Salesforce, text: str) -> None:
    assert failure(org.soql(text)) == (400, "MALFORMED_QUERY")


def test_the_place_of_an_error_is_shown(org: Salesforce) -> None:
    response = org.soql("SELECT Id\nFROM Case\nWHERE Subject ~ 'x'")
    assert message(response) == (
        "\nWHERE Subject ~ 'x'\n              ^\nERROR at Row:3:Column:15\nunexpected token: '~'"
    )


def test_and_with_or_needs_parentheses(org: Salesforce) -> None:
    mixed = org.soql("SELECT Id FROM Case WHERE Status = 'New' OR Status = 'Closed' AND Priority = 'High'")
    assert failure(mixed) == (400, "MALFORMED_QUERY")
    assert message(mixed).endswith("unexpected token: 'AND'")
    assert (
        org.soql("SELECT Id FROM Case WHERE Status = 'New' OR (Status = 'Closed' AND Priority = 'High')").status == 200
    )


def test_nesting_has_an_end() -> None:
    text = f"SELECT Id FROM Case WHERE {'(' * 5000}Subject = 'a'{')' * 5000}"
    with pytest.raises(SoqlError, match="nesting depth"):
        soql.parse(text)
    with pytest.raises(SoqlError, match="nesting depth"):
        soql.parse("SELECT (" * 5000)


def test_a_query_has_a_longest_length() -> None:
    with pytest.raises(SoqlError, match="cannot be longer than 100000 characters"):
        soql.parse(f"SELECT Id FROM Case WHERE Subject = '{'x' * 100_000}'")


@given(st.text(alphabet=st.sampled_from(list("SELECTFROMWHEidcase().,'\\=<>!%_ \n-:+0123456789TZ")), max_size=80))
def test_the_parser_never_fails_otherwise(tail: str) -> None:
    with contextlib.suppress(SoqlError):
        assert soql.parse(f"SELECT Id FROM Case {tail}").source == "Case"


@given(st.text(alphabet="aAb%_\\", max_size=12), st.text(alphabet="aAb%_\\", max_size=12))
def test_like_agrees_with_a_regular_expression(raw: str, text: str) -> None:
    if re.search(r"(?<!\\)(?:\\\\)*\\(?![%_\\])", raw):
        return  # not a legal literal
    symbols = soql.pattern(Literal("string", raw, 0))
    parts = {"%": ".*", "_": "."}
    pattern = "".join(parts.get(symbol) or re.escape(symbol[1:]) for symbol in symbols)
    expected = re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) is not None
    assert matches(symbols, text) == expected


# --- what a query finds


def test_text_compares_without_case_and_null_is_a_value(org: Salesforce) -> None:
    org.case(Subject="Alpha")
    org.case(Subject="beta", SuppliedName="Ann")
    assert org.column("SELECT Subject FROM Case WHERE Subject = 'ALPHA'") == ["Alpha"]
    assert org.column("SELECT Subject FROM Case WHERE SuppliedName = null") == ["Alpha"]
    assert org.column("SELECT Subject FROM Case WHERE SuppliedName != null") == ["beta"]
    assert org.column("SELECT Subject FROM Case WHERE SuppliedName != 'Bob'") == ["Alpha", "beta"]
    assert org.column("SELECT Subject FROM Case WHERE Subject IN ('BETA', 'gamma')") == ["beta"]
    assert org.column("SELECT Subject FROM Case WHERE Subject NOT IN ('BETA')") == ["Alpha"]


def test_like_patterns(org: Salesforce) -> None:
    for subject in ("100% sure", "100 sure", "a_b", "axb"):
        org.case(Subject=subject)
    assert org.column("SELECT Subject FROM Case WHERE Subject LIKE '%SURE'") == ["100% sure", "100 sure"]
    assert org.column(r"SELECT Subject FROM Case WHERE Subject LIKE '100\%%'") == ["100% sure"]
    assert org.column("SELECT Subject FROM Case WHERE Subject LIKE 'a_b'") == ["a_b", "axb"]
    assert org.column(r"SELECT Subject FROM Case WHERE Subject LIKE 'a\_b'") == ["a_b"]


def test_the_keyset_of_the_sync_engine_sees_every_row_of_one_second_once(org: Salesforce) -> None:
    made = [org.case(Subject=str(number)) for number in range(7)]
    seen: list[str] = []
    stamp, last = "2025-03-10T08:00:00Z", "500000000000000AAA"
    while True:
        page = org.found(
            f"SELECT Id, SystemModstamp FROM Case WHERE SystemModstamp > {stamp} OR (SystemModstamp = {stamp} "
            f"AND Id > '{last}') ORDER BY SystemModstamp, Id LIMIT 3"
        )
        if not page:
            break
        seen += [record["Id"] for record in page]
        stamp, last = page[-1]["SystemModstamp"], page[-1]["Id"]
    assert seen == made
    assert stamp == STAMP


def test_moments_compare_across_zones_and_to_the_second(org: Salesforce) -> None:
    org.case()
    count = "SELECT COUNT() FROM Case WHERE SystemModstamp "
    for condition, expected in {
        "= 2025-03-10T09:00:00Z": 1,
        "= 2025-03-10T18:00:00+09:00": 1,
        "> 2025-03-10T09:00:00.000+0000": 0,
        ">= 2025-03-10T08:59:59.999Z": 1,
        "< 2025-03-10T09:00:00.001Z": 1,
    }.items():
        assert org.soql(count + condition).json()["totalSize"] == expected, condition


def test_days_are_those_of_the_account(org: Salesforce) -> None:
    org.case(Subject="at nine in the morning, UTC")
    org.clock.freeze(datetime(2025, 3, 10, 16, tzinfo=UTC))
    today = "SELECT COUNT() FROM Case WHERE CreatedDate = TODAY"
    assert org.soql(today).json()["totalSize"] == 1
    org.state.set("time_zone", "Asia/Tokyo")  # where it is the eleventh already
    assert org.soql(today).json()["totalSize"] == 0
    assert org.soql(today.replace("TODAY", "YESTERDAY")).json()["totalSize"] == 1
    assert org.soql(today.replace("TODAY", "LAST_N_DAYS:1")).json()["totalSize"] == 1
    assert org.soql(today.replace("= TODAY", "< THIS_WEEK")).json()["totalSize"] == 0
    assert org.soql(today.replace("= TODAY", ">= THIS_MONTH")).json()["totalSize"] == 1


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("Nothing__c = 'x'", "INVALID_FIELD"),
        ("Boss.Name = 'x'", "INVALID_FIELD"),
        ("Subject = 5", "INVALID_FIELD"),
        ("IsClosed = 'true'", "INVALID_FIELD"),
        ("SystemModstamp > '2025-03-10T09:00:00Z'", "INVALID_FIELD"),
        ("SystemModstamp > 2025-03-10", "INVALID_FIELD"),
        ("SystemModstamp > 2025-13-41T09:00:00Z", "INVALID_FIELD"),
        ("Desk_Minutes__c = '5'", "INVALID_FIELD"),
        ("Subject = TODAY", "INVALID_FIELD"),
        ("CreatedDate = LAST_N_DAYS:999999999", "INVALID_FIELD"),
        ("Description LIKE '%x%'", "INVALID_FIELD"),
        ("Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("Id LIKE '500%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("IsClosed > false", "INVALID_QUERY_FILTER_OPERATOR"),
    ],
)
def test_a_condition_must_fit_its_field(org: Salesforce, condition: str, code: str) -> None:
    assert failure(org.soql(f"SELECT Id FROM Case WHERE {condition}")) == (400, code)


def test_an_unknown_object_is_an_invalid_type(org: Salesforce) -> None:
    response = org.soql("SELECT Id FROM Incident")
    assert failure(response) == (400, "INVALID_TYPE")
    assert "sObject type 'Incident' is not supported" in message(response)


def test_ids_of_both_lengths_are_the_same(org: Salesforce) -> None:
    made = org.case()
    assert org.column(f"SELECT Id FROM Case WHERE Id = '{made[:15]}'", "Id") == [made]
    assert org.column(f"SELECT Id FROM Case WHERE Id IN ('{made[:15]}')", "Id") == [made]


def test_order_puts_nulls_first_unless_told(org: Salesforce) -> None:
    org.case(Subject="b")
    org.case(Subject=None)
    org.case(Subject="A")
    select = "SELECT Subject FROM Case ORDER BY Subject"
    assert org.column(select) == [None, "A", "b"]
    assert org.column(f"{select} DESC") == ["b", "A", None]
    assert org.column(f"{select} ASC NULLS LAST") == ["A", "b", None]
    assert org.column(f"{select} DESC NULLS FIRST LIMIT 1 OFFSET 1") == ["b"]


def test_what_cannot_be_sorted_is_refused(org: Salesforce) -> None:
    assert failure(org.soql("SELECT Id FROM Case ORDER BY Description")) == (400, "INVALID_FIELD")


def test_offset_ends_at_two_thousand(org: Salesforce) -> None:
    assert failure(org.soql("SELECT Id FROM Case OFFSET 2001")) == (400, "NUMBER_OUTSIDE_VALID_RANGE")


def test_parents_are_nested_and_null_when_empty(org: Salesforce) -> None:
    contact = org.column("SELECT Id FROM Contact WHERE Email = 'aiko.tanaka@example.com'", "Id")[0]
    org.case(ContactId=contact)
    org.case()
    first, second = org.found("SELECT Owner.Name, Owner.Type, Contact.Account.Name FROM Case")
    assert first["Owner"] == {
        "attributes": {"type": "Name", "url": f"/services/data/v59.0/sobjects/User/{AGENT}"},
        "Name": "Desk Agent",
        "Type": "User",
    }
    assert first["Contact"]["Account"]["Name"] == "Northwind Clinic"
    assert second["Contact"] is None
    assert org.column("SELECT Subject FROM Case WHERE Contact.Account.Name = 'Northwind Clinic'") == ["Printer on fire"]


def test_an_alias_may_lead_a_path(org: Salesforce) -> None:
    org.case(Subject="x")
    assert org.column("SELECT c.Subject, c.Owner.Name FROM Case c WHERE c.Owner.Name = 'desk agent'") == ["x"]


def test_children_come_in_a_subquery(org: Salesforce) -> None:
    busy, idle = org.case(Subject="busy"), org.case(Subject="idle")
    for text in ("one", "two"):
        org.create("CaseComment", ParentId=busy, CommentBody=text)
    text = "SELECT Id, (SELECT CommentBody FROM CaseComments ORDER BY Id DESC LIMIT 1) FROM Case ORDER BY Id"
    first, second = org.found(text)
    assert [first["Id"], second["Id"]] == [busy, idle]
    assert first["CaseComments"]["totalSize"] == 1
    assert first["CaseComments"]["records"][0]["CommentBody"] == "two"
    assert second["CaseComments"] is None
    assert failure(org.soql("SELECT (SELECT Id FROM Children) FROM Case")) == (400, "INVALID_TYPE")


def test_a_semi_join(org: Salesforce) -> None:
    told, _ = org.case(Subject="told"), org.case(Subject="silent")
    org.create("CaseComment", ParentId=told, CommentBody="x")
    inner = "(SELECT ParentId FROM CaseComment WHERE IsPublished = false)"
    assert org.column(f"SELECT Subject FROM Case WHERE Id IN {inner}") == ["told"]
    assert org.column(f"SELECT Subject FROM Case WHERE Id NOT IN {inner}") == ["silent"]
    two = "SELECT Id FROM Case WHERE Id IN (SELECT Id, ParentId FROM CaseComment)"
    assert failure(org.soql(two)) == (400, "MALFORMED_QUERY")


def test_counting_and_grouping(org: Salesforce) -> None:
    org.case(Desk_Minutes__c=5)
    org.case(Desk_Minutes__c=7, **CLOSED)
    org.case(OwnerId=MARIA)
    count = org.soql("SELECT COUNT() FROM Case").json()
    assert count == {"totalSize": 3, "done": True, "records": []}
    grouped = org.found(
        "SELECT Status, COUNT(Id) n, SUM(Desk_Minutes__c) FROM Case GROUP BY Status ORDER BY Status DESC"
    )
    shown = [(row["Status"], row["n"], row["expr0"]) for row in grouped]
    assert shown == [("New", 2, 5.0), ("Closed", 1, 7.0)]
    owners = org.found("SELECT COUNT_DISTINCT(OwnerId), MAX(CreatedDate), AVG(Desk_Minutes__c) FROM Case")
    assert [owners[0][f"expr{number}"] for number in range(3)] == [2, STAMP, 6.0]
    assert failure(org.soql("SELECT Subject, COUNT(Id) FROM Case GROUP BY Status")) == (400, "MALFORMED_QUERY")
    assert failure(org.soql("SELECT SUM(Subject) FROM Case")) == (400, "MALFORMED_QUERY")


def test_all_fields_need_a_limit(org: Salesforce) -> None:
    org.case(Desk_Ref__c="T-1")
    assert failure(org.soql("SELECT FIELDS(ALL) FROM Case")) == (400, "MALFORMED_QUERY")
    assert org.found("SELECT FIELDS(CUSTOM) FROM Case LIMIT 200")[0]["Desk_Ref__c"] == "T-1"
    assert "Desk_Ref__c" not in org.found("SELECT FIELDS(STANDARD) FROM Case")[0]


def test_links_are_only_found_by_document_or_record(org: Salesforce) -> None:
    case = org.case()
    everything = org.soql("SELECT Id FROM ContentDocumentLink")
    assert failure(everything) == (400, "MALFORMED_QUERY")
    assert "requires a filter by a single Id" in message(everything)
    assert org.soql(f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId IN ('{case}')").status == 200
    either = f"SELECT Id FROM ContentDocumentLink WHERE LinkedEntityId = '{case}' OR ShareType = 'V'"
    assert failure(org.soql(either)) == (400, "MALFORMED_QUERY")


def test_deleted_records_are_found_by_query_all_only(org: Salesforce) -> None:
    gone = org.case(Subject="gone")
    org.case(Subject="here")
    assert org.call("DELETE", f"/sobjects/Case/{gone}").status == 204
    text = "SELECT Subject, IsDeleted FROM Case"
    assert org.column(text) == ["here"]
    shown = [(row["Subject"], row["IsDeleted"]) for row in org.found(text, deleted=True)]
    assert shown == [("gone", True), ("here", False)]
    assert [row["Subject"] for row in org.found(f"{text} WHERE IsDeleted = true", deleted=True)] == ["gone"]


# --- pages of an answer


def test_pages_follow_next_records_url(org: Salesforce) -> None:
    for number in range(450):
        org.case(Subject=str(number))
    first = org.soql("SELECT Subject FROM Case ORDER BY Id", Sforce_Query_Options="batchSize=200").json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (450, False, 200)
    second = org.call("GET", first["nextRecordsUrl"].removeprefix("/services/data/v59.0")).json()
    third = org.call("GET", second["nextRecordsUrl"].removeprefix("/services/data/v59.0")).json()
    assert (third["totalSize"], third["done"], "nextRecordsUrl" in third) == (450, True, False)
    shown = [row["Subject"] for page in (first, second, third) for row in page["records"]]
    assert shown == [str(number) for number in range(450)]


def test_a_page_is_of_two_thousand_unless_told(org: Salesforce) -> None:
    for _ in range(2001):
        org.case()
    assert len(org.found("SELECT Id FROM Case")) == 2000
    few = org.soql("SELECT Id FROM Case", Sforce_Query_Options="batchSize=1").json()
    assert len(few["records"]) == 200


def test_the_eleventh_cursor_closes_the_first(org: Salesforce) -> None:
    for _ in range(201):
        org.case()
    answers = [org.soql("SELECT Id FROM Case", Sforce_Query_Options="batchSize=200").json() for _ in range(11)]
    paths = [answer["nextRecordsUrl"].removeprefix("/services/data/v59.0") for answer in answers]
    assert failure(org.call("GET", paths[0])) == (400, "INVALID_QUERY_LOCATOR")
    assert org.call("GET", paths[1]).json()["done"]
    assert failure(org.call("GET", "/query/nonsense")) == (400, "INVALID_QUERY_LOCATOR")


def test_a_late_commit_appears_behind_the_watermark(org: Salesforce) -> None:
    """With a lag, queries see a change only later, under the stamp it had from the start; reading by id sees it."""
    org.case(Subject="early")
    org.state.set("lag", 300.0)
    late = org.case(Subject="late")
    assert org.get(late)["Subject"] == "late"
    assert org.column("SELECT Subject FROM Case") == ["early"]
    assert org.column(f"SELECT Subject FROM Case WHERE Id = '{late}'") == []
    org.clock.freeze(START.replace(minute=6))
    assert org.column(f"SELECT Subject FROM Case WHERE SystemModstamp = {STAMP}") == ["early", "late"]


def test_a_late_update_shows_the_old_values_meanwhile(org: Salesforce) -> None:
    case = org.case(Subject="one")
    org.clock.advance(60)
    org.state.set("lag", 300.0)
    org.update(case, Subject="two")
    org.clock.advance(60)
    org.update(case, Subject="three")
    assert org.column("SELECT Subject FROM Case") == ["one"]
    org.clock.advance(241)
    assert org.column("SELECT Subject FROM Case") == ["two"]
    org.clock.advance(60)
    assert org.column("SELECT Subject FROM Case") == ["three"]
