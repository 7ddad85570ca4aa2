"""simple-salesforce, unmodified, against the Salesforce simulator.

It speaks https only and knows its login hosts by heart: most tests send its requests to the plain port through a
transport adapter, those about the connection use the TLS port too. Worklogs it has none, as Salesforce has none: the
minutes are a field of the case.
"""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
from simple_salesforce import Salesforce, format_external_id, format_soql
from simple_salesforce.api import SFType
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from tests.simulators.conformance.matrix import conforms, lacks

from deskbridge.simulators.server import Running, running

CLIENT = "simple-salesforce"
USER, SECRET = "desk@example.org", "desk-token"
CLOSED = {"Status": "Closed", "Reason": "Solved"}

lacks(
    client=CLIENT,
    operation="worklogs",
    because="Salesforce has no worklogs on cases; the minutes are the field Desk_Minutes__c",
)


class Rerouted(requests.adapters.HTTPAdapter):
    """Sends whatever was addressed to https, the vendor's login hosts included, to one plain address."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._address = address

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        there = urlsplit(request.url or "")
        request.url = f"{self._address}{there.path}" + (f"?{there.query}" if there.query else "")
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running("salesforce", tls=True) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset simulator; an environment's certificate bundle would win over the session's own."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    control(server, "reset")


@pytest.fixture
def session(server: Running) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        opened.mount("https://", Rerouted(server.http))
        yield opened


@pytest.fixture
def client(server: Running, session: requests.Session) -> Salesforce:
    """Signed in with the published token, over plain http."""
    return Salesforce(instance_url=server.http.replace("http://", "https://"), session_id=SECRET, session=session)


def control(server: Running, action: str, body: object = None) -> Any:
    response = httpx.post(f"{server.http}/__sim__/{action}", json=body or {}, trust_env=False)
    assert response.status_code == 200, response.text
    return response.json()


def received(server: Running) -> list[str]:
    """Method and path of every request, in order."""
    rows = httpx.get(f"{server.http}/__sim__/requests", trust_env=False).json()["requests"]
    return [f"{row['method']} {row['path']}" for row in rows]


def sobject(client: Salesforce, name: str) -> SFType:
    found = getattr(client, name)
    assert isinstance(found, SFType)
    return found


def create(client: Salesforce, **fields: object) -> str:
    answer = sobject(client, "Case").create({"Subject": "Printer on fire", **fields})
    assert answer["success"]
    return str(answer["id"])


def code(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.content[0]["errorCode"])


# Connect


@conforms(client=CLIENT, operation="connect")
def test_connects_over_tls_with_a_session(server: Running) -> None:
    with requests.Session() as session:
        session.verify = server.certificate
        client = Salesforce(instance_url=server.https, session_id=SECRET, session=session)
        assert client.limits()["DailyApiRequests"]["Max"] == 100_000
        assert client.is_sandbox()


@conforms(client=CLIENT, operation="connect")
def test_connects_with_the_soap_login(server: Running, session: requests.Session) -> None:
    client = Salesforce(username=USER, password=SECRET, security_token="", session=session)
    assert client.query("SELECT Name FROM User WHERE Username = 'desk@example.org'")["totalSize"] == 1
    assert received(server)[0] == "POST /services/Soap/u/59.0"
    assert client.session_id != SECRET


@conforms(client=CLIENT, operation="connect")
def test_connects_with_password_and_security_token(session: requests.Session) -> None:
    client = Salesforce(username=USER, password=SECRET, security_token=SECRET, domain="test", session=session)
    assert client.limits()["DailyApiRequests"]["Remaining"] == 99_999


@conforms(client=CLIENT, operation="connect")
def test_connects_with_an_organization_id(session: requests.Session) -> None:
    client = Salesforce(username=USER, password=SECRET, organizationId="00D", session=session)
    assert client.limits()["DailyApiRequests"]["Remaining"] == 99_999


@conforms(client=CLIENT, operation="connect")
def test_connects_with_the_password_grant(server: Running, session: requests.Session) -> None:
    client = Salesforce(
        username=USER, password=SECRET, consumer_key="desk", consumer_secret="desk-secret", session=session
    )
    assert client.oauth2("userinfo")["email"] == USER
    assert received(server)[0] == "POST /services/oauth2/token"


@conforms(client=CLIENT, operation="connect")
def test_connects_with_client_credentials(session: requests.Session) -> None:
    client = Salesforce(consumer_key="desk", consumer_secret="desk-secret", domain="desk.my", session=session)
    assert sobject(client, "Case").describe()["keyPrefix"] == "500"


@conforms(client=CLIENT, operation="connect")
def test_a_refused_login_is_told_apart(session: requests.Session) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(username=USER, password="wrong", security_token="", session=session)
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_grant"):
        Salesforce(username=USER, password="wrong", consumer_key="desk", consumer_secret="desk-secret", session=session)
    with pytest.raises(SalesforceAuthenticationFailed, match="invalid_client"):
        Salesforce(consumer_key="desk", consumer_secret="wrong", domain="desk.my", session=session)


@conforms(client=CLIENT, operation="connect")
def test_an_expired_session_is_renewed_once(server: Running, session: requests.Session) -> None:
    client = Salesforce(username=USER, password=SECRET, security_token="", session=session)
    first = client.session_id
    control(server, "clock", {"advance": 7300})
    assert client.query("SELECT Id FROM Case")["totalSize"] == 0
    assert client.session_id != first
    assert received(server).count("POST /services/Soap/u/59.0") == 2


# Create, get, update, delete


@conforms(client=CLIENT, operation="create")
def test_create(client: Salesforce) -> None:
    answer = sobject(client, "Case").create({"Subject": "ä 🎉 طابعة", "Priority": "High", "Desk_Minutes__c": 5})
    assert (answer["success"], answer["errors"]) == (True, [])
    case = sobject(client, "Case").get(answer["id"])
    assert (case["Subject"], case["Priority"], case["Desk_Minutes__c"]) == ("ä 🎉 طابعة", "High", 5.0)


@conforms(client=CLIENT, operation="create")
def test_upsert_creates_once(client: Salesforce) -> None:
    cases = sobject(client, "Case")
    path = format_external_id("Desk_Ref__c", "T-1")
    assert cases.upsert(path, {"Subject": "one"}) == 201
    again = cases.upsert(path, {"Subject": "two"}, raw_response=True)
    assert isinstance(again, requests.Response)
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert client.query("SELECT Subject FROM Case")["records"][0]["Subject"] == "two"


@conforms(client=CLIENT, operation="create")
def test_a_lost_answer_to_an_upsert_can_be_resent(server: Running, client: Salesforce) -> None:
    """The client does not repeat by itself; the second call finds what the first one made."""
    rule = {"match": {"method": "PATCH"}, "fault": "drop_after_commit"}
    control(server, "faults", rule)
    cases = sobject(client, "Case")
    with pytest.raises(requests.ConnectionError):
        cases.upsert("Desk_Ref__c/T-1", {"Subject": "x"})
    assert cases.upsert("Desk_Ref__c/T-1", {"Subject": "x"}) == 200
    assert client.query("SELECT COUNT() FROM Case")["totalSize"] == 1


@conforms(client=CLIENT, operation="get")
def test_get_by_id_and_by_external_id(client: Salesforce) -> None:
    made = create(client, Desk_Ref__c="T-1")
    cases = sobject(client, "Case")
    assert cases.get(made)["attributes"]["url"] == f"/services/data/v59.0/sobjects/Case/{made}"
    assert cases.get_by_custom_id("Desk_Ref__c", "T-1")["Id"] == made
    assert cases.metadata()["objectDescribe"]["name"] == "Case"


@conforms(client=CLIENT, operation="get")
def test_describe_tells_the_picklists(client: Salesforce) -> None:
    fields = {field["name"]: field for field in sobject(client, "Case").describe()["fields"]}
    assert [choice["value"] for choice in fields["Priority"]["picklistValues"]] == ["High", "Medium", "Low"]
    overview = client.describe()
    assert overview is not None
    assert "Case" in {entry["name"] for entry in overview["sobjects"]}


@conforms(client=CLIENT, operation="update")
def test_update(client: Salesforce) -> None:
    made = create(client)
    cases = sobject(client, "Case")
    assert cases.update(made, {"Subject": "new", "Description": "why"}) == 204
    assert (cases.get(made)["Subject"], cases.get(made)["Description"]) == ("new", "why")


@conforms(client=CLIENT, operation="update")
def test_an_update_can_be_conditional(server: Running, client: Salesforce) -> None:
    control(server, "clock", {"at": "2025-03-10T09:00:00Z"})
    made = create(client)
    control(server, "clock", {"advance": 60})
    cases = sobject(client, "Case")
    cases.update(made, {"Subject": "a person was quicker"})
    with pytest.raises(SalesforceGeneralError) as error:
        cases.update(made, {"Subject": "late"}, headers={"If-Unmodified-Since": "Mon, 10 Mar 2025 09:00:30 GMT"})
    assert error.value.status == 412
    assert cases.get(made)["Subject"] == "a person was quicker"


@conforms(client=CLIENT, operation="delete")
def test_delete(client: Salesforce) -> None:
    made = create(client)
    cases = sobject(client, "Case")
    assert cases.delete(made) == 204
    with pytest.raises(SalesforceResourceNotFound) as error:
        cases.get(made)
    assert code(error) == "ENTITY_IS_DELETED"
    rows = client.query("SELECT Id FROM Case WHERE IsDeleted = true", include_deleted=True)["records"]
    assert [row["Id"] for row in rows] == [made]


# Search changed since


@conforms(client=CLIENT, operation="search changed since")
def test_search_changed_since_by_stamp(server: Running, client: Salesforce) -> None:
    control(server, "clock", {"at": "2025-03-10T09:00:00Z"})
    create(client, Subject="early")
    control(server, "clock", {"advance": 3600})
    create(client, Subject='it\'s "late" \\ 100%')
    since = datetime(2025, 3, 10, 18, 30, tzinfo=timezone(timedelta(hours=9)))
    text = format_soql("SELECT Subject FROM Case WHERE SystemModstamp > {} AND Subject != {}", since, 'it\'s "x"')
    assert [row["Subject"] for row in client.query(text)["records"]] == ['it\'s "late" \\ 100%']
    like = format_soql("SELECT Subject FROM Case WHERE Subject LIKE '%{:like}%'", "\\ 100%")
    assert client.query(like)["totalSize"] == 1


@conforms(client=CLIENT, operation="search changed since")
def test_updated_and_deleted_by_span(server: Running, client: Salesforce) -> None:
    control(server, "clock", {"at": "2025-03-10T09:00:30Z"})
    kept, gone = create(client), create(client)
    cases = sobject(client, "Case")
    cases.delete(gone)
    control(server, "clock", {"advance": 60})
    start = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
    updated = cases.updated(start, start + timedelta(minutes=1))
    assert updated == {"ids": [kept], "latestDateCovered": "2025-03-10T09:01:00.000+0000"}
    deleted = cases.deleted(start, start + timedelta(minutes=1))
    assert [(row["id"], row["deletedDate"]) for row in deleted["deletedRecords"]] == [
        (gone, "2025-03-10T09:00:30.000+0000")
    ]


# Comments, transitions


@conforms(client=CLIENT, operation="comments")
def test_case_comments(client: Salesforce) -> None:
    made = create(client)
    comments = sobject(client, "CaseComment")
    first = comments.create({"ParentId": made, "CommentBody": "طابعة 🔥", "IsPublished": True})["id"]
    second = comments.create({"ParentId": made, "CommentBody": "among us"})["id"]
    text = format_soql("SELECT Id, CommentBody, IsPublished FROM CaseComment WHERE ParentId = {} ORDER BY Id", made)
    rows = client.query(text)["records"]
    assert [(row["Id"], row["CommentBody"], row["IsPublished"]) for row in rows] == [
        (first, "طابعة 🔥", True),
        (second, "among us", False),
    ]
    assert comments.update(second, {"CommentBody": "changed"}) == 204
    assert comments.delete(first) == 204
    assert [row["CommentBody"] for row in client.query(text)["records"]] == ["changed"]


@conforms(client=CLIENT, operation="comments")
def test_feed_items(client: Salesforce) -> None:
    made = create(client)
    post = {"ParentId": made, "Body": "hello", "Type": "TextPost", "Visibility": "InternalUsers"}
    posted = sobject(client, "FeedItem").create(post)["id"]
    assert sobject(client, "FeedItem").get(posted)["Visibility"] == "InternalUsers"


@conforms(client=CLIENT, operation="comments")
def test_a_comment_of_40000_characters_is_refused(client: Salesforce) -> None:
    made = create(client)
    with pytest.raises(SalesforceMalformedRequest) as error:
        sobject(client, "CaseComment").create({"ParentId": made, "CommentBody": "x" * 40_000})
    assert code(error) == "STRING_TOO_LONG"


@conforms(client=CLIENT, operation="transitions")
def test_statuses_are_written_and_closing_has_its_rule(client: Salesforce) -> None:
    made = create(client)
    cases = sobject(client, "Case")
    statuses = client.query("SELECT ApiName FROM CaseStatus WHERE IsClosed = true")["records"]
    assert [row["ApiName"] for row in statuses] == ["Closed"]
    assert cases.update(made, {"Status": "Working"}) == 204
    with pytest.raises(SalesforceMalformedRequest) as error:
        cases.update(made, {"Status": "Closed"})
    assert code(error) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert error.value.content[0]["fields"] == ["Reason"]
    assert cases.update(made, CLOSED) == 204
    assert cases.get(made)["IsClosed"]


# Attachments


@conforms(client=CLIENT, operation="attachments")
@pytest.mark.parametrize("data", [b"\0", b"--+++\r\nx\r\n--+++--", random.Random(1).randbytes(300_000)])
def test_files_come_back_as_they_went(client: Salesforce, data: bytes) -> None:
    made = create(client)
    versions = sobject(client, "ContentVersion")
    given = {"Title": "trace", "PathOnClient": "trace.bin", "VersionData": base64.b64encode(data).decode()}
    version = versions.create({**given, "FirstPublishLocationId": made})["id"]
    assert versions.get_base64(version, "VersionData") == data
    text = f"SELECT ContentDocument.LatestPublishedVersionId FROM ContentDocumentLink WHERE LinkedEntityId = '{made}'"
    linked = client.query(text)["records"]
    assert [row["ContentDocument"]["LatestPublishedVersionId"] for row in linked] == [version]


@conforms(client=CLIENT, operation="attachments")
def test_attachments_of_the_older_kind(client: Salesforce, tmp_path: Path) -> None:
    made = create(client)
    attachments = sobject(client, "Attachment")
    body = base64.b64encode(b"one").decode()
    attachment = attachments.create({"ParentId": made, "Name": "a.txt", "Body": body})["id"]
    assert attachments.get_base64(attachment) == b"one"
    changed = tmp_path / "a.txt"
    changed.write_bytes(b"\x00two\xff")
    assert attachments.update_base64(attachment, str(changed)) == 204
    assert attachments.get_base64(attachment) == b"\x00two\xff"
    assert attachments.delete(attachment) == 204


@conforms(client=CLIENT, operation="attachments")
def test_a_file_of_100_mb_is_refused(client: Salesforce) -> None:
    encoded = "A" * (100 * 1024 * 1024)
    with pytest.raises(SalesforceGeneralError) as error:
        sobject(client, "ContentVersion").create({"PathOnClient": "big.bin", "VersionData": encoded})
    assert (error.value.status, code(error)) == (413, "EXCEEDED_MAX_SIZE_REQUEST")


# Errors


@conforms(client=CLIENT, operation="errors")
def test_statuses_become_the_clients_exceptions(server: Running, client: Salesforce) -> None:
    cases = sobject(client, "Case")
    with pytest.raises(SalesforceMalformedRequest) as error:
        cases.create({"Status": "Nope"})
    assert code(error) == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    with pytest.raises(SalesforceMalformedRequest) as error:
        client.query("SELECT Nope FROM Case")
    assert code(error) == "INVALID_FIELD"
    with pytest.raises(SalesforceResourceNotFound) as error:
        sobject(client, "Nope__c").get("500Sx0000000001IAA")
    assert code(error) == "NOT_FOUND"
    create(client, Desk_Ref__c="T-1")
    with pytest.raises(SalesforceMalformedRequest) as error:
        create(client, Desk_Ref__c="T-1")
    assert code(error) == "DUPLICATE_VALUE"


@conforms(client=CLIENT, operation="errors")
def test_several_records_with_one_external_id(server: Running, client: Salesforce) -> None:
    control(server, "options", {"desk_ref": "not_unique"})
    made = [create(client, Desk_Ref__c="T-1") for _ in range(2)]
    with pytest.raises(SalesforceMoreThanOneRecord) as error:
        sobject(client, "Case").upsert("Desk_Ref__c/T-1", {"Subject": "x"})
    assert [address.rpartition("/")[2] for address in error.value.content] == made


@conforms(client=CLIENT, operation="errors")
def test_an_unknown_session_is_expired(server: Running, session: requests.Session) -> None:
    address = server.http.replace("http://", "https://")
    client = Salesforce(instance_url=address, session_id="wrong", session=session)
    with pytest.raises(SalesforceExpiredSession) as error:
        client.query("SELECT Id FROM Case")
    assert code(error) == "INVALID_SESSION_ID"


@conforms(client=CLIENT, operation="errors")
def test_a_persistent_401_makes_the_client_recurse(server: Running, session: requests.Session) -> None:
    """The client's own defect: it forgets how often it signed in anew, so a hub must not build on it."""
    client = Salesforce(username=USER, password=SECRET, security_token="", session=session)
    body = '[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'
    rule = {"match": {"path": "/sobjects/"}, "fault": "status", "status": 401, "body": body, "times": 20}
    control(server, "faults", {**rule, "headers": {"Content-Type": "application/json"}})
    assert sobject(client, "Case").create({"Subject": "x"})["success"]
    assert received(server).count("POST /services/Soap/u/59.0") == 21


@conforms(client=CLIENT, operation="errors")
def test_a_page_in_place_of_json_is_no_answer(server: Running, client: Salesforce) -> None:
    control(server, "faults", {"match": {"path": "/query"}, "fault": "html_200"})
    with pytest.raises(requests.JSONDecodeError):
        client.query("SELECT Id FROM Case")


# Paging


@conforms(client=CLIENT, operation="paging")
def test_paging_over_2500_records(server: Running, client: Salesforce) -> None:
    made = [client.restful("composite/sobjects", method="POST", json=_batch(start)) for start in range(0, 2500, 100)]
    expected = [outcome["id"] for outcomes in made if outcomes for outcome in outcomes]
    found = client.query_all("SELECT Id FROM Case ORDER BY Id")
    assert [row["Id"] for row in found["records"]] == expected
    assert len(expected) == 2500
    pages = [line for line in received(server) if line.startswith("GET /services/data/v59.0/query/")]
    assert len(pages) == 2


def _batch(start: int) -> dict[str, object]:
    subjects = [str(number) for number in range(start, start + 100)]
    return {"records": [{"attributes": {"type": "Case"}, "Subject": subject} for subject in subjects]}


@conforms(client=CLIENT, operation="paging")
def test_paging_260_records_in_pages_of_200(client: Salesforce) -> None:
    for start in (0, 100, 200):
        client.restful("composite/sobjects", method="POST", json=_batch(start))
    lean = {"Sforce-Query-Options": "batchSize=200"}
    first = client.query("SELECT Subject FROM Case WHERE Subject != null ORDER BY Id LIMIT 260", headers=lean)
    assert (first["totalSize"], first["done"], len(first["records"])) == (260, False, 200)
    second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    assert (second["done"], len(second["records"])) == (True, 60)
    subjects = [row["Subject"] for page in (first, second) for row in page["records"]]
    assert subjects == [str(number) for number in range(260)]


# Throttling


@conforms(client=CLIENT, operation="throttling")
def test_a_spent_allowance_is_refused_without_a_retry(server: Running, client: Salesforce) -> None:
    control(server, "limits", {"requests": 2})
    create(client)
    assert client.query("SELECT Id FROM Case")["totalSize"] == 1
    assert client.api_usage["api-usage"] == (2, 2)
    with pytest.raises(SalesforceRefusedRequest) as error:
        create(client)
    assert code(error) == "REQUEST_LIMIT_EXCEEDED"
    assert len(received(server)) == 3
    control(server, "limits", {"enabled": False})
    assert client.query("SELECT Id FROM Case")["totalSize"] == 1


@conforms(client=CLIENT, operation="throttling")
def test_an_unavailable_server_is_a_general_error(server: Running, client: Salesforce) -> None:
    body = '[{"message":"Server too busy","errorCode":"SERVER_UNAVAILABLE"}]'
    control(server, "faults", {"fault": "status", "status": 503, "body": body})
    with pytest.raises(SalesforceGeneralError) as error:
        client.query("SELECT Id FROM Case")
    assert (error.value.status, code(error)) == (503, "SERVER_UNAVAILABLE")
    assert client.query("SELECT Id FROM Case")["totalSize"] == 0
