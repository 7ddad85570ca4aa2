"""Issues: created, changed, deleted; with their history, and the events that tell of it."""

from collections.abc import Callable, Mapping
from typing import Any

from deskbridge.simulators.jira import catalogue, comments, events, fields, index, properties, richtext, worklogs
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.catalogue import FIELDS, Field
from deskbridge.simulators.jira.errors import JiraError, bad, bad_field, no_issue, not_settable
from deskbridge.simulators.jira.fields import Changes
from deskbridge.simulators.store import Record

Settable = Callable[[Field], bool]
_REQUIRED = {
    "project": "Specify a valid project ID or key",
    "issuetype": "Specify an issue type",
    "summary": "You must specify a summary of the issue.",
}
_EMPTY_AT_FIRST = (
    *("description", "environment", "assignee", "reporter", "priority", "resolution", "resolutiondate", "duedate"),
    *("timespent", "timeestimate", "timeoriginalestimate"),
)
_HIDDEN_IN_HISTORY = {"updated", "resolutiondate", "statuscategorychangedate"}
_CHILDREN = ("comments", "worklogs", "attachments", "histories", "properties")


def find(call: Call, id_or_key: str) -> Record:
    """An issue by id or key; 404 when there is none."""
    issues = call.state.table("issues")
    record = issues.get(id_or_key) or next(iter(issues.by("key", id_or_key.upper())), None)
    if record is None:
        raise no_issue()
    return record


def create(call: Call, body: Mapping[str, Any]) -> Record:
    """A new issue from {"fields", "update", "properties"}."""
    given = body.get("fields")
    changes = fields.parse_all(call, given if given is not None else {}, lambda field: "create" in field.edit)
    missing = {name: text for name, text in _REQUIRED.items() if changes.get(name) is None}
    if missing:
        raise JiraError(400, errors=missing)
    blank = _blank(call)
    changes |= _operations(call, {**blank, **changes}, body, lambda field: "create" in field.edit)
    record = {**blank, **changes}
    record["reporter"] = record["reporter"] or call.account
    record["priority"] = record["priority"] or catalogue.DEFAULT_PRIORITY
    call.state.table("issues").put(record["id"], record)
    index.outdate(call, record["id"], None)
    properties.set_all(call, record, body.get("properties"))
    append_children(call, record, body)
    events.issue_event(call, "issue_created", "issue_created", record)
    return find(call, record["id"])


def _blank(call: Call) -> dict[str, Any]:
    number = call.state.next("issue.number")
    custom = [field.id for field in FIELDS.values() if field.is_custom]
    never = dict.fromkeys([*_EMPTY_AT_FIRST, *custom])
    return {
        **never,
        "id": str(call.state.next("issue.id", 10000)),
        "key": f"{catalogue.PROJECT_KEY}-{number}",
        "number": number,
        "status": catalogue.TODO,
        "labels": [],
        "components": [],
        "fixVersions": [],
        "creator": call.account,
        "created": call.stamp,
        "updated": call.stamp,
        "statuscategorychangedate": call.stamp,
    }


def update(call: Call, issue: Record, body: Mapping[str, Any]) -> None:
    """Change an issue by {"fields", "update", "properties"}; status and resolution only change by transitions."""
    _refuse_unknown(body)
    changes = changes_of(call, issue, body, lambda field: field.is_on_screen)
    apply(call, issue, changes, "issue_updated")
    properties.set_all(call, issue, body.get("properties"))
    append_children(call, find(call, issue["id"]), body)


def changes_of(call: Call, issue: Record, body: Mapping[str, Any], settable: Settable) -> Changes:
    """What `fields` and `update` of a body would change; a field may stand in one of them only."""
    given = body.get("fields") or {}
    operated = body.get("update") or {}
    if not isinstance(given, dict) or not isinstance(operated, dict):
        raise bad("Invalid request payload. Refer to the REST API documentation and try again.")
    for name in given:
        if name in operated:
            raise bad_field(name, f"Field '{name}' cannot appear in both 'fields' and 'update'")
    changes = fields.parse_all(call, given, settable)
    return changes | _operations(call, {**issue, **changes}, body, settable)


def _refuse_unknown(body: Mapping[str, Any]) -> None:
    if not (body.get("fields") or body.get("update") or body.get("properties")):
        raise bad("one of 'fields' or 'update' required")


def _operations(call: Call, issue: Record, body: Mapping[str, Any], settable: Settable) -> Changes:
    changes: Changes = {}
    for name, operations in (body.get("update") or {}).items():
        if name in {"comment", "worklog"}:
            continue
        field = FIELDS.get(name)
        if field is None or not settable(field):
            raise not_settable(name)
        changes |= fields.apply_operations(call, {**issue, **changes}, field, operations)
    return changes


def append_children(call: Call, issue: Record, body: Mapping[str, Any]) -> None:
    """The comments and worklogs that came in `update`."""
    operated = body.get("update") or {}
    for name, add in (("comment", comments.add), ("worklog", worklogs.add)):
        operations = operated.get(name) or []
        for operation in operations if isinstance(operations, list) else [None]:
            if not isinstance(operation, dict) or list(operation) != ["add"] or not isinstance(operation["add"], dict):
                raise bad_field(name, f"Field '{name}' supports only the operation 'add' here")
            add(call, find(call, issue["id"]), operation["add"])


def apply(call: Call, issue: Record, changes: Changes, kind: str) -> Record:
    """Write what really differs, with a history entry and an event; nothing happens when nothing does."""
    issue = find(call, issue["id"])
    differing = {name: value for name, value in changes.items() if issue[name] != value}
    if not differing:
        return issue
    items = [_item(call, issue, name, value) for name, value in differing.items() if name not in _HIDDEN_IN_HISTORY]
    changed = write(call, issue, differing)
    history_id = str(call.state.next("history.id", 10000))
    entry = {"id": history_id, "issue": issue["id"], "author": call.account, "created": call.stamp, "items": items}
    call.state.table("histories").put(history_id, entry)
    events.issue_event(call, "issue_updated", kind, changed, items)
    return changed


def write(call: Call, issue: Record, changes: Changes) -> Record:
    """Store changes under a new `updated` stamp, without history or event."""
    changed = call.state.table("issues").put(issue["id"], {**issue, **changes, "updated": call.stamp})
    index.outdate(call, issue["id"], issue)
    return changed


def _item(call: Call, issue: Record, name: str, value: Any) -> dict[str, Any]:
    field = FIELDS[name]
    before, after = _told(call, field, issue[name]), _told(call, field, value)
    return {
        "field": field.name if field.is_custom else name,
        "fieldtype": "custom" if field.is_custom else "jira",
        "fieldId": name,
        "from": before[0],
        "fromString": before[1],
        "to": after[0],
        "toString": after[1],
    }


def _told(call: Call, field: Field, value: Any) -> tuple[str | None, str | None]:
    """A value for the history: its id (for things that have one) and its text."""
    if value is None:
        return None, None
    if field.kind == "rich":
        return None, richtext.wiki_text(value)
    if field.kind == "status":
        return value, catalogue.status(value).name
    if field.kind == "user":
        return value, call.state.table("users")[value]["displayName"]
    if isinstance(value, list):
        names = [choice.name for choice in field.choices if choice.id in value] if field.choices else value
        return None, " ".join(names)
    if field.choices and (choice := catalogue.find(field.choices, id=value)):
        return choice.id, choice.name
    return None, str(value)


def delete(call: Call, issue: Record) -> None:
    """Remove an issue with everything that belongs to it."""
    events.issue_event(call, "issue_deleted", "issue_deleted", issue)
    for table in _CHILDREN:
        for child in call.state.table(table).by("issue", issue["id"]):
            call.state.table(table).delete(child["id"])
            call.state.blobs.delete(f"attachment/{child['id']}")
    call.state.table("issues").delete(issue["id"])
    index.outdate(call, issue["id"], issue)
