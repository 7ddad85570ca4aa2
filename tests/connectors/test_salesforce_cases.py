"""What only Salesforce asks of its connector, over real sockets against the simulator."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.connectors.remote import START, TOKEN, Listener, Remote, listening, started

from deskbridge.connectors import salesforce
from deskbridge.connectors.salesforce.client import BASE, ROWS
from deskbridge.connectors.salesforce.connector import Salesforce
from deskbridge.simulators.webhooks import sign
from deskbridge.sync.connector import (
    Audience,
    AuthFailed,
    Hit,
    Moved,
    NewAttachment,
    NewComment,
    NewWorklog,
    Rejected,
    RetryLater,
    Unknown,
    Watermark,
)

SECOND = timedelta(seconds=1)
SECRET = "hook-secret"
LONG = " ".join(f"Wörter {number} 👩‍💻 שלום" for number in range(1500))


class Person:
    """Somebody at the org's own pages and tools."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def make(self, sobject: str, **fields: object) -> str:
        answer = self._http.post(f"{ROWS}/{sobject}", json=fields)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def change(self, sobject: str, record_id: str, **fields: object) -> None:
        assert self._http.patch(f"{ROWS}/{sobject}/{record_id}", json=fields).status_code == 204

    def remove(self, sobject: str, record_id: str) -> None:
        assert self._http.delete(f"{ROWS}/{sobject}/{record_id}").status_code == 204

    def see(self, sobject: str, record_id: str) -> dict[str, Any]:
        return dict(self._http.get(f"{ROWS}/{sobject}/{record_id}").json())

    def found(self, soql: str) -> list[dict[str, Any]]:
        return list(self._http.get(f"{BASE}/query", params={"q": soql}).json()["records"])


@pytest.fixture
def remote() -> Iterator[Remote]:
    with started("salesforce") as remote:
        yield remote


@pytest.fixture
def person(remote: Remote) -> Iterator[Person]:
    with httpx.Client(base_url=remote.url, headers={"Authorization": "Bearer desk-token"}, trust_env=False) as http:
        yield Person(http)


@pytest.fixture
def org(remote: Remote) -> Salesforce:
    return Salesforce(remote.site(TOKEN, webhook_secret=SECRET), remote.line())


# Creating


def test_creating_again_leaves_what_people_wrote_since(org: Salesforce, person: Person) -> None:
    ref = org.create("T-1", {"Subject": "Printer"})
    person.change("Case", ref.id, Subject="Printer, third floor", Priority="High")
    assert org.create("T-1", {"Subject": "Printer"}) == ref
    assert person.see("Case", ref.id)["Subject"] == "Printer, third floor"


def test_a_race_that_another_writer_won_is_a_case_that_is_there(remote: Remote, org: Salesforce) -> None:  # 6
    ref = org.create("T-1", {"Subject": "Printer"})
    body = '[{"message": "duplicate value found: Desk_Ref__c", "errorCode": "DUPLICATE_VALUE", "fields": []}]'
    remote.fault("status", "PATCH", "Desk_Ref__c", status=400, body=body)
    assert org.create("T-1", {"Subject": "Printer"}) == ref


def test_a_case_whose_number_cannot_be_read_is_unknown_and_found(remote: Remote, org: Salesforce) -> None:
    org.describe()
    remote.fault("drop_before_commit", "GET", "/sobjects/Case/500")
    with pytest.raises(Unknown):
        org.create("T-1", {"Subject": "Printer"})
    assert len(org.find_by_key("T-1")) == 1


def test_a_key_that_is_not_unique_is_owned_up_to_and_its_duplicates_shown(
    remote: Remote, org: Salesforce, person: Person
) -> None:
    assert org.capabilities.unique_key
    remote.post("options", {"desk_ref": "not_unique"})
    org.check()
    assert not org.capabilities.unique_key
    made = [person.make("Case", Subject="Twice", Desk_Ref__c="T-1") for _ in range(2)]
    assert [ref.id for ref in org.find_by_key("T-1")] == made
    with pytest.raises(Unknown):
        org.create("T-1", {"Subject": "Thrice"})
    assert len(org.find_by_key("T-1")) == 2


def test_a_key_is_only_ever_text(org: Salesforce) -> None:
    for key in ("T-1' OR Subject != '", "a/b?c#d", "back\\slash"):
        assert org.find_by_key(key) == []
        ref = org.create(key, {"Subject": "Odd"})
        assert [one.id for one in org.find_by_key(key)] == [ref.id]


# Writing


def test_assignment_rules_do_not_take_a_case_from_the_web_away(org: Salesforce, person: Person) -> None:
    ref = org.create("T-1", {"Subject": "From the web", "Origin": "Web"})
    owner = person.see("Case", ref.id)["OwnerId"]
    assert owner.startswith("005")
    record = org.fetch(ref.id)
    assert record is not None
    org.update(ref.id, {"Priority": "High"}, record.version)
    org.transition(ref.id, "Working", {})
    assert person.see("Case", ref.id)["OwnerId"] == owner


def test_an_edit_within_the_same_second_is_not_overwritten(org: Salesforce, person: Person) -> None:  # 18
    ref = org.create("T-1", {"Subject": "Printer"})
    record = org.fetch(ref.id)
    assert record is not None
    person.change("Case", ref.id, Subject="Printer, third floor")
    with pytest.raises(Moved):
        org.update(ref.id, {"Subject": "Ours"}, record.version)
    assert person.see("Case", ref.id)["Subject"] == "Printer, third floor"


def test_an_update_of_a_case_that_is_gone_is_to_be_planned_anew(org: Salesforce, person: Person) -> None:
    ref = org.create("T-1", {"Subject": "Printer"})
    record = org.fetch(ref.id)
    assert record is not None
    person.remove("Case", ref.id)
    with pytest.raises(Moved):
        org.update(ref.id, {"Subject": "Ours"}, record.version)
    assert org.fetch(ref.id) is None


def test_a_validation_rule_names_its_field(org: Salesforce) -> None:  # 27
    ref = org.create("T-1", {"Subject": "Printer"})
    record = org.fetch(ref.id)
    assert record is not None
    with pytest.raises(Rejected) as refusal:
        org.update(ref.id, {"Desk_Minutes__c": -5}, record.version)
    assert refusal.value.field == "Desk_Minutes__c"


def test_the_minutes_are_one_total(org: Salesforce) -> None:
    ref = org.create("T-1", {"Subject": "Printer", "Desk_Minutes__c": 90})
    record = org.fetch(ref.id)
    assert record is not None
    assert record.fields["Desk_Minutes__c"] == 90
    with pytest.raises(Rejected):
        org.add_worklog(ref.id, NewWorklog(5, "", START, "W-1"))


def test_a_case_that_has_its_reason_may_be_closed_without_another(org: Salesforce) -> None:
    ref = org.create("T-1", {"Subject": "Printer", "Reason": "Solved"})
    assert org.transition(ref.id, "Closed", {}) == ["Closed"]
    assert org.transition(ref.id, "Working", {}) == ["Working"]


def test_a_reason_emptied_while_closing_is_missed_before_it_is_sent(org: Salesforce) -> None:  # 27
    ref = org.create("T-1", {"Subject": "Printer", "Reason": "Solved"})
    with pytest.raises(Rejected) as refusal:
        org.transition(ref.id, "Closed", {"Reason": None})
    assert refusal.value.field == "Reason"


# Who reported it


def test_the_reporter_is_the_contact_else_whom_a_form_named_else_who_entered_it(
    org: Salesforce, person: Person
) -> None:
    contact = person.found("SELECT Id, Name, Email FROM Contact")[0]
    reporters: list[tuple[Mapping[str, object], tuple[str, str | None]]] = [
        ({"ContactId": contact["Id"], "SuppliedEmail": "x@example.com"}, (contact["Name"], contact["Email"])),
        ({"SuppliedName": "Mia", "SuppliedEmail": "mia@example.com"}, ("Mia", "mia@example.com")),
        ({}, ("Desk Agent", "desk@example.org")),
    ]
    for fields, expected in reporters:
        record = org.fetch(person.make("Case", Subject="x", **fields))
        assert record is not None
        assert record.reporter is not None
        assert (record.reporter.name, record.reporter.email) == expected


# The change feed


def test_comments_and_files_show_their_case_in_the_feed(remote: Remote, org: Salesforce, person: Person) -> None:
    case, other = (person.make("Case", Subject=name) for name in ("one", "other"))
    before = person.see("Case", case)["SystemModstamp"]
    since = _end(org, Watermark(START))
    remote.tick(SECOND)
    comment = person.make("CaseComment", ParentId=case, CommentBody="Hello")
    since = _shows(org, since, [case])
    remote.tick(SECOND)
    person.change("CaseComment", comment, CommentBody="Hello again")
    since = _shows(org, since, [case])
    remote.tick(SECOND)
    person.remove("CaseComment", comment)
    since = _shows(org, since, [case])
    remote.tick(SECOND)
    person.make("ContentVersion", PathOnClient="a.txt", VersionData="eA==", FirstPublishLocationId=other)
    since = _shows(org, since, [other])
    remote.tick(SECOND)
    person.make("ContentVersion", PathOnClient="a.txt", VersionData="eA==")  # of nobody's case
    _shows(org, since, [])
    assert person.see("Case", case)["SystemModstamp"] == before


def test_a_comment_changed_twice_within_a_second_is_new_both_times(org: Salesforce, person: Person) -> None:
    case = person.make("Case", Subject="one")
    comment = person.make("CaseComment", ParentId=case, CommentBody="Hello")
    seen = {hit.version for hit in _hits(org, Watermark(START))}
    person.change("CaseComment", comment, CommentBody="Hello again")
    assert len({hit.version for hit in _hits(org, Watermark(START))} - seen) == 1
    person.change("Case", case, Subject="two")
    assert len({hit.version for hit in _hits(org, Watermark(START))} - seen) == 2


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_cases_comments_and_files_of_the_same_seconds_are_all_seen_once(
    remote: Remote, org: Salesforce, person: Person, limit: int
) -> None:  # 24
    for _ in range(3):
        cases = [person.make("Case", Subject="x") for _ in range(4)]
        for case in cases:
            person.make("CaseComment", ParentId=case, CommentBody="Hello")
        person.make("ContentVersion", PathOnClient="a", VersionData="eA==", FirstPublishLocationId=cases[0])
        remote.tick(SECOND)
    hits = _hits(org, Watermark(START), limit)
    assert len(hits) == len(set(hits)) == 3 * (4 + 4 + 1)
    assert [hit.updated_at for hit in hits] == sorted(hit.updated_at for hit in hits)
    assert set(_hits(org, Watermark(START), 100)) == set(hits)


def test_a_watermark_that_was_moved_back_forgets_where_it_stood(
    remote: Remote, org: Salesforce, person: Person
) -> None:
    first = person.make("Case", Subject="x")
    remote.tick(SECOND)
    second = person.make("Case", Subject="x")
    end = _end(org, Watermark(START))
    assert _hits(org, end) == []
    assert [hit.remote_id for hit in _hits(org, Watermark(START, end.tie))] == [first, second]


def test_a_deleted_case_shows_as_deleted(remote: Remote, org: Salesforce, person: Person) -> None:
    case = person.make("Case", Subject="x")
    person.make("CaseComment", ParentId=case, CommentBody="Hello")
    remote.tick(SECOND)
    person.remove("Case", case)
    assert (case, True) in {(hit.remote_id, hit.deleted) for hit in _hits(org, Watermark(START))}


def test_a_case_committed_late_is_seen_within_the_look_back(remote: Remote, org: Salesforce, person: Person) -> None:
    """It appears behind the watermark, under the time it was written at."""  # 26
    remote.post("lag", {"seconds": 600})
    late = person.make("Case", Subject="late")
    remote.tick(300 * SECOND)
    remote.post("lag", {"seconds": 0})
    later = person.make("Case", Subject="later")
    remote.post("lag", {"seconds": 600})
    hits, end = _read(org, Watermark(START), 100)
    assert [hit.remote_id for hit in hits] == [later]
    remote.tick(301 * SECOND)
    assert _hits(org, end) == []
    back = _hits(org, Watermark(end.at - org.capabilities.lookback))
    assert [(hit.remote_id, hit.updated_at) for hit in back] == [(late, START), (later, START + 300 * SECOND)]
    assert back[1] == hits[0]


# Limits


def test_an_exhausted_allowance_is_no_passing_fault(remote: Remote, org: Salesforce) -> None:  # 20
    ref = org.create("T-1", {"Subject": "Printer"})
    record = org.fetch(ref.id)
    assert record is not None
    remote.post("limits", {"enabled": True, "requests": 1})
    for ask in (
        lambda: Salesforce(remote.site(TOKEN), remote.line()).find_by_key("T-1"),
        lambda: org.update(ref.id, {"Subject": "x"}, record.version),
    ):
        with pytest.raises(RetryLater) as told:
            ask()
        assert told.value.quota
    remote.post("limits", {"enabled": False})
    again = Salesforce(remote.site(TOKEN), remote.line()).fetch(ref.id)
    assert again is not None
    assert again.fields["Subject"] == "Printer"


# Comments


def test_a_long_comment_is_one_on_the_desk_whatever_becomes_of_it(org: Salesforce, person: Person) -> None:  # 30
    ref = org.create("T-1", {"Subject": "Printer"})
    added = org.add_comment(ref.id, NewComment(LONG, Audience.INTERNAL, "M-1"))
    for text in (LONG, LONG[:9000], "Short", LONG[:5000]):
        org.edit_comment(ref.id, added, text)
        (read,) = org.comments(ref.id)
        assert (read.id, read.body, read.marker, read.audience) == (added, text.strip(), "M-1", Audience.INTERNAL)
    parts = person.found("SELECT Id, IsPublished FROM CaseComment")
    assert len(parts) > 1
    assert not any(part["IsPublished"] for part in parts)
    org.delete_comment(ref.id, added)
    assert person.found("SELECT Id FROM CaseComment") == []


@pytest.mark.parametrize("fault", ["drop_before_commit", "drop_after_commit"])
def test_of_a_long_comment_there_is_all_or_nothing(remote: Remote, org: Salesforce, fault: str) -> None:  # 1, 5, 30
    ref = org.create("T-1", {"Subject": "Printer"})
    remote.fault(fault, "POST", "/composite/sobjects")
    with pytest.raises(Unknown):
        org.add_comment(ref.id, NewComment(LONG, Audience.PUBLIC, "M-1"))
    bodies = [comment.body for comment in org.comments(ref.id)]
    assert bodies == ([] if fault == "drop_before_commit" else [LONG])


def test_somebodys_comment_is_changed_without_a_marker(org: Salesforce, person: Person) -> None:
    case = person.make("Case", Subject="x")
    comment = person.make("CaseComment", ParentId=case, CommentBody="Hello\r\nthere", IsPublished=True)
    org.edit_comment(case, comment, "Goodbye")
    (read,) = org.comments(case)
    assert (read.body, read.marker, read.audience) == ("Goodbye", None, Audience.PUBLIC)
    with pytest.raises(Rejected):
        org.edit_comment(case, comment[:-4] + "zIAA", "Nobody's")


def test_a_comment_on_a_case_that_is_gone_is_refused(org: Salesforce, person: Person) -> None:
    case = person.make("Case", Subject="x")
    person.remove("Case", case)
    with pytest.raises(Rejected):
        org.add_comment(case, NewComment("Hello", Audience.PUBLIC, "M-1"))
    with pytest.raises(Rejected):
        org.add_comment(case, NewComment(LONG, Audience.PUBLIC, "M-1"))
    assert org.comments(case) == []


# Files


def test_a_file_is_shown_to_its_audience_only(org: Salesforce, person: Person) -> None:  # 30
    ref = org.create("T-1", {"Subject": "Printer"})
    for audience, visibility in ((Audience.INTERNAL, "InternalUsers"), (Audience.PUBLIC, "AllUsers")):
        org.add_attachment(ref.id, _file(f"{audience}.txt"), audience)
        where = f"LinkedEntityId = '{ref.id}'"
        links = person.found(f"SELECT Visibility FROM ContentDocumentLink WHERE {where} ORDER BY Id")
        assert links[-1]["Visibility"] == visibility


def test_a_file_for_a_case_that_is_gone_leaves_nothing_behind(org: Salesforce, person: Person) -> None:
    case = person.make("Case", Subject="x")
    person.remove("Case", case)
    with pytest.raises(Rejected):
        org.add_attachment(case, _file("a.txt"), Audience.PUBLIC)
    assert person.found("SELECT Id FROM ContentDocument") == []


def test_a_file_with_a_new_version_or_another_title_is_listed_as_it_is_now(org: Salesforce, person: Person) -> None:
    ref = org.create("T-1", {"Subject": "Printer"})
    first = org.add_attachment(ref.id, _file("Report.TXT"), Audience.PUBLIC)
    assert [file.name for file in org.attachments(ref.id)] == ["Report.TXT"]
    person.change("ContentVersion", first, Title="Final report")
    assert [(file.id, file.name) for file in org.attachments(ref.id)] == [(first, "Final report.txt")]
    document = person.see("ContentVersion", first)["ContentDocumentId"]
    newer = person.make("ContentVersion", PathOnClient="Report.txt", VersionData="eHk=", ContentDocumentId=document)
    (listed,) = org.attachments(ref.id)
    assert (listed.id, listed.size, listed.media_type) == (newer, 2, "text/plain")


def test_the_attachments_of_older_set_ups_are_read_too(org: Salesforce, person: Person) -> None:
    ref = org.create("T-1", {"Subject": "Printer"})
    person.make("Attachment", ParentId=ref.id, Name="old.pdf", Body="eHk=", ContentType="application/pdf")
    (listed,) = org.attachments(ref.id)
    assert (listed.name, listed.size, listed.media_type) == ("old.pdf", 2, "application/pdf")
    with org.download(ref.id, listed) as chunks:
        assert b"".join(chunks) == b"xy"


def test_a_file_that_is_too_big_for_the_org_is_refused(org: Salesforce) -> None:
    ref = org.create("T-1", {"Subject": "Printer"})
    size = 52_428_800
    chunks = (b"\0" * 1_048_576 for _ in range(50))
    with pytest.raises(Rejected):
        org.add_attachment(ref.id, NewAttachment("a.bin", "application/octet-stream", size, chunks), Audience.PUBLIC)
    assert org.attachments(ref.id) == []


# Push


@pytest.fixture
def listener(remote: Remote) -> Iterator[Listener]:
    with listening() as listener:
        remote.post("webhooks", {"url": listener.url, "secret": SECRET})
        yield listener


def test_comments_files_and_deletions_hint_at_their_case(org: Salesforce, person: Person, listener: Listener) -> None:
    case = person.make("Case", Subject="x")
    person.make("CaseComment", ParentId=case, CommentBody="Hello")
    person.make("ContentVersion", PathOnClient="a", VersionData="eA==", FirstPublishLocationId=case)
    person.make("FeedItem", ParentId=case, Body="not read")
    person.change("Case", case, Subject="y")
    hints = [hint for _ in range(6) for hint in _heard(org, listener)]
    assert [hint.event for hint in hints] == [
        "Case CREATE",
        "CaseComment CREATE",
        "ContentDocumentLink CREATE",
        "Case UPDATE",
    ]
    assert {hint.remote_id for hint in hints} == {case}
    assert len({hint.dedupe_key for hint in hints}) == 4


def test_what_we_wrote_is_marked_as_ours_in_the_events(org: Salesforce, listener: Listener) -> None:
    org.create("T-1", {"Subject": "x"})
    assert b";client=deskbridge" in listener.next().body


def test_an_outbound_message_hints_when_it_is_from_our_org(
    remote: Remote, org: Salesforce, person: Person, listener: Listener
) -> None:  # 8, 11
    remote.post("options", {"push": "outbound_message"})
    case = person.make("Case", Subject="x < y & z")
    message = listener.next()
    (hint,) = org.hints(message.headers, message.body)
    assert (hint.remote_id, hint.event) == (case, "Case outbound message")
    assert org.hints(message.headers, message.body) == [hint]
    person.make("CaseComment", ParentId=case, CommentBody="Hello")
    second = listener.next()
    (hint,) = org.hints(second.headers, second.body)
    assert hint.remote_id == case
    foreign = message.body.replace(b"<OrganizationId>00D", b"<OrganizationId>00E")
    entities = message.body.replace(b"<soapenv:Env", b'<!DOCTYPE a [<!ENTITY b "c">]><soapenv:Env', 1)
    for body in (foreign, entities, message.body[:200], b"", b"\xff", b"<a/>"):
        with pytest.raises(AuthFailed):
            org.hints(message.headers, body)
    with pytest.raises(AuthFailed):
        Salesforce(remote.site(TOKEN), remote.line()).hints(message.headers, message.body)


def test_a_signed_delivery_that_says_nothing_of_cases_hints_at_nothing(org: Salesforce) -> None:
    gap = b'{"data": {"payload": {"ChangeEventHeader": {"entityName": "Case", "recordIds": ["000000000000000AAA"], '
    gap += b'"changeType": "GAP_OVERFLOW"}}, "event": {"replayId": 7}}}'
    for body in (gap, b"{}", b"[]", b"null", b"\xff", b'{"data": {"payload": 3, "event": 4}}'):
        headers = {"content-type": "application/json", "x-desk-signature": f"sha256={sign(SECRET, body)}"}
        assert org.hints(headers, body) == []


# The shipped mapping


def test_the_shipped_mapping_fits_a_fresh_org(org: Salesforce) -> None:
    mapping = yaml.safe_load((Path(salesforce.__file__).parent / "mapping.yaml").read_text())
    described = org.describe()
    for name, entry in mapping["fields"].items():
        info = described.fields[entry["remote"]]
        assert entry["direction"] == "in" or info.writable or info.name == described.status_field, name
        if "values" in entry:
            assert set(entry["values"]) == set(info.choices), name
            classes = [value for one in entry["values"].values() for value in one["desk"]]
            assert len(classes) == len(set(classes)) == {"status": 8, "priority": 4, "category": 8}[name]
    for status, demanded in mapping["fields"]["status"]["demands"].items():
        assert org.transition(org.create(status, {"Subject": "x"}).id, status, demanded) == [status]


# Helpers


def _hits(org: Salesforce, since: Watermark, limit: int = 100) -> list[Hit]:
    return _read(org, since, limit)[0]


def _end(org: Salesforce, since: Watermark) -> Watermark:
    return _read(org, since, 100)[1]


def _read(org: Salesforce, since: Watermark, limit: int) -> tuple[list[Hit], Watermark]:
    hits: list[Hit] = []
    for _ in range(100):
        page = org.changed_since(since, limit)
        hits, since = [*hits, *page.hits], page.next
        if not page.more:
            return hits, since
    raise AssertionError("the feed does not end")


def _shows(org: Salesforce, since: Watermark, cases: list[str]) -> Watermark:
    """The feed's next hits are of these cases; where it ends then."""
    hits, end = _read(org, since, 100)
    assert [hit.remote_id for hit in hits] == cases
    return end


def _heard(org: Salesforce, listener: Listener) -> list[Any]:
    heard = listener.next()
    return list(org.hints(heard.headers, heard.body))


def _file(name: str) -> NewAttachment:
    return NewAttachment(name, "text/plain", 4, iter([b"te", b"xt"]))
