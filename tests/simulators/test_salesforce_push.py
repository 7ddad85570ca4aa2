"""What the org pushes: change events through the relay, and outbound messages."""

import json
from datetime import timedelta
from typing import Any
from xml.dom import minidom

import pytest
from tests.simulators.salesforce_kit import AGENT, START, Salesforce

from deskbridge.simulators import webhooks

HOOK = "http://127.0.0.1:9/hooks/sf"


def listening(*, secret: str = "", **options: str) -> Salesforce:
    org = Salesforce(**options)
    org.state.set("webhooks", {"url": HOOK, "secret": secret})
    return org


def events(org: Salesforce) -> list[dict[str, Any]]:
    """The payloads of the change events that wait to be sent."""
    return [json.loads(delivery.body)["data"]["payload"] for delivery in org.simulator.due()]


def headers(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [payload["ChangeEventHeader"] for payload in payloads]


def test_nothing_is_pushed_without_an_address() -> None:
    org = Salesforce()
    org.case()
    assert org.simulator.due() == []


def test_a_creation_carries_what_was_set() -> None:
    org = listening()
    made = org.case(Desk_Ref__c="T-1")
    (event,) = events(org)
    header = event["ChangeEventHeader"]
    assert (header["entityName"], header["recordIds"], header["changeType"]) == ("Case", [made], "CREATE")
    assert (event["Subject"], event["Desk_Ref__c"], event["Status"]) == ("Printer on fire", "T-1", "New")
    assert event["CreatedDate"] == "2025-03-10T09:00:00.000Z"
    assert header["commitTimestamp"] == int(START.timestamp() * 1000)
    assert "Description" not in event
    assert header["changedFields"] == []


def test_an_update_carries_what_changed() -> None:
    org = listening()
    made = org.case(Description="x")
    org.clock.advance(1)
    org.update(made, Status="Working", Description=None)
    event = events(org)[1]
    header = event["ChangeEventHeader"]
    assert header["changedFields"] == ["Status", "Description", "LastModifiedDate"]
    assert header["nulledFields"] == ["Description"]
    assert {name for name in event if name != "ChangeEventHeader"} == {"Status", "LastModifiedDate"}


def test_the_origin_names_the_client_of_sforce_call_options() -> None:
    """The only mark of an echo that a vendor supplies."""
    org = listening()
    org.call("POST", "/sobjects/Case/", {"Subject": "ours"}, Sforce_Call_Options="client=desk-7, defaultNamespace=x")
    org.case(Subject="theirs")
    origins = [header["changeOrigin"] for header in headers(events(org))]
    assert origins == ["com/salesforce/api/rest/59.0;client=desk-7", "com/salesforce/api/rest/59.0"]


def test_events_are_signed_numbered_and_say_who() -> None:
    org = listening(secret="s3cret")
    org.case()
    org.case()
    first, second = org.simulator.due()
    sent = dict(first.headers)
    assert sent["X-Desk-Signature"] == f"sha256={webhooks.sign('s3cret', first.body)}"
    assert [dict(delivery.headers)["X-Desk-Delivery"] for delivery in (first, second)] == ["1", "2"]
    assert json.loads(second.body)["data"]["event"]["replayId"] == 2
    assert headers(events(org))[0]["commitUser"] == AGENT


def test_without_a_secret_nothing_is_signed() -> None:
    org = listening()
    org.case()
    assert "X-Desk-Signature" not in dict(org.simulator.due()[0].headers)


def test_children_are_announced_with_their_parent() -> None:
    org = listening()
    made = org.case()
    org.create("CaseComment", ParentId=made, CommentBody="x")
    org.create("ContentVersion", PathOnClient="a", VersionData="aGk=", FirstPublishLocationId=made)
    payloads = events(org)
    assert [header["entityName"] for header in headers(payloads)] == [
        "Case",
        "CaseComment",
        "ContentDocumentLink",
        "ContentDocumentLink",
    ]
    assert payloads[1]["ParentId"] == made
    assert [payload["LinkedEntityId"] for payload in payloads[2:]] == [AGENT, made]
    last = headers(payloads)[2:]
    assert [header["sequenceNumber"] for header in last] == [1, 2]
    assert last[0]["transactionKey"] == last[1]["transactionKey"] != headers(payloads)[0]["transactionKey"]


def test_a_deletion_is_announced_for_the_case_and_its_children() -> None:
    org = listening()
    made = org.case()
    comment = org.create("CaseComment", ParentId=made, CommentBody="x")
    org.call("DELETE", f"/sobjects/Case/{made}")
    deleted = [header for header in headers(events(org)) if header["changeType"] == "DELETE"]
    assert [header["recordIds"] for header in deleted] == [[comment], [made]]


def test_a_refused_change_is_not_announced() -> None:
    org = listening()
    org.call("POST", "/sobjects/Case/", {"Status": "Closed"})
    org.call("POST", "/composite/sobjects", {"allOrNone": True, "records": [_typed(), _typed(Nope=1)]})
    assert org.simulator.due() == []


def _typed(**fields: object) -> dict[str, object]:
    return {"attributes": {"type": "Case"}, **fields}


def test_a_failed_delivery_is_tried_for_a_day() -> None:
    org = listening()
    org.case()
    tries, start = 0, org.clock.now()
    while (moment := webhooks.next_due(org.state)) is not None:
        org.clock.freeze(max(moment, org.clock.now()))
        for delivery in org.simulator.due():
            tries += 1
            org.simulator.settle(delivery, 503)
    assert tries == 21
    assert timedelta(hours=20) < org.clock.now() - start < timedelta(hours=25)


# --- outbound messages


def text_of(document: Any, name: str) -> str:
    return str(document.getElementsByTagName(name)[0].firstChild.data)


def test_an_outbound_message_is_soap_of_the_record_as_it_is() -> None:
    org = listening(push="outbound_message", secret="never used")
    made = org.case(Subject='<&> "طابعة" 🔥', Desk_Ref__c="T-1")
    (delivery,) = org.simulator.due()
    document = minidom.parseString(delivery.body)
    assert document.getElementsByTagName("sObject")[0].getAttribute("xsi:type") == "sf:Case"
    assert (text_of(document, "sf:Id"), text_of(document, "sf:Desk_Ref__c")) == (made, "T-1")
    assert text_of(document, "sf:Subject") == '<&> "طابعة" 🔥'
    assert text_of(document, "sf:SystemModstamp") == "2025-03-10T09:00:00.000Z"
    assert text_of(document, "OrganizationId").startswith("00D")
    assert text_of(document, "EnterpriseUrl").startswith("http://127.0.0.1:8083/services/Soap/c/")
    assert dict(delivery.headers) == {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}


def test_each_outbound_message_has_an_id_of_its_own_that_retries_keep() -> None:
    org = listening(push="outbound_message")
    org.update(org.case(), Status="Working")
    first, second = org.simulator.due()
    identities = [
        text_of(minidom.parseString(each.body).getElementsByTagName("Notification")[0], "Id")
        for each in (first, second)
    ]
    assert len(set(identities)) == 2
    org.simulator.settle(first, None)
    org.clock.advance(15)
    again = next(each for each in org.simulator.due() if each.id == first.id)
    assert (again.body, again.attempt) == (first.body, 1)


def test_characters_that_xml_cannot_hold_are_left_out() -> None:
    org = listening(push="outbound_message")
    org.case(Subject="bell \x07 and \ufffe end")
    document = minidom.parseString(org.simulator.due()[0].body)
    assert text_of(document, "sf:Subject") == "bell  and  end"


@pytest.mark.parametrize("sobject", ["FeedItem", "deletion"])
def test_what_workflow_does_not_send(sobject: str) -> None:
    org = listening(push="outbound_message")
    made = org.case()
    if sobject == "deletion":
        org.call("DELETE", f"/sobjects/Case/{made}")
    else:
        org.create(sobject, ParentId=made, Body="x")
    assert len(org.simulator.due()) == 1
