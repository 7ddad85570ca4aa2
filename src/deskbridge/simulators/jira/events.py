"""What Jira tells its webhooks: issue, comment, attachment and worklog events, signed as Jira Cloud signs them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from deskbridge.simulators import webhooks
from deskbridge.simulators.jira import render
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.store import Record
from deskbridge.simulators.webhooks import RetryPolicy

# Jira waits 5 to 15 minutes between its five retries; a simulator's user has less patience.
RETRIES = RetryPolicy(
    delays=(2.0, 4.0, 8.0, 16.0, 32.0),
    statuses=lambda status: status is None or status in {408, 409, 425, 429} or status >= 500,
    on_retry=lambda attempt: {"X-Atlassian-Webhook-Retry": str(attempt)},
)


def issue_event(
    call: Call, name: str, kind: str, issue: Record, items: Sequence[Record] = (), comment: Record | None = None
) -> None:
    """`jira:issue_created|updated|deleted`; `kind` is the issue_event_type_name, `items` the changelog."""
    body: dict[str, Any] = {"issue_event_type_name": kind, "issue": render.issue(_told(call), issue)}
    if items:
        body["changelog"] = {"id": str(issue["updated"]), "items": list(items)}
    if comment:
        body["comment"] = render.comment(_told(call), comment)
    emit(call, f"jira:{name}", body)


def comment_event(call: Call, name: str, issue: Record, comment: Record) -> None:
    told = _told(call)
    emit(call, name, {"comment": render.comment(told, comment), "issue": render.brief(told, issue)})


def attachment_event(call: Call, name: str, attachment: Record) -> None:
    emit(call, name, {"attachment": render.attachment(_told(call), attachment)})


def worklog_event(call: Call, name: str, worklog: Record) -> None:
    emit(call, name, {"worklog": render.worklog(_told(call), worklog)})


def emit(call: Call, event: str, content: Mapping[str, Any]) -> None:
    target = webhooks.target(call.state)
    if target is None:
        return
    user = render.user(_told(call), call.account)
    told = {"timestamp": call.stamp, "webhookEvent": event, "user": user, **content}
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    webhooks.emit(call.state, call.now, target, event, _headers(call, target.secret, body), body)


def _headers(call: Call, secret: str, body: bytes) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", "application/json; charset=UTF-8"),
        ("User-Agent", "Atlassian Webhook HTTP Client"),
        ("X-Atlassian-Webhook-Identifier", call.state.uuid()),
        ("X-Atlassian-Webhook-Flow", "Primary"),
    ]
    return [*headers, ("X-Hub-Signature", f"sha256={webhooks.sign(secret, body)}")] if secret else headers


def _told(call: Call) -> Call:
    """Webhooks always speak version 2 (wiki text)."""
    return replace(call, version=2)
