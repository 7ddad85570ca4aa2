"""What an org answers, as recorded, and the failure that each answer is; and what the simulator has no answer for."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectors.remote import TOKEN

from deskbridge.connectors.salesforce import comments
from deskbridge.connectors.salesforce.client import BASE, ROWS, Client, all_done, row_of, row_path, saved_id, saved_ids
from deskbridge.connectors.salesforce.connector import Salesforce
from deskbridge.connectors.salesforce.feed import changed_since
from deskbridge.connectors.salesforce.schema import Schema
from deskbridge.connectors.shared import Line, Site, nothing
from deskbridge.kit.clock import ManualClock
from deskbridge.sync import connector
from deskbridge.sync.connector import AuthFailed, Failure, FieldKind, Metadata, Rejected, RetryLater, Watermark

RECORDED = Path(__file__).parent / "recorded" / "salesforce"
CASE, COMMENT, US, THEM = "500Sx0000000001IAA", "00aSx0000000001IAA", "005Sx0000000001IAA", "005Sx0000000002IAA"
NOW = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
STAMP = "2026-03-04T10:30:00.000+0000"
Answer = Callable[[httpx.Request], httpx.Response]


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_an_answer_is_the_failure_that_tells_what_to_do(name: str) -> None:
    recorded = json.loads((RECORDED / f"{name}.json").read_text())
    sent: list[httpx.Request] = []
    client = Client(*_to(lambda request: _replayed(recorded, request, sent)))
    with pytest.raises(Failure) as failure:
        _calls(client)[recorded["call"]]()
    assert type(failure.value) is getattr(connector, recorded["failure"])
    assert len(sent) == 1
    assert "desk-token" not in failure.value.reason
    if isinstance(failure.value, Rejected):
        assert failure.value.field == recorded["field"]
    if isinstance(failure.value, RetryLater):
        assert failure.value.quota == recorded.get("quota", False)


def test_a_row_that_is_gone_is_none_only_when_salesforce_says_so() -> None:
    body = [{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
    assert Client(*_to(lambda _: httpx.Response(404, json=body))).look(row_path("Case", CASE), row_of) is None
    with pytest.raises(RetryLater):
        Client(*_to(lambda _: httpx.Response(404, text="<h1>Not Found</h1>"))).look(row_path("Case", CASE), row_of)


def test_the_last_twentieth_of_the_allowance_is_left_to_people() -> None:  # 20
    used, sent = [94], []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={}, headers={"Sforce-Limit-Info": f"api-usage={used[0]}/100"})

    site, line = _to(answer)
    client = Client(site, line)
    client.read("/a", nothing)
    used[0] = 95
    client.read("/a", nothing)
    for ask in (lambda: client.read("/a", nothing), lambda: client.write("PATCH", "/a", nothing)):
        with pytest.raises(RetryLater) as told:
            ask()
        assert told.value.quota
        assert told.value.after == timedelta(minutes=15)
    assert len(sent) == 2
    line.wait(timedelta(minutes=15))
    used[0] = 10
    client.read("/a", nothing)
    client.read("/a", nothing)
    assert len(sent) == 4


def test_the_pages_of_a_query_are_read_to_the_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/query"):
            following = {"done": False, "nextRecordsUrl": f"{BASE}/query/01g-2000"}
            return httpx.Response(200, json={"totalSize": 2, **following, "records": [{"Id": "1"}]})
        return httpx.Response(200, json={"totalSize": 2, "done": True, "records": [{"Id": "2"}]})

    assert [row["Id"] for row in Client(*_to(answer)).query("SELECT Id FROM Case")] == ["1", "2"]


def test_nothing_is_shown_beyond_what_a_shortened_page_may_still_hold() -> None:
    """Salesforce ends a page early where rows are long: what else changed later than its end has to wait."""
    stamps = [STAMP.replace(":00.000", f":0{second}.000") for second in range(4)]
    cases = {"done": False, "nextRecordsUrl": f"{BASE}/query/01g-1", "records": [_row(SystemModstamp=stamps[1])]}
    comment = _comment_row(COMMENT, THEM, "x")
    rows = [{**comment, "Id": f"00a{second}", "SystemModstamp": stamps[second]} for second in (0, 1, 2)]
    pages = [cases, {"done": True, "records": rows}, {"done": True, "records": []}]
    answers = [{"body": {"totalSize": 3, **page}, "httpStatusCode": 200} for page in pages]
    client = Client(*_to(lambda _: httpx.Response(200, json={"compositeResponse": answers})))
    schema = Schema(Metadata({}, "Status", {}), ("IsDeleted",), frozenset(), frozenset(), True)
    page = changed_since(client, schema, Watermark(NOW), 100)
    assert [hit.updated_at.second for hit in page.hits] == [0, 1]
    assert page.more
    assert page.next == Watermark(NOW + timedelta(seconds=1), f"2026-03-04T10:30:01Z/{CASE}//")


def test_a_marker_counts_only_in_what_we_wrote() -> None:  # somebody quoted our comment, its last line included
    rows = [_comment_row(COMMENT, US, "Ours\n\n[desk M-1]"), _comment_row("00a2", THEM, "Theirs\n\n[desk M-1]")]
    answer = httpx.Response(200, json={"totalSize": 2, "done": True, "records": rows})
    ours, theirs = comments.list_comments(Client(*_to(lambda _: answer)), US, CASE)
    assert (ours.body, ours.marker) == ("Ours", "M-1")
    assert theirs.marker is None
    assert theirs.body == "Theirs\n\n[desk M-1]"


def test_a_comment_that_was_divided_and_sent_twice_is_not_doubled() -> None:
    texts = ["(1/2)\nOne, \n[desk M-1 1/2]", "(2/2)\ntwo\n[desk M-1 2/2]"] * 2
    rows = [_comment_row(f"00a{place}", US, text) for place, text in enumerate(texts)]
    answer = httpx.Response(200, json={"totalSize": 4, "done": True, "records": rows})
    (read,) = comments.list_comments(Client(*_to(lambda _: answer)), US, CASE)
    assert read.body == "One, two"


def test_what_a_connection_cannot_do_without_is_missed_when_it_is_tested() -> None:
    for change, missed in (
        ({"fields": [_status()]}, "Desk_Ref__c"),
        ({"fields": [_status(), _field("Desk_Ref__c", externalId=False)]}, "Desk_Ref__c"),
        ({"fields": [_field("Desk_Ref__c", externalId=True)]}, "status"),
        ({"createable": False}, "create"),
    ):
        with pytest.raises(AuthFailed, match=missed):
            _org({**_described(), **change}).check()


def test_fields_are_what_the_org_says_they_are() -> None:
    kinds = {name: info.kind for name, info in _org(_described()).describe().fields.items()}
    assert kinds == {
        "Status": FieldKind.CHOICE,
        "Desk_Ref__c": FieldKind.TEXT,
        "Areas__c": FieldKind.CHOICES,
        "Html__c": FieldKind.RICH_TEXT,
        "Due__c": FieldKind.DATE_TIME,
        "OwnerId": FieldKind.PERSON,
        "ParentId": FieldKind.TEXT,
    }


def test_values_of_every_kind_are_written_and_read() -> None:
    row = _row(Areas__c="b;a", Due__c="2026-03-05T08:00:00.000+0000", Html__c="<p>Hi <b>you</b></p>")
    sent: list[httpx.Request] = []
    org = _org(_described(), row, sent)
    record = org.fetch(CASE)
    assert record is not None
    due = datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert (record.fields["Areas__c"], record.fields["Due__c"]) == (("a", "b"), due)
    assert record.fields["Html__c"] == "Hi you"
    assert record.lossy == {"Html__c"}
    org.update(CASE, {"Areas__c": ("a", "b"), "Due__c": due, "ParentId": None}, record.version)
    assert json.loads(sent[-1].content) == {"Areas__c": "a;b", "Due__c": "2026-03-05T08:00:00Z", "ParentId": None}


def test_a_write_holds_only_for_the_case_as_it_was_read() -> None:  # 18
    sent: list[httpx.Request] = []
    org = _org(_described(), _row(Status="New"), sent)
    record = org.fetch(CASE)
    assert record is not None
    org.update(CASE, {"ParentId": None}, record.version)
    org.transition(CASE, "Closed", {})
    conditions = [request.headers["if-unmodified-since"] for request in sent if request.method == "PATCH"]
    assert conditions == ["Wed, 04 Mar 2026 10:30:00 GMT"] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [("Html__c", "x"), ("Status", "New"), ("Desk_Ref__c", "T-1"), ("Areas__c", ("a", "zz")), ("Due__c", "tomorrow")],
)
def test_what_cannot_be_written_is_refused_by_name_before_it_is_sent(name: str, value: Any) -> None:  # 27
    sent: list[httpx.Request] = []
    org = _org(_described(), _row(), sent)
    record = org.fetch(CASE)
    assert record is not None
    with pytest.raises(Rejected) as refusal:
        org.update(CASE, {name: value}, record.version)
    assert refusal.value.field == name
    assert {request.method for request in sent} == {"GET"}


def test_a_value_that_an_administrator_has_just_added_is_taken() -> None:
    described, sent = _described(), []
    org = _org(described, _row(), sent)
    record = org.fetch(CASE)
    assert record is not None
    described["fields"][2]["picklistValues"].append(_choice("new"))
    org.update(CASE, {"Areas__c": ("new",)}, record.version)
    assert json.loads(sent[-1].content) == {"Areas__c": "new"}


def _to(answer: Answer) -> tuple[Site, Line]:
    clock = ManualClock(NOW)
    site = Site("https://example.my.salesforce.com", TOKEN, webhook_secret="s3cret")
    return site, Line(httpx.MockTransport(answer), clock, clock.advance)


def _replayed(recorded: dict[str, Any], request: httpx.Request, sent: list[httpx.Request]) -> httpx.Response:
    sent.append(request)
    content = recorded.get("text", json.dumps(recorded.get("body")))
    return httpx.Response(recorded["status"], headers=recorded["headers"], text=content)


def _calls(client: Client) -> dict[str, Callable[[], object]]:
    return {
        "check": lambda: client.read("/services/oauth2/userinfo", nothing),
        "fetch": lambda: client.look(row_path("Case", CASE), row_of),
        "find": lambda: client.query("SELECT Id FROM Case"),
        "feed": lambda: client.query_together(["SELECT Id, Desk_Ref__c FROM Case"]),
        "create": lambda: client.write("PATCH", f"{ROWS}/Case/Desk_Ref__c/T-1", saved_id, json={}),
        "update": lambda: client.write("PATCH", row_path("Case", CASE), nothing, json={}),
        "parts": lambda: client.write("POST", f"{BASE}/composite/sobjects", saved_ids, json={}),
        "edit_parts": lambda: client.write("POST", f"{BASE}/composite", all_done, json={}),
    }


def _org(described: dict[str, Any], row: dict[str, Any] | None = None, sent: Any = None) -> Salesforce:
    """A connector to an org with one case, and cases described like this."""

    def answer(request: httpx.Request) -> httpx.Response:
        (sent if sent is not None else []).append(request)
        if request.url.path.endswith("/describe"):
            return httpx.Response(200, json=described)
        if request.url.path.endswith("/query"):
            return httpx.Response(200, json={"totalSize": 0, "done": True, "records": []})
        return httpx.Response(204) if request.method == "PATCH" else httpx.Response(200, json=row)

    return Salesforce(*_to(answer))


def _described() -> dict[str, Any]:
    fields = [
        _status(),
        _field("Desk_Ref__c", externalId=True, unique=True),
        _field("Areas__c", type="multipicklist", picklistValues=[_choice("a"), _choice("b")]),
        _field("Html__c", type="textarea", htmlFormatted=True),
        _field("Due__c", type="datetime"),
        _field("OwnerId", type="reference", referenceTo=["Group", "User"]),
        _field("ParentId", type="reference", referenceTo=["Case"]),
        _field("Place__c", type="location"),
    ]
    return {"createable": True, "updateable": True, "fields": fields}


def _status() -> dict[str, Any]:
    return _field("Status", type="picklist", picklistValues=[_choice("New"), _choice("Closed")])


def _field(name: str, **more: Any) -> dict[str, Any]:
    plain = {"name": name, "label": name, "type": "string", "length": 255, "nillable": True, "createable": True}
    flags = {"updateable": True, "defaultedOnCreate": False, "externalId": False, "unique": False}
    return {**plain, **flags, "htmlFormatted": False, "picklistValues": [], "referenceTo": [], **more}


def _choice(value: str) -> dict[str, Any]:
    return {"value": value, "label": value.title(), "active": True}


def _row(**more: Any) -> dict[str, Any]:
    stamps = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), STAMP)
    attributes = {"type": "Case", "url": f"{ROWS}/Case/{CASE}"}
    return {
        "attributes": attributes,
        "Id": CASE,
        "CaseNumber": "00001000",
        "CreatedById": US,
        "IsDeleted": False,
        **stamps,
        **more,
    }


def _comment_row(comment_id: str, author: str, body: str) -> dict[str, Any]:
    stamps = {"CreatedDate": STAMP, "LastModifiedDate": STAMP}
    return {
        "Id": comment_id,
        "ParentId": CASE,
        "CommentBody": body,
        "IsPublished": True,
        "CreatedById": author,
    } | stamps
