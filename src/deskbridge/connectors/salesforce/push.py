"""What an org tells us: change events (signed by the relay that posts them) and outbound messages (never signed).

A hint costs one look at a case, no more; what somebody forges cannot put anything into a ticket. So an outbound message
is taken when it names our organisation, which is all that Salesforce gives it.
"""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from typing import Any

from deskbridge.connectors.shared import require_signature
from deskbridge.sync.connector import AuthFailed, Hint

_CASE_PREFIX = "500"
_CASE_FIELD = {"CaseComment": "ParentId", "Attachment": "ParentId", "ContentDocumentLink": "LinkedEntityId"}
_SOAP = "{http://soap.sforce.com/2005/09/outbound}"
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SHORT_ID = 15


def hints(secret: str, organization: Callable[[], str], headers: Mapping[str, str], body: bytes) -> list[Hint]:
    """Verify and read a delivery; AuthFailed when it is not from our org."""
    if headers.get("content-type", "").split(";")[0].strip().lower() in {"text/xml", "application/xml"}:
        return _of_message(secret, organization, body)
    require_signature(secret, body, headers.get("x-desk-signature", ""))
    return _of_event(body)


def _of_event(body: bytes) -> list[Hint]:
    """The cases a change event is about. One about too much to list has no case's id: the feed catches up."""
    try:
        data = json.loads(body)["data"]
        payload, replay = data["payload"], data["event"]["replayId"]
        header = payload["ChangeEventHeader"]
        kind, ids = str(header["entityName"]), [str(one) for one in header["recordIds"]]
        event = f"{kind} {header['changeType']}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    cases = ids if kind == "Case" else [str(payload.get(_CASE_FIELD.get(kind, ""), ""))]
    return [Hint(case, event, f"{replay}:{case}") for case in cases if case.startswith(_CASE_PREFIX)]


def _of_message(secret: str, organization: Callable[[], str], body: bytes) -> list[Hint]:
    if not secret:
        raise AuthFailed("webhooks are refused: the connection has no webhook secret")
    notifications = _notifications(body)
    given = "" if notifications is None else notifications.findtext(f"{_SOAP}OrganizationId", "")
    if notifications is None or not given or given[:_SHORT_ID] != organization()[:_SHORT_ID]:
        raise AuthFailed("the outbound message is not from this connection's organisation")
    return [hint for one in notifications.iter(f"{_SOAP}Notification") if (hint := _of_notification(one))]


def _notifications(body: bytes) -> ET.Element | None:
    """The element with the notifications; None when the text is no such message, or would have entities expanded."""
    try:
        text = body.decode()
        root = None if "<!" in text else ET.fromstring(text)  # noqa: S314 - no document type, hence no entities
    except (ValueError, ET.ParseError, RecursionError):
        return None
    return None if root is None else root.find(f".//{_SOAP}notifications")


def _of_notification(notification: ET.Element) -> Hint | None:
    record: Any = notification.find(f"{_SOAP}sObject")
    if record is None:
        return None
    kind = record.get(_TYPE, "").rpartition(":")[2]
    fields = {child.tag.rpartition("}")[2]: child.text or "" for child in record}
    case = fields.get("Id" if kind == "Case" else _CASE_FIELD.get(kind, ""), "")
    key = notification.findtext(f"{_SOAP}Id", "")
    return Hint(case, f"{kind} outbound message", key) if case.startswith(_CASE_PREFIX) else None
