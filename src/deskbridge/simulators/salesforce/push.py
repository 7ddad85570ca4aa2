"""What the org tells the world about a change: change events through a relay, or workflow's outbound messages.

Salesforce offers change events on a bus of its own; the relay is the small trigger an administrator installs to post
them over HTTP, signed. Outbound messages are Salesforce's own HTTP push: SOAP, unsigned, of what a record is now, and
never of deletions. Both are at least once and unordered.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from deskbridge.simulators import webhooks
from deskbridge.simulators.salesforce import ids, values
from deskbridge.simulators.salesforce.objects import CASE, CASE_COMMENT, ORGANIZATION
from deskbridge.simulators.salesforce.org import Org, Row
from deskbridge.simulators.salesforce.schema import Field, SObject

_ANNOUNCED = frozenset({"Case", "CaseComment", "FeedItem", "Attachment", "ContentDocumentLink", "ContentDocument"})
_MESSAGE_FIELDS: Mapping[str, Sequence[str]] = {
    CASE.name: ("Id", "CaseNumber", "Subject", "Status", "Priority", "OwnerId", "Desk_Ref__c", "SystemModstamp"),
    CASE_COMMENT.name: ("Id", "ParentId", "IsPublished", "CommentBody", "SystemModstamp"),
}
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# First retry after 15 s, then doubling up to two hours, given up after a day.
RETRY_DELAYS = (15, 30, 60, 120, 240, 480, 960, 1920, 3840, *[7200] * 11)


def announce(org: Org, sobject: SObject, kind: str, old: Row | None, new: Row) -> None:
    """Tell of one change: kind CREATE, UPDATE or DELETE."""
    target = webhooks.target(org.state)
    if target is None or sobject.name not in _ANNOUNCED:
        return
    if org.option("push", "change_event") == "outbound_message":
        _send_message(org, target, sobject, kind, new)
    else:
        _send_event(org, target, sobject, kind, old, new)


def _send_event(org: Org, target: webhooks.Target, sobject: SObject, kind: str, old: Row | None, new: Row) -> None:
    replay = org.state.next("_replay")
    body = json.dumps(_event(org, sobject, kind, old, new, replay)).encode()
    headers = [("Content-Type", "application/json"), ("X-Desk-Delivery", str(replay))]
    if target.secret:
        headers.append(("X-Desk-Signature", f"sha256={webhooks.sign(target.secret, body)}"))
    webhooks.emit(org.state, org.moment, target, f"{sobject.name}ChangeEvent", headers, body)


def _event(org: Org, sobject: SObject, kind: str, old: Row | None, new: Row, replay: int) -> dict[str, Any]:
    """A change event as the bus gives it. Deletions carry no field, updates only those that changed."""
    changed = [] if kind == "DELETE" else [field for field in sobject.fields if _is_changed(field, old, new)]
    origin = f"com/salesforce/api/rest/{org.version}" + (f";client={org.client}" if org.client else "")
    org.announced += 1
    header = {
        "entityName": sobject.name,
        "recordIds": [new["Id"]],
        "changeType": kind,
        "changeOrigin": origin,
        "transactionKey": org.transaction,
        "sequenceNumber": org.announced,
        "commitTimestamp": int(org.moment.timestamp() * 1000),
        "commitNumber": replay,
        "commitUser": org.user_id,
        "nulledFields": [field.name for field in changed if old is not None and new[field.name] is None],
        "diffFields": [],
        "changedFields": [field.name for field in changed] if kind == "UPDATE" else [],
    }
    content = {field.name: _in_event(field, new[field.name]) for field in changed}
    given = {name: value for name, value in content.items() if value is not None}
    return {
        "channel": f"/data/{sobject.name}ChangeEvent",
        "data": {"payload": {"ChangeEventHeader": header, **given}, "event": {"replayId": replay}},
    }


def _is_changed(field: Field, old: Row | None, new: Row) -> bool:
    if field.type in {"base64", "id"} or field.name in {"IsDeleted", "SystemModstamp"}:
        return False
    return old is None or old[field.name] != new[field.name]


def _in_event(field: Field, value: Any) -> Any:
    return value.replace("+0000", "Z") if field.type == "datetime" and value else value


def _send_message(org: Org, target: webhooks.Target, sobject: SObject, kind: str, row: Row) -> None:
    if kind == "DELETE" or sobject.name not in _MESSAGE_FIELDS:
        return
    headers = [("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", '""')]
    webhooks.emit(
        org.state, org.moment, target, f"{sobject.name} outbound message", headers, _message(org, sobject, row)
    )


def _message(org: Org, sobject: SObject, row: Row) -> bytes:
    organization = org.table(ORGANIZATION).values()[0]["Id"]
    notification = ids.make("04l", org.state.next("_notifications"))
    fields = "".join(_element(sobject, name, row[name]) for name in _MESSAGE_FIELDS[sobject.name])
    enterprise, partner = (f"{org.base_url}/services/Soap/{kind}/{org.version}" for kind in ("c", "u"))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound">'
        f"<OrganizationId>{organization}</OrganizationId><ActionId>{ids.make('04k', 1)}</ActionId>"
        f'<SessionId xsi:nil="true"/><EnterpriseUrl>{escape(enterprise)}</EnterpriseUrl>'
        f"<PartnerUrl>{escape(partner)}</PartnerUrl><Notification><Id>{notification}</Id>"
        f'<sObject xsi:type="sf:{sobject.name}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">{fields}</sObject>'
        "</Notification></notifications></soapenv:Body></soapenv:Envelope>"
    ).encode()


def _element(sobject: SObject, name: str, value: Any) -> str:
    """One field as XML; empty ones are left out, and so are characters that XML cannot hold."""
    field = sobject.field(name)
    if value is None or field is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if field.type == "datetime":
        text = values.moment(text).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return f"<sf:{name}>{escape(_NOT_XML.sub('', text))}</sf:{name}>"
