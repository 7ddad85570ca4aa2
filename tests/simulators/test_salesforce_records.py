"""Cases and what hangs on them: creating, changing, upserting, deleting, and what the org refuses."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.simulators.salesforce_kit import (
    AGENT,
    CLOSED,
    FORMER,
    JSON,
    MARIA,
    STAMP,
    START,
    TOKEN,
    Salesforce,
    failure,
    message,
)

from deskbridge.simulators.salesforce import ids
from deskbridge.simulators.wire import request

ARABIC = "طابعة تحترق 🔥"


@pytest.fixture
def org() -> Salesforce:
    return Salesforce()


def test_a_fresh_org_has_people_queues_and_statuses_but_no_case(org: Salesforce) -> None:
    assert org.found("SELECT Id FROM Case") == []
    active = org.column("SELECT Username FROM User WHERE IsActive = true", "Username")
    assert active == ["desk@example.org", "maria.rossi@example.org", "jonas.weber@example.org"]
    assert org.column("SELECT DeveloperName FROM Group WHERE Type = 'Queue'", "DeveloperName") == [
        "Support_Queue",
        "Second_Level",
    ]
    statuses = org.found("SELECT ApiName, IsClosed, IsDefault FROM CaseStatus ORDER BY SortOrder")
    assert [row["ApiName"] for row in statuses] == ["New", "Working", "On Hold", "Escalated", "Closed"]
    assert [row["ApiName"] for row in statuses if row["IsClosed"]] == ["Closed"]


def test_create_answers_201_with_the_id(org: Salesforce) -> None:
    response = org.call("POST", "/sobjects/Case/", {"Subject": "x"})
    assert response.status == 201
    assert response.json() == {"id": "500Sx0000000001IAA", "success": True, "errors": []}
    assert org.call("POST", "/sobjects/Case", {"Subject": "y"}).status == 201


def test_a_new_case_has_defaults_and_whole_second_stamps(org: Salesforce) -> None:
    case = org.get(org.case())
    assert (case["Status"], case["Priority"], case["CaseNumber"]) == ("New", "Medium", "00001000")
    assert (case["OwnerId"], case["CreatedById"], case["IsClosed"]) == (AGENT, AGENT, False)
    assert {case[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")} == {STAMP}
    assert case["attributes"] == {"type": "Case", "url": f"/services/data/v59.0/sobjects/Case/{case['Id']}"}


def test_names_are_found_in_any_case(org: Salesforce) -> None:
    made = org.call("POST", "/sobjects/case/", {"SUBJECT": "x", "desk_ref__C": "T-1"}).json()["id"]
    assert org.get(made)["Desk_Ref__c"] == "T-1"


def test_an_update_changes_what_it_names_and_the_stamps(org: Salesforce) -> None:
    made = org.case(Description="keep")
    org.clock.advance(90)
    org.update(made, Subject="new")
    case = org.get(made)
    assert (case["Subject"], case["Description"]) == ("new", "keep")
    assert (case["CreatedDate"], case["SystemModstamp"]) == (STAMP, "2025-03-10T09:01:30.000+0000")


def test_two_changes_in_one_second_have_one_stamp(org: Salesforce) -> None:
    made = org.case()
    org.clock.advance(0.2)
    org.update(made, Subject="second")
    assert org.get(made)["SystemModstamp"] == STAMP


def test_text_is_kept_as_it_is_but_for_the_blanks_around_it(org: Salesforce) -> None:
    case = org.get(org.case(Subject=f"  {ARABIC}\t", Description="\nline one\r\nline two  "))
    assert case["Subject"] == ARABIC
    assert case["Description"] == "line one\r\nline two"
    assert org.get(org.case(Subject="   "))["Subject"] is None


def test_numbers_come_back_as_doubles_of_the_fields_scale(org: Salesforce) -> None:
    body = org.call("GET", f"/sobjects/Case/{org.case(Desk_Minutes__c=45)}").body
    assert b'"Desk_Minutes__c":45.0' in body
    assert org.get(org.case(Desk_Minutes__c=1.5))["Desk_Minutes__c"] == 2.0


@pytest.mark.parametrize(
    ("fields", "code", "named"),
    [
        ({"Subject": "x" * 256}, "STRING_TOO_LONG", ["Subject"]),
        ({"Description": "x" * 32_001}, "STRING_TOO_LONG", ["Description"]),
        ({"Status": "Resolved"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        ({"Status": None}, "REQUIRED_FIELD_MISSING", ["Status"]),
        ({"OwnerId": None}, "REQUIRED_FIELD_MISSING", ["OwnerId"]),
        ({"SuppliedEmail": "not an address"}, "INVALID_EMAIL_ADDRESS", ["SuppliedEmail"]),
        ({"CreatedDate": STAMP}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"]),
        ({"CaseNumber": "1", "IsClosed": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["CaseNumber", "IsClosed"]),
        ({"OwnerId": "nobody"}, "MALFORMED_ID", ["OwnerId"]),
        ({"ContactId": AGENT}, "MALFORMED_ID", ["ContactId"]),
        ({"OwnerId": ids.make("005", 99)}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
        ({"OwnerId": FORMER}, "INACTIVE_OWNER_OR_USER", ["OwnerId"]),
        ({"Desk_Minutes__c": 1e30}, "NUMBER_OUTSIDE_VALID_RANGE", ["Desk_Minutes__c"]),
        ({"Desk_Minutes__c": -1}, "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["Desk_Minutes__c"]),
        ({"Status": "Closed"}, "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["Reason"]),
        ({"Id": "500Sx0000000001IAA"}, "INVALID_FIELD", ["Id"]),
    ],
)
def test_a_bad_value_is_refused_with_its_field(
    org: Salesforce, fields: dict[str, object], code: str, named: list[str]
) -> None:
    for response in (
        org.call("POST", "/sobjects/Case/", fields),
        org.call("PATCH", f"/sobjects/Case/{org.case()}", fields),
    ):
        assert failure(response) == (400, code)
        assert response.json()[0]["fields"] == named


@pytest.mark.parametrize(
    "value",
    [{"Subject": {"a": 1}}, {"Subject": ["a"]}, {"IsEscalated": "yes"}, {"Desk_Minutes__c": "5"}, {"OwnerId": {}}],
)
def test_a_value_of_the_wrong_kind_is_a_parser_error(org: Salesforce, value: dict[str, object]) -> None:
    assert failure(org.call("POST", "/sobjects/Case/", value)) == (400, "JSON_PARSER_ERROR")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 10**400])
def test_what_is_no_finite_number_is_refused(org: Salesforce, number: float) -> None:
    assert org.call("POST", "/sobjects/Case/", {"Desk_Minutes__c": number}).status == 400
    assert org.found("SELECT Id FROM Case") == []


def test_an_unknown_field_is_refused_by_name(org: Salesforce) -> None:
    response = org.call("POST", "/sobjects/Case/", {"Colour__c": "red"})
    assert failure(response) == (400, "INVALID_FIELD")
    assert message(response) == "No such column 'Colour__c' on sobject of type Case"


@pytest.mark.parametrize("body", [b"{", b"", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"Subject":"\\ud83d"}'])
def test_a_body_that_is_no_json_object_is_a_parser_error(org: Salesforce, body: bytes) -> None:
    sent = request("POST", "/services/data/v59.0/sobjects/Case", headers=[TOKEN, JSON], body=body)
    assert failure(org.send(sent)) == (400, "JSON_PARSER_ERROR")


def test_an_unrestricted_picklist_takes_anything(org: Salesforce) -> None:
    assert org.get(org.case(Type="Riddle"))["Type"] == "Riddle"


# --- the org's own rules


def test_closing_needs_a_reason_and_reopening_clears_the_closed_date(org: Salesforce) -> None:
    made = org.case()
    refused = org.call("PATCH", f"/sobjects/Case/{made}", {"Status": "Closed"})
    assert failure(refused) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    assert org.get(made)["Status"] == "New"
    org.update(made, **CLOSED)
    closed = org.get(made)
    assert (closed["IsClosed"], closed["ClosedDate"]) == (True, STAMP)
    org.update(made, Status="Working")
    assert (org.get(made)["IsClosed"], org.get(made)["ClosedDate"]) == (False, None)


def test_a_validation_rule_judges_the_whole_record(org: Salesforce) -> None:
    made = org.case(**CLOSED)
    refused = org.call("PATCH", f"/sobjects/Case/{made}", {"Reason": None})
    assert failure(refused) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION")


def test_validation_rules_can_be_switched_off() -> None:
    org = Salesforce(validation_rules="off")
    assert org.get(org.case(Status="Closed"))["IsClosed"]


def test_assignment_rules_take_web_cases_unless_told_not_to(org: Salesforce) -> None:
    queue = org.column("SELECT Id FROM Group WHERE DeveloperName = 'Support_Queue'", "Id")[0]
    made = org.case(Origin="Web", OwnerId=MARIA)
    assert org.get(made)["OwnerId"] == queue
    path = f"/sobjects/Case/{made}"
    assert org.call("PATCH", path, {"OwnerId": MARIA}, Sforce_Auto_Assign="FALSE").status == 204
    assert org.get(made)["OwnerId"] == MARIA
    org.update(made, Subject="any change runs the rule again")
    assert org.get(made)["OwnerId"] == queue
    assert org.found(f"SELECT Owner.Type FROM Case WHERE Id = '{made}'")[0]["Owner"]["Type"] == "Queue"


def test_a_contact_brings_its_account(org: Salesforce) -> None:
    contact = org.found("SELECT Id, AccountId, Email FROM Contact")[0]
    case = org.get(org.case(ContactId=contact["Id"]))
    assert (case["AccountId"], case["ContactEmail"]) == (contact["AccountId"], contact["Email"])


def test_history_tells_what_changed(org: Salesforce) -> None:
    made = org.case()
    org.update(made, Status="Working", Subject="not tracked")
    org.update(made, OwnerId=MARIA)
    rows = org.found(f"SELECT Field, OldValue, NewValue FROM CaseHistory WHERE CaseId = '{made}' ORDER BY Id")
    assert [(row["Field"], row["OldValue"], row["NewValue"]) for row in rows] == [
        ("created", None, None),
        ("Status", "New", "Working"),
        ("Owner", AGENT, MARIA),
    ]


# --- the external id


def test_an_upsert_creates_once_and_then_updates(org: Salesforce) -> None:
    path = "/sobjects/Case/Desk_Ref__c/T-1"
    first = org.call("PATCH", path, {"Subject": "one"})
    again = org.call("PATCH", path, {"Subject": "two"})
    assert (first.status, first.json()["created"]) == (201, True)
    assert (again.status, again.json()["created"], again.json()["id"]) == (200, False, first.json()["id"])
    assert org.column("SELECT Subject FROM Case") == ["two"]


def test_older_versions_answer_an_updating_upsert_with_204(org: Salesforce) -> None:
    org.case(Desk_Ref__c="T-1")
    path = "/services/data/v45.0/sobjects/Case/Desk_Ref__c/T-1"
    assert org.send(request("PATCH", path, headers=[TOKEN, JSON], body=b"{}")).status == 204


def test_an_upsert_that_may_only_update_creates_nothing(org: Salesforce) -> None:
    response = org.call("PATCH", "/sobjects/Case/Desk_Ref__c/T-1?updateOnly=true", {"Subject": "x"})
    assert failure(response) == (404, "NOT_FOUND")
    assert org.found("SELECT Id FROM Case") == []


def test_the_external_id_must_not_be_repeated_in_the_body(org: Salesforce) -> None:
    response = org.call("PATCH", "/sobjects/Case/Desk_Ref__c/T-1", {"Desk_Ref__c": "T-1"})
    assert failure(response) == (400, "INVALID_FIELD")


def test_the_external_id_is_unique_whatever_its_case(org: Salesforce) -> None:
    held = org.case(Desk_Ref__c="T-1")
    response = org.call("POST", "/sobjects/Case/", {"Desk_Ref__c": "t-1"})
    assert failure(response) == (400, "DUPLICATE_VALUE")
    assert held[:15] in message(response)
    other = org.case()
    assert failure(org.call("PATCH", f"/sobjects/Case/{other}", {"Desk_Ref__c": "T-1"})) == (400, "DUPLICATE_VALUE")
    org.update(held, Desk_Ref__c="T-1")
    assert org.call("DELETE", f"/sobjects/Case/{held}").status == 204
    org.update(other, Desk_Ref__c="T-1")


def test_without_the_unique_mark_an_upsert_may_find_several() -> None:
    """The trap of an External ID field that nobody marked Unique: 300 and the addresses."""
    org = Salesforce(desk_ref="not_unique")
    made = [org.case(Desk_Ref__c="T-1"), org.case(Desk_Ref__c="T-1")]
    for method, body in (("PATCH", {"Subject": "x"}), ("GET", None)):
        response = org.call(method, "/sobjects/Case/Desk_Ref__c/T-1", body)
        assert response.status == 300
        assert response.json() == [f"/services/data/v59.0/sobjects/Case/{record_id}" for record_id in made]


def test_get_and_delete_by_external_id(org: Salesforce) -> None:
    made = org.case(Desk_Ref__c="T 1/ä")
    assert org.call("GET", "/sobjects/Case/Desk_Ref__c/T%201%2F%C3%A4").json()["Id"] == made
    assert failure(org.call("GET", "/sobjects/Case/Desk_Ref__c/T-9")) == (404, "NOT_FOUND")
    assert failure(org.call("GET", "/sobjects/Case/Subject/x")) == (404, "NOT_FOUND")
    assert org.call("DELETE", "/sobjects/Case/Desk_Ref__c/t%201%2F%C3%A4").status == 204
    assert org.found("SELECT Id FROM Case") == []


# --- reading one, conditions


def test_fields_can_be_chosen(org: Salesforce) -> None:
    made = org.case()
    assert set(org.call("GET", f"/sobjects/Case/{made}?fields=Subject,Status").json()) == {
        "attributes",
        "Id",
        "Subject",
        "Status",
    }
    assert failure(org.call("GET", f"/sobjects/Case/{made}?fields=Nope")) == (400, "INVALID_FIELD")


def test_the_kinds_of_not_found(org: Salesforce) -> None:
    gone = org.case()
    assert org.call("DELETE", f"/sobjects/Case/{gone}").status == 204
    assert failure(org.call("GET", f"/sobjects/Case/{gone}")) == (404, "ENTITY_IS_DELETED")
    assert failure(org.call("DELETE", f"/sobjects/Case/{gone}")) == (404, "ENTITY_IS_DELETED")
    assert failure(org.call("GET", f"/sobjects/Case/{ids.make('500', 77)}")) == (404, "NOT_FOUND")
    assert "Provided external ID field does not exist" in message(org.call("GET", "/sobjects/Case/nonsense"))
    assert failure(org.call("GET", "/sobjects/Incident/describe")) == (404, "NOT_FOUND")


def test_an_update_is_refused_when_the_record_changed_since(org: Salesforce) -> None:
    made = org.case(Desk_Ref__c="T-1")
    read = org.call("GET", f"/sobjects/Case/{made}").header("Last-Modified")
    assert read == "Mon, 10 Mar 2025 09:00:00 GMT"
    org.clock.advance(5)
    org.update(made, Subject="a person was quicker")
    for path in (f"/sobjects/Case/{made}", "/sobjects/Case/Desk_Ref__c/T-1"):
        assert org.call("PATCH", path, {"Subject": "late"}, If_Unmodified_Since=read).status == 412
    assert org.get(made)["Subject"] == "a person was quicker"
    fresh = org.call("GET", f"/sobjects/Case/{made}").header("Last-Modified")
    assert org.call("PATCH", f"/sobjects/Case/{made}", {"Subject": "x"}, If_Unmodified_Since=fresh).status == 204


def test_a_change_in_the_same_second_passes_the_condition(org: Salesforce) -> None:
    """The header has whole seconds, so the lock is only as fine as that."""
    made = org.case()
    read = org.call("GET", f"/sobjects/Case/{made}").header("Last-Modified")
    org.update(made, Subject="same second")
    assert org.call("PATCH", f"/sobjects/Case/{made}", {"Subject": "x"}, If_Unmodified_Since=read).status == 204


def test_an_unreadable_condition_is_a_400(org: Salesforce) -> None:
    response = org.call("PATCH", f"/sobjects/Case/{org.case()}", {}, If_Unmodified_Since="yesterday")
    assert failure(response) == (400, "INVALID_HEADER")


def test_not_modified_is_a_304(org: Salesforce) -> None:
    made = org.case()
    response = org.call("GET", f"/sobjects/Case/{made}", If_Modified_Since="Mon, 10 Mar 2025 09:00:00 GMT")
    assert (response.status, response.body) == (304, b"")
    older = org.call("GET", f"/sobjects/Case/{made}", If_Modified_Since="Mon, 10 Mar 2025 08:59:59 GMT")
    assert older.status == 200


# --- comments and posts


def test_case_comments_are_internal_unless_published(org: Salesforce) -> None:
    made = org.case()
    first = org.create("CaseComment", ParentId=made, CommentBody=ARABIC)
    second = org.create("CaseComment", ParentId=made, CommentBody="x", IsPublished=True)
    rows = org.found(f"SELECT Id, CommentBody, IsPublished, CreatedBy.Name FROM CaseComment WHERE ParentId = '{made}'")
    assert [(row["Id"], row["IsPublished"]) for row in rows] == [(first, False), (second, True)]
    assert (rows[0]["CommentBody"], rows[0]["CreatedBy"]["Name"]) == (ARABIC, "Desk Agent")


def test_a_case_comment_has_room_for_4000_bytes(org: Salesforce) -> None:
    made = org.case()
    assert org.create("CaseComment", ParentId=made, CommentBody="x" * 4000)
    for text in ("x" * 4001, "ä" * 2001, "🎉" * 1001, "x" * 40_000):
        response = org.call("POST", "/sobjects/CaseComment/", {"ParentId": made, "CommentBody": text})
        assert failure(response) == (400, "STRING_TOO_LONG")
        assert "(max length=4000)" in message(response)


def test_a_comment_needs_its_case_and_a_body(org: Salesforce) -> None:
    response = org.call("POST", "/sobjects/CaseComment/", {})
    assert message(response) == "Required fields are missing: [ParentId, CommentBody]"
    assert response.json()[0]["fields"] == ["ParentId", "CommentBody"]
    gone = org.case()
    org.call("DELETE", f"/sobjects/Case/{gone}")
    late = org.call("POST", "/sobjects/CaseComment/", {"ParentId": gone, "CommentBody": "x"})
    assert failure(late) == (400, "ENTITY_IS_DELETED")


def test_a_comment_can_be_edited_and_deleted_but_not_moved(org: Salesforce) -> None:
    made, other = org.case(), org.case()
    comment = org.create("CaseComment", ParentId=made, CommentBody="x")
    org.update(comment, "CaseComment", CommentBody="y")
    assert org.get(comment, "CaseComment")["CommentBody"] == "y"
    moved = org.call("PATCH", f"/sobjects/CaseComment/{comment}", {"ParentId": other})
    assert failure(moved) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert org.call("DELETE", f"/sobjects/CaseComment/{comment}").status == 204
    assert org.found("SELECT Id FROM CaseComment") == []


def test_a_comment_leaves_the_stamp_of_its_case(org: Salesforce) -> None:
    """So comments have to be polled on their own."""
    made = org.case()
    org.clock.advance(60)
    org.create("CaseComment", ParentId=made, CommentBody="x")
    assert org.get(made)["SystemModstamp"] == STAMP


def test_feed_posts_have_a_visibility(org: Salesforce) -> None:
    made = org.case()
    org.create("FeedItem", ParentId=made, Body="public")
    org.create("FeedItem", ParentId=made, Body="<p>internal</p>", Visibility="InternalUsers", IsRichText=True)
    rows = org.found(f"SELECT Body, Type, Visibility FROM FeedItem WHERE ParentId = '{made}'")
    assert [(row["Type"], row["Visibility"]) for row in rows] == [
        ("TextPost", "AllUsers"),
        ("TextPost", "InternalUsers"),
    ]
    long = org.call("POST", "/sobjects/FeedItem/", {"ParentId": made, "Body": "x" * 10_001})
    assert failure(long) == (400, "STRING_TOO_LONG")


def test_deleting_a_case_takes_its_children_along(org: Salesforce) -> None:
    made = org.case()
    org.create("CaseComment", ParentId=made, CommentBody="x")
    org.create("FeedItem", ParentId=made, Body="x")
    assert org.call("DELETE", f"/sobjects/Case/{made}").status == 204
    assert org.found("SELECT Id FROM CaseComment") == []
    assert org.found("SELECT Id FROM FeedItem") == []
    assert len(org.found("SELECT Id FROM CaseComment", deleted=True)) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "User"), ("PATCH", f"User/{AGENT}"), ("DELETE", f"User/{AGENT}")]
)
def test_people_are_not_for_clients_to_change(org: Salesforce, method: str, path: str) -> None:
    response = org.call(method, f"/sobjects/{path}", None if method == "DELETE" else {"Name": "x"})
    assert failure(response) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")


def test_a_refused_change_leaves_no_trace(org: Salesforce) -> None:
    before = json.dumps(org.state.dump()["tables"]["Case"]) if "Case" in org.state.tables else None
    assert org.call("POST", "/sobjects/Case/", {"Subject": "x", "Status": "Closed"}).status == 400
    after = org.state.dump()["tables"].get("Case", {})
    assert after == (json.loads(before) if before else {})
    assert org.get(org.case())["CaseNumber"] == "00001000"


# --- what changed in a span of time


def _span(start: str, end: str) -> str:
    return f"start=2025-03-10T{start.replace(':', '%3A')}%2B00%3A00&end=2025-03-10T{end.replace(':', '%3A')}%2B00%3A00"


def test_updated_works_in_whole_minutes(org: Salesforce) -> None:
    org.clock.freeze(START.replace(second=20))
    made = org.case()
    org.clock.freeze(START.replace(second=40))
    early = org.call("GET", f"/sobjects/Case/updated/?{_span('08:59:00', '09:00:40')}").json()
    assert early == {"ids": [], "latestDateCovered": "2025-03-10T09:00:00.000+0000"}
    later = org.call("GET", f"/sobjects/Case/updated?{_span('09:00:00', '09:01:00')}").json()
    assert later == {"ids": [made], "latestDateCovered": "2025-03-10T09:00:00.000+0000"}


def test_latest_date_covered_lags_behind_late_commits(org: Salesforce) -> None:
    org.state.set("lag", 600.0)
    answer = org.call("GET", f"/sobjects/Case/updated/?{_span('08:00:00', '09:00:00')}").json()
    assert answer["latestDateCovered"] == "2025-03-10T08:50:00.000+0000"


def test_deleted_tells_when(org: Salesforce) -> None:
    made = org.case()
    org.clock.advance(61)
    org.call("DELETE", f"/sobjects/Case/{made}")
    org.clock.advance(60)
    span = _span("09:00:00", "09:02:00")
    assert org.call("GET", f"/sobjects/Case/deleted/?{span}").json() == {
        "deletedRecords": [{"deletedDate": "2025-03-10T09:01:01.000+0000", "id": made}],
        "earliestDateAvailable": "2025-02-08T09:02:01.000+0000",
        "latestDateCovered": "2025-03-10T09:02:00.000+0000",
    }
    assert org.call("GET", f"/sobjects/Case/updated/?{span}").json()["ids"] == []


@pytest.mark.parametrize(
    "query",
    [
        _span("09:00:00", "09:00:59"),
        _span("10:00:00", "09:00:00"),
        "start=2025-02-01T00:00:00Z&end=2025-03-10T00:00:00Z",
        "start=2025-03-10T08:00:00+00:00&end=2025-03-10T09:00:00Z",
        "start=soon&end=later",
        "",
    ],
)
def test_a_bad_span_is_refused(org: Salesforce, query: str) -> None:
    assert failure(org.call("GET", f"/sobjects/Case/updated/?{query}")) == (400, "INVALID_REPLICATION_DATE")


def test_people_replicate_though_they_are_never_deleted(org: Salesforce) -> None:
    span = _span("08:00:00", "09:00:00")
    assert org.call("GET", f"/sobjects/User/updated/?{span}").json()["ids"] == []
    assert org.call("GET", f"/sobjects/User/deleted/?{span}").json()["deletedRecords"] == []


def test_what_does_not_replicate_says_so(org: Salesforce) -> None:
    path = f"/sobjects/CaseHistory/updated/?{_span('08:00:00', '09:00:00')}"
    assert failure(org.call("GET", path)) == (400, "INVALID_OPERATION")


# --- ids


@given(st.integers(1, 62**9))
def test_ids_survive_both_lengths(number: int) -> None:
    full = ids.make("500", number)
    assert len(full) == 18
    assert ids.normalise(full) == full
    assert ids.normalise(full[:15]) == full
    assert ids.normalise(full[:15] + full[15:].lower()) == full


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_ids_sort_as_their_numbers(one: int, two: int) -> None:
    assert (ids.make("500", one) < ids.make("500", two)) == (one < two)


def test_a_known_id_has_its_known_suffix() -> None:
    assert ids.normalise("001D000000IqhSL") == "001D000000IqhSLIAZ"
    assert ids.normalise("001D000000IqhSLAAA") is None
    assert ids.normalise("001D000000IqhS") is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(["Subject", "Status", "OwnerId", "Desk_Minutes__c", "IsEscalated", "SuppliedEmail", "Id", "x"])


@settings(max_examples=200)
@given(st.dictionaries(_NAMES, _JSON, max_size=3))
def test_no_body_breaks_the_server(body: dict[str, object]) -> None:
    org = Salesforce()
    response = org.call("POST", "/sobjects/Case/", body)
    assert response.status in {201, 400}
    if response.status == 201:
        assert org.get(response.json()["id"])["Id"]
