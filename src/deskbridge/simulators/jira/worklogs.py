"""Work logged on issues, and the estimate it eats."""

from collections.abc import Mapping
from typing import Any

from deskbridge.simulators.jira import events, index, properties, richtext, timing
from deskbridge.simulators.jira.call import Call
from deskbridge.simulators.jira.errors import bad, bad_field, not_found
from deskbridge.simulators.store import Record

_MOST_SECONDS = 10**9


def add(call: Call, issue: Record, body: Mapping[str, Any]) -> Record:
    """A new entry from {"timeSpent" | "timeSpentSeconds", "started", "comment", "properties"}."""
    seconds = _seconds(body)
    if seconds is None:
        raise bad_field("timeLogged", "You must indicate the time spent working on the issue.")
    worklog_id = str(call.state.next("worklog.id", 10000))
    worklog = {
        "id": worklog_id,
        "issue": issue["id"],
        "author": call.account,
        "update_author": call.account,
        "comment": richtext.parse(call, "comment", body.get("comment")),
        "created": call.stamp,
        "updated": call.stamp,
        "started": _started(body, call.stamp),
        "seconds": seconds,
        "properties": properties.parse_list(body.get("properties")),
    }
    remaining = _remaining(call, issue, -seconds)
    call.state.table("worklogs").put(worklog_id, worklog)
    events.worklog_event(call, "worklog_created", worklog)
    _recount(call, issue, remaining, "issue_worklog_added")
    return worklog


def find(call: Call, issue: Record, worklog_id: str) -> Record:
    worklog = call.state.table("worklogs").get(worklog_id)
    if worklog is None or worklog["issue"] != issue["id"]:
        raise not_found(f"Cannot find worklog with id: '{worklog_id}'.")
    return worklog


def update(call: Call, issue: Record, worklog: Record, body: Mapping[str, Any]) -> Record:
    seconds = _seconds(body) or worklog["seconds"]
    comment = richtext.parse(call, "comment", body["comment"]) if "comment" in body else worklog["comment"]
    changed = {
        **worklog,
        "comment": comment,
        "started": _started(body, worklog["started"]),
        "seconds": seconds,
        "properties": worklog["properties"] | properties.parse_list(body.get("properties")),
        "update_author": call.account,
        "updated": call.stamp,
    }
    remaining = _remaining(call, issue, worklog["seconds"] - seconds)
    call.state.table("worklogs").put(worklog["id"], changed)
    events.worklog_event(call, "worklog_updated", changed)
    _recount(call, issue, remaining, "issue_worklog_updated")
    return changed


def delete(call: Call, issue: Record, worklog: Record) -> None:
    remaining = _remaining(call, issue, worklog["seconds"])
    call.state.table("worklogs").delete(worklog["id"])
    row = {"id": worklog["id"], "at": call.stamp}
    call.state.table("deleted_worklogs").put(worklog["id"], row)
    events.worklog_event(call, "worklog_deleted", worklog)
    _recount(call, issue, remaining, "issue_worklog_deleted")


def _seconds(body: Mapping[str, Any]) -> int | None:
    """Whole minutes, as Jira keeps them; None when no time is given."""
    given = body.get("timeSpentSeconds")
    if given is None and body.get("timeSpent") is not None:
        given = timing.parse_duration(body["timeSpent"])
        if given is None:
            raise bad_field("timeLogged", f"Invalid time duration entered: {body['timeSpent']}")
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int):
        raise bad_field("timeLogged", "timeSpentSeconds must be a whole number")
    if not 60 <= given <= _MOST_SECONDS:
        raise bad_field("timeLogged", "Invalid time duration entered.")
    return given // 60 * 60


def _started(body: Mapping[str, Any], default: int) -> int:
    if body.get("started") is None:
        return default
    stamp = timing.parse_stamp(body["started"])
    if stamp is None:
        raise bad(
            f'Cannot deserialize value of type `java.util.Date` from "{body["started"]}": not a valid representation'
        )
    return stamp


def _remaining(call: Call, issue: Record, delta: int) -> int | None:
    """The estimate after the work, as `adjustEstimate` (auto, leave, new, manual) asks."""
    request, current = call.request, issue["timeestimate"]
    mode = request.param("adjustEstimate", "auto")
    if mode == "leave":
        kept: int | None = current
        return kept
    if mode == "new":
        return _duration("newEstimate", request.param("newEstimate"))
    if mode == "manual":
        less = -1 if delta < 0 else 1
        name = "reduceBy" if delta < 0 else "increaseBy"
        return max(0, (current or 0) + less * _duration(name, request.param(name)))
    if mode != "auto":
        raise bad_field("adjustEstimate", "must be one of 'new', 'leave', 'manual' or 'auto'")
    return None if current is None else max(0, current + delta)


def _duration(name: str, text: str) -> int:
    seconds = timing.parse_duration(text)
    if seconds is None:
        raise bad_field(name, f"Invalid duration '{text}'.")
    return seconds


def _recount(call: Call, issue: Record, remaining: int | None, kind: str) -> None:
    entries = call.state.table("worklogs").by("issue", issue["id"])
    spent = sum(entry["seconds"] for entry in entries) if entries else None
    changes = {"timespent": spent, "timeestimate": remaining, "updated": call.stamp}
    changed = call.state.table("issues").put(issue["id"], {**issue, **changes})
    index.outdate(call, issue["id"], issue)
    events.issue_event(call, "issue_updated", kind, changed)
