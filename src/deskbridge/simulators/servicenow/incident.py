"""What happens to an incident when it is saved: data policies, computed priority, the state model and its stamps."""

from collections.abc import Mapping

from deskbridge.simulators.servicenow import errors, values
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.schema import (
    AWAITING_CALLER,
    CANCELED,
    CLOSED,
    IN_PROGRESS,
    ON_HOLD,
    RESOLVED,
)
from deskbridge.simulators.store import Record

PRIORITY = {
    ("1", "1"): "1",
    ("1", "2"): "2",
    ("1", "3"): "3",
    ("2", "1"): "2",
    ("2", "2"): "3",
    ("2", "3"): "4",
    ("3", "1"): "3",
    ("3", "2"): "4",
    ("3", "3"): "5",
}
"""Priority by impact and urgency."""
FINAL = frozenset({CLOSED, CANCELED})
"""States in which an incident is read-only for everybody but administrators."""
_OVER = FINAL | {RESOLVED}


def save(context: Context, old: Record, new: dict[str, str], journals: Mapping[str, str]) -> dict[str, str]:
    """The incident as it is stored; `old` is the row before (defaults only, without sys_id, for a new one).

    FailureError when a policy or access rule refuses it.
    """
    if old.get("sys_id") and old["state"] in FINAL:
        raise errors.acl("Update")
    _join_states(old, new)
    _caller_replies(context, old, new, journals)
    new["priority"] = PRIORITY.get((new["impact"], new["urgency"]), new["priority"])
    _require(old, new, journals)
    if new["state"] != ON_HOLD:
        new["hold_reason"] = ""
    new["active"] = "false" if new["state"] in FINAL else "true"
    _count_reassignment(old, new)
    if new["state"] != old["state"]:
        _move(context, old, new)
    return new


def _join_states(old: Record, new: dict[str, str]) -> None:
    """`state` and the older `incident_state` are one thing under two names; `state` wins."""
    if new["state"] == old["state"]:
        new["state"] = new["incident_state"]
    new["incident_state"] = new["state"]


def _caller_replies(context: Context, old: Record, new: dict[str, str], journals: Mapping[str, str]) -> None:
    """A comment of the caller for whom the incident waits brings it back to In Progress, without anybody asking."""
    waits = old["state"] == new["state"] == ON_HOLD and old["hold_reason"] == AWAITING_CALLER
    if waits and "comments" in journals and new["caller_id"] == context.user["sys_id"]:
        new["state"] = new["incident_state"] = IN_PROGRESS


def _require(old: Record, new: Mapping[str, str], journals: Mapping[str, str]) -> None:
    missing = []
    if new["state"] in {RESOLVED, CLOSED}:
        wanted = {"close_code": "Resolution code", "close_notes": "Resolution notes"}
        missing += [label for name, label in wanted.items() if not new[name].strip()]
    if new["state"] == ON_HOLD and not new["hold_reason"]:
        missing.append("On hold reason")
    if _begins_to_wait(old, new) and "comments" not in journals:
        missing.append("Additional comments")
    if missing:
        raise errors.data_policy(missing)


def _begins_to_wait(old: Record, new: Mapping[str, str]) -> bool:
    """Whoever makes the incident wait for its caller must tell the caller what for."""
    waits = new["state"] == ON_HOLD and new["hold_reason"] == AWAITING_CALLER
    return waits and (old["state"], old["hold_reason"]) != (ON_HOLD, AWAITING_CALLER)


def _count_reassignment(old: Record, new: dict[str, str]) -> None:
    if old["assignment_group"] and new["assignment_group"] != old["assignment_group"]:
        new["reassignment_count"] = str(int(old["reassignment_count"]) + 1)


def _move(context: Context, old: Record, new: dict[str, str]) -> None:
    """The stamps of a change of state."""
    if old["state"] == RESOLVED and new["state"] not in _OVER:
        _reopen(context, new)
    if new["state"] in {RESOLVED, CLOSED} and not new["resolved_at"]:
        new["resolved_at"] = context.stamp
        new["resolved_by"] = new["resolved_by"] or context.user["sys_id"]
        _measure(new)
    if new["state"] in FINAL:
        new["closed_at"] = context.stamp
        new["closed_by"] = new["closed_by"] or context.user["sys_id"]


def _reopen(context: Context, new: dict[str, str]) -> None:
    new["reopen_count"] = str(int(new["reopen_count"]) + 1)
    new["reopened_time"] = context.stamp
    new["reopened_by"] = context.user["sys_id"]
    new["resolved_at"] = new["resolved_by"] = new["calendar_stc"] = new["calendar_duration"] = ""


def _measure(new: dict[str, str]) -> None:
    opened, resolved = (values.parse_stamp(new[name]) for name in ("opened_at", "resolved_at"))
    if opened and resolved:
        length = max(0, int((resolved - opened).total_seconds()))
        new["calendar_stc"], new["calendar_duration"] = str(length), values.duration(length)
