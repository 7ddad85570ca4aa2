"""Issues and their comments: what may be written, what becomes of it, and whom it is told."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from deskbridge.simulators import webhooks
from deskbridge.simulators.github.call import FULL_NAME, ME, MILESTONES, Call
from deskbridge.simulators.github.errors import RefusalError, invalid, not_found
from deskbridge.simulators.store import Record

MAX_TITLE, MAX_BODY = 256, 65536
_REASONS = ("completed", "not_planned", "duplicate")
Json = dict[str, Any]


def find(call: Call, number: str) -> Record:
    issue = call.state.table("issues").get(number)
    if issue is None:
        raise not_found()
    return issue


def create(call: Call, body: Mapping[str, Any]) -> Record:
    if body.get("title") is None:
        raise invalid("title", code="missing_field")
    number = call.state.next("issue")
    blank: Json = {
        "id": call.state.next("issue.id", 500_001),
        "number": number,
        "user": ME,
        "body": None,
        "state": "open",
        "state_reason": None,
        "labels": [],
        "milestone": None,
        "assignees": [],
        "comments": 0,
        "created_at": call.stamp,
        "updated_at": call.stamp,
        "closed_at": None,
    }
    given = {name: value for name, value in body.items() if name not in {"state", "state_reason"}}
    issue = call.state.table("issues").put(str(number), {**blank, **_changes(call, given)})
    tell(call, "issues", "opened", issue)
    return issue


def update(call: Call, issue: Record, body: Mapping[str, Any]) -> Record:
    """Change what was given; unknown names are ignored, as GitHub does. Nothing happens when nothing differs."""
    changes = _changes(call, body) | _moved(call, issue, body)
    if all(issue[name] == value for name, value in changes.items()):
        return issue
    changed = touch(call, {**issue, **changes})
    action = {"open": "reopened", "closed": "closed"}[changed["state"]]
    tell(call, "issues", action if changed["state"] != issue["state"] else "edited", changed)
    return changed


def _changes(call: Call, body: Mapping[str, Any]) -> Json:
    changes: Json = {}
    if "title" in body:
        changes["title"] = _title(body["title"])
    if "body" in body:
        changes["body"] = text(body["body"], "body") or None
    if "labels" in body:
        changes["labels"] = _labels(body["labels"])
    if "milestone" in body:
        changes["milestone"] = _milestone(body["milestone"])
    if "assignees" in body:
        changes["assignees"] = _assignees(call, body["assignees"])
    return changes


def _title(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise invalid("title", code="missing_field")
    if len(value) > MAX_TITLE:
        raise invalid("title", text=f"title is too long (maximum is {MAX_TITLE} characters)")
    return value.strip()


def text(value: object, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(field, value)
    if len(value) > MAX_BODY:
        raise invalid(field, text=f"{field} is too long (maximum is {MAX_BODY} characters)")
    return value


def _labels(value: object) -> list[str]:
    """Labels that do not exist yet are made."""
    names = [one.get("name") if isinstance(one, dict) else one for one in value] if isinstance(value, list) else [None]
    if not all(isinstance(name, str) and 0 < len(name) <= 50 for name in names):
        raise invalid("labels", value)
    return list(dict.fromkeys(str(name) for name in names))


def _milestone(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value in MILESTONES):
        return value
    raise invalid("milestone", value)


def _assignees(call: Call, value: object) -> list[int]:
    chosen: list[int] = []
    for login in value if isinstance(value, list) else [value]:
        found = call.state.table("users").by("login", login) if isinstance(login, str) else []
        if not found:
            raise invalid("assignees", login)
        chosen.append(found[0]["id"])
    return chosen


def _moved(call: Call, issue: Record, body: Mapping[str, Any]) -> Json:
    if "state" not in body:
        return {}
    state, reason = body["state"], body.get("state_reason")
    if state not in ("open", "closed"):
        raise invalid("state", state)
    if state == "open":
        return {"state": state, "state_reason": None if issue["state"] == "open" else "reopened", "closed_at": None}
    if reason not in (None, *_REASONS):
        raise invalid("state_reason", reason)
    return {"state": state, "state_reason": reason or "completed", "closed_at": issue["closed_at"] or call.stamp}


def touch(call: Call, issue: Record) -> Record:
    return call.state.table("issues").put(str(issue["number"]), {**issue, "updated_at": call.stamp})


# Comments


def comments_of(call: Call, issue: Record) -> list[Record]:
    return sorted(call.state.table("comments").by("issue", issue["number"]), key=lambda one: int(one["id"]))


def comment(call: Call, comment_id: str) -> Record:
    found = call.state.table("comments").get(comment_id)
    if found is None:
        raise not_found()
    return found


def add_comment(call: Call, issue: Record, body: Mapping[str, Any], user: int = ME) -> Record:
    comment_id = call.state.next("comment.id", 700_001)
    made = {
        "id": comment_id,
        "issue": issue["number"],
        "user": user,
        "body": _comment_text(body),
        "created_at": call.stamp,
        "updated_at": call.stamp,
    }
    call.state.table("comments").put(str(comment_id), made)
    changed = touch(call, {**issue, "comments": issue["comments"] + 1})
    tell(call, "issue_comment", "created", changed, made)
    return made


def edit_comment(call: Call, old: Record, body: Mapping[str, Any]) -> Record:
    changed = {**old, "body": _comment_text(body), "updated_at": call.stamp}
    call.state.table("comments").put(str(old["id"]), changed)
    tell(call, "issue_comment", "edited", touch(call, find(call, str(old["issue"]))), changed)
    return changed


def delete_comment(call: Call, old: Record) -> None:
    call.state.table("comments").delete(str(old["id"]))
    issue = find(call, str(old["issue"]))
    tell(call, "issue_comment", "deleted", touch(call, {**issue, "comments": issue["comments"] - 1}), old)


def _comment_text(body: Mapping[str, Any]) -> str:
    written = text(body.get("body"), "body")
    if not written.strip():
        raise RefusalError(
            422, "Validation Failed", [{"resource": "IssueComment", "code": "missing_field", "field": "body"}]
        )
    return written


# As JSON, and to webhooks


def shown(call: Call, issue: Record) -> Json:
    number = issue["number"]
    return {
        "url": f"{call.repository}/issues/{number}",
        "html_url": f"{call.base}/{FULL_NAME}/issues/{number}",
        **{name: issue[name] for name in ("id", "number", "title", "body", "state", "state_reason", "comments")},
        "user": user(call, issue["user"]),
        "labels": [{"name": name, "color": "ededed"} for name in issue["labels"]],
        "milestone": milestone(issue["milestone"]) if issue["milestone"] else None,
        "assignees": [user(call, one) for one in issue["assignees"]],
        **{name: issue[name] for name in ("created_at", "updated_at", "closed_at")},
    }


def milestone(number: int) -> Json:
    return {"number": number, "title": MILESTONES[number], "state": "open"}


def user(call: Call, user_id: int) -> Json:
    """Somebody as others see them: names and addresses only come with the account itself."""
    return {"login": call.state.table("users")[str(user_id)]["login"], "id": user_id, "type": "User"}


def shown_comment(call: Call, one: Record) -> Json:
    kept = {name: one[name] for name in ("id", "body", "created_at", "updated_at")}
    return {"url": f"{call.repository}/issues/comments/{one['id']}", **kept, "user": user(call, one["user"])}


def tell(call: Call, event: str, action: str, issue: Record, about: Record | None = None) -> None:
    """Put a webhook into the outbox, signed as GitHub signs."""
    target = webhooks.target(call.state)
    if target is None:
        return
    content: Json = {"action": action, "issue": shown(call, issue), "sender": user(call, ME)}
    content["repository"] = {"full_name": FULL_NAME, "private": not call.is_public}
    if about is not None:
        content["comment"] = shown_comment(call, about)
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    headers = [("Content-Type", "application/json"), ("User-Agent", "GitHub-Hookshot/simulated")]
    headers += [("X-GitHub-Event", event), ("X-GitHub-Delivery", call.state.uuid())]
    if target.secret:
        headers.append(("X-Hub-Signature-256", f"sha256={webhooks.sign(target.secret, body)}"))
        headers.append(("X-Hub-Signature", f"sha1={hmac.new(target.secret.encode(), body, hashlib.sha1).hexdigest()}"))
    webhooks.emit(call.state, call.now, target, event, headers, body)
