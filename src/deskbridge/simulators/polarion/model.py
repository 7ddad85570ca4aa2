"""What an administrator configured: project DESK, its types, enumerations, workflow, fields and users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PROJECT = "DESK"
PROJECT_NAME = "Desk"
TYPES = {"task": "Task", "defect": "Defect"}
CUSTOM_FIELDS = {"deskRef": "Desk Reference"}
"""Configured custom fields (id to label), all of type string and for all work item types."""


@dataclass(frozen=True)
class Option:
    """One value of an enumeration; `min_value` is the lower bound of a priority."""

    id: str
    name: str
    default: bool = False
    terminal: bool = False
    min_value: float | None = None

    def to_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "hidden": False, "default": self.default}
        if self.terminal:
            shown["terminal"] = True
        if self.min_value is not None:
            shown["minValue"] = self.min_value
        return shown


_STATUSES = (
    Option("open", "Open", default=True),
    Option("in_progress", "In Progress"),
    Option("done", "Done"),
    Option("verified", "Verified", terminal=True),
)
_RESOLUTIONS = (
    Option("done", "Done"),
    Option("fixed", "Fixed"),
    Option("duplicate", "Duplicate"),
    Option("invalid", "Invalid"),
    Option("wont_do", "Won't Do"),
)
_PRIORITIES = (
    Option("90.0", "Highest", min_value=80.0),
    Option("70.0", "High", min_value=60.0),
    Option("50.0", "Medium", default=True, min_value=40.0),
    Option("30.0", "Low", min_value=20.0),
    Option("10.0", "Lowest", min_value=0.0),
)
_SEVERITIES = {
    "task": (
        Option("must_have", "Must Have"),
        Option("should_have", "Should Have", default=True),
        Option("nice_to_have", "Nice to Have"),
        Option("will_not_have", "Will not Have"),
    ),
    "defect": (
        Option("blocker", "Blocker"),
        Option("critical", "Critical"),
        Option("major", "Major"),
        Option("normal", "Normal", default=True),
        Option("minor", "Minor"),
        Option("trivial", "Trivial"),
    ),
}
ENUMS = ("type", "status", "severity", "priority", "resolution")
"""The work item fields whose values are enumeration ids."""


def options(field_id: str, item_type: str) -> Sequence[Option]:
    """The values an enumeration field can have for a type; empty for a type that is not configured (a ghost)."""
    if field_id == "type":
        return tuple(Option(key, name, default=key == "task") for key, name in TYPES.items())
    if item_type not in TYPES:
        return ()
    shared = {"status": _STATUSES, "resolution": _RESOLUTIONS, "priority": _PRIORITIES}
    return _SEVERITIES[item_type] if field_id == "severity" else shared.get(field_id, ())


def default_option(field_id: str, item_type: str) -> str | None:
    return next((option.id for option in options(field_id, item_type) if option.default), None)


def option_name(field_id: str, item_type: str, value: str) -> str:
    """What people read; a ghost is shown by its raw id."""
    return next((option.name for option in options(field_id, item_type) if option.id == value), value)


@dataclass(frozen=True)
class Action:
    """One workflow step out of a status. `id` is what `?workflowAction=` takes (Polarion's nativeActionId)."""

    number: str
    id: str
    name: str
    source: str
    target: str
    required: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()


WORKFLOW = (
    Action("1", "start_progress", "Start Progress", "open", "in_progress"),
    Action("2", "stop_progress", "Stop Progress", "in_progress", "open"),
    Action("3", "mark_done", "Mark Done", "in_progress", "done", required=("resolution",)),
    Action("4", "verify", "Verify", "done", "verified"),
    Action("5", "reopen", "Reopen", "done", "open", cleared=("resolution",)),
    Action("5", "reopen", "Reopen", "verified", "open", cleared=("resolution",)),
)


def actions(item_type: str, status: str) -> list[Action]:
    """The steps the workflow offers; none for a ghost type or status."""
    return [action for action in WORKFLOW if action.source == status] if item_type in TYPES else []


@dataclass(frozen=True)
class Field:
    """A standard work item field: its label, its kind in `getFieldsMetadata`, and whether clients may write it."""

    label: str
    kind: str
    writable: bool = True


FIELDS: Mapping[str, Field] = {
    "id": Field("ID", "string", writable=False),
    "type": Field("Type", "enumeration"),
    "title": Field("Title", "string"),
    "description": Field("Description", "text/html"),
    "status": Field("Status", "enumeration"),
    "severity": Field("Severity", "enumeration"),
    "priority": Field("Priority", "enumeration"),
    "resolution": Field("Resolution", "enumeration"),
    "resolvedOn": Field("Resolved On", "date-time"),
    "created": Field("Created", "date-time", writable=False),
    "updated": Field("Updated", "date-time", writable=False),
    "dueDate": Field("Due Date", "date"),
    "plannedStart": Field("Planned Start", "date-time"),
    "plannedEnd": Field("Planned End", "date-time"),
    "initialEstimate": Field("Initial Estimate", "duration"),
    "remainingEstimate": Field("Remaining Estimate", "duration"),
    "timeSpent": Field("Time Spent", "duration"),
    "hyperlinks": Field("Hyperlinks", "structure"),
    "outlineNumber": Field("Outline Number", "string", writable=False),
}


@dataclass(frozen=True)
class User:
    id: str
    name: str
    email: str
    initials: str


USERS = (
    User("desk", "Desk Agent", "desk@example.org", "DA"),
    User("mrossi", "Maria Rossi", "maria.rossi@example.org", "MR"),
    User("jweber", "Jonas Weber", "jonas.weber@example.org", "JW"),
    User("atanaka", "Aiko Tanaka", "aiko.tanaka@example.org", "AT"),
)
"""The same people as in the other simulated trackers, by e-mail."""
INTEGRATION_USER = "desk"
