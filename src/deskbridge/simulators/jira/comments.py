"""Comments of issues."""

from collections.abc import Mapping
from typing import Any

from deskbridge.simulators.jira import catalogue, events, index, properties, richtext
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import bad_field, not_found
from deskbridge.simulators.store import Record


def add(call: Call, issue: Record, body: Mapping[str, Any]) -> Record:
    """A new comment from {"body", "visibility", "properties"}."""
    comment_id = str(call.state.next("comment.id", 10000))
    comment = {
        "id": comment_id,
        "issue": issue["id"],
        "author": call.account,
        "update_author": call.account,
        "body": _text(call, body),
        "created": call.stamp,
        "updated": call.stamp,
        "visibility": _visibility(body.get("visibility")),
        "properties": properties.parse_list(body.get("properties")),
    }
    call.state.table("comments").put(comment_id, comment)
    events.comment_event(call, "comment_created", issue, comment)
    _touch(call, issue, "issue_commented", comment)
    return comment


def find(call: Call, issue: Record, comment_id: str) -> Record:
    comment = call.state.table("comments").get(comment_id)
    if comment is None or comment["issue"] != issue["id"]:
        raise not_found(f"Can not find a comment for the id: {comment_id}.")
    return comment


def by_id(call: Call, comment_id: str) -> Record:
    comment = call.state.table("comments").get(comment_id)
    if comment is None:
        raise not_found(f"Can not find a comment for the id: {comment_id}.")
    return comment


def update(call: Call, issue: Record, comment: Record, body: Mapping[str, Any]) -> Record:
    """A changed text; visibility and properties stay unless they are given."""
    visibility = _visibility(body["visibility"]) if "visibility" in body else comment["visibility"]
    changed = {
        **comment,
        "body": _text(call, body),
        "visibility": visibility,
        "properties": comment["properties"] | properties.parse_list(body.get("properties")),
        "update_author": call.account,
        "updated": call.stamp,
    }
    call.state.table("comments").put(comment["id"], changed)
    events.comment_event(call, "comment_updated", issue, changed)
    _touch(call, issue, "issue_comment_edited", changed)
    return changed


def set_property(call: Call, comment: Record, key: str, value: object) -> bool:
    """Set a comment's property; whether it is new."""
    properties.check(key, value)
    changed = {**comment, "properties": {**comment["properties"], key: value}}
    call.state.table("comments").put(comment["id"], changed)
    return key not in comment["properties"]


def delete_property(call: Call, comment: Record, key: str) -> None:
    properties.of_comment(comment, key)
    rest = {name: value for name, value in comment["properties"].items() if name != key}
    call.state.table("comments").put(comment["id"], {**comment, "properties": rest})


def delete(call: Call, issue: Record, comment: Record) -> None:
    call.state.table("comments").delete(comment["id"])
    events.comment_event(call, "comment_deleted", issue, comment)
    _touch(call, issue, "issue_comment_deleted", None)


def _touch(call: Call, issue: Record, kind: str, comment: Record | None) -> None:
    changed = call.state.table("issues").put(issue["id"], {**issue, "updated": call.stamp})
    index.outdate(call, issue["id"], issue)
    events.issue_event(call, "issue_updated", kind, changed, comment=comment)


def _text(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    text = richtext.parse(call, "comment", body.get("body"))
    if text is None or not richtext.plain(text).strip():
        raise bad_field("comment", "Comment body can not be empty!")
    return text


def _visibility(given: object) -> dict[str, Any] | None:
    """{"type": "role"|"group", "value": name}: known names only."""
    if not given:
        return None
    settings = given if isinstance(given, dict) else {}
    choices = {"role": catalogue.ROLES, "group": catalogue.GROUPS}.get(str(settings.get("type")))
    if choices is None:
        raise bad_field("commentLevel", "The visibility type must be 'group' or 'role'.")
    wanted = settings.get("value")
    found = catalogue.find(choices, name=wanted) or catalogue.find(choices, id=settings.get("identifier", ""))
    if found is None:
        raise bad_field("commentLevel", f"{str(settings['type']).capitalize()} with name '{wanted}' does not exist.")
    return {"type": settings["type"], "value": found.name, "identifier": found.id}
