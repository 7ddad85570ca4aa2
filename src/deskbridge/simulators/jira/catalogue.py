"""What a fresh Jira site holds: its users, the project DESK, types, workflow, picklists and fields."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deskbridge.simulators.product import USER
from deskbridge.simulators.store import Record, State

PROJECT_ID = "10000"
PROJECT_KEY = "DESK"
PROJECT_NAME = "Service Desk"


@dataclass(frozen=True, slots=True)
class Named:
    """A picklist value: found by id or by name."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    id: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of the workflow; `required` fields must come with it, `clears` empties fields."""

    id: str
    name: str
    source: str
    target: str
    required: Sequence[str] = ()
    clears: Sequence[str] = ()


TODO, PROGRESS, REVIEW, DONE = "10000", "3", "10001", "10002"
STATUSES = (
    Status(TODO, "To Do", "new"),
    Status(PROGRESS, "In Progress", "indeterminate"),
    Status(REVIEW, "In Review", "indeterminate"),
    Status(DONE, "Done", "done"),
)
CATEGORIES: Mapping[str, Mapping[str, Any]] = {
    "new": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "indeterminate": {"id": 4, "key": "indeterminate", "colorName": "yellow", "name": "In Progress"},
    "done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
TRANSITIONS = (
    Transition("11", "Start Progress", TODO, PROGRESS),
    Transition("21", "Request Review", PROGRESS, REVIEW),
    Transition("31", "Done", REVIEW, DONE, required=("resolution",)),
    Transition("41", "Stop Progress", PROGRESS, TODO),
    Transition("51", "Reject", REVIEW, PROGRESS),
    Transition("61", "Reopen", DONE, TODO, clears=("resolution",)),
)
ISSUE_TYPES = (
    Named("10001", "Task", "A small, distinct piece of work."),
    Named("10002", "Bug", "A problem or error."),
    Named("10003", "Story", "A user's goal."),
)
PRIORITIES = (Named("1", "Highest"), Named("2", "High"), Named("3", "Medium"), Named("4", "Low"), Named("5", "Lowest"))
DEFAULT_PRIORITY = "3"
RESOLUTIONS = (
    Named("10000", "Done", "Work has been completed on this issue."),
    Named("10001", "Won't Do", "This issue won't be actioned."),
    Named("10002", "Duplicate", "The problem is a duplicate of an existing issue."),
    Named("10003", "Cannot Reproduce", "All attempts at reproducing this issue failed."),
)
COMPONENTS = (Named("10000", "Portal"), Named("10001", "API"), Named("10002", "Infrastructure"))
VERSIONS = (Named("10000", "1.0"), Named("10001", "1.1"))
IMPACTS = (Named("10100", "Critical"), Named("10101", "High"), Named("10102", "Medium"), Named("10103", "Low"))
ROLES = (Named("10002", "Administrators"), Named("10010", "Service Desk Team"))
GROUPS = (Named("g-1", "jira-administrators"), Named("g-2", "jira-software-users"))


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an issue. `kind` says how its value is written and searched; `edit` is where it may be set."""

    id: str
    name: str
    kind: str
    edit: str = ""
    choices: Sequence[Named] = ()
    clauses: Sequence[str] = ()

    @property
    def is_custom(self) -> bool:
        return self.id.startswith("customfield_")

    @property
    def is_on_screen(self) -> bool:
        """Settable with PUT (and mostly with create)."""
        return "edit" in self.edit


DESK_REF = "customfield_10050"
DESK_MINUTES = "customfield_10051"
IMPACT = "customfield_10052"
_SET = "create edit"
FIELDS = {
    field.id: field
    for field in (
        Field("issuetype", "Issue Type", "issuetype", _SET, ISSUE_TYPES, ("issuetype", "type")),
        Field("project", "Project", "project", "create", (), ("project",)),
        Field("summary", "Summary", "summary", _SET, (), ("summary",)),
        Field("description", "Description", "rich", _SET, (), ("description",)),
        Field("environment", "Environment", "rich", _SET, (), ("environment",)),
        Field("priority", "Priority", "priority", _SET, PRIORITIES, ("priority",)),
        Field("labels", "Labels", "labels", _SET, (), ("labels",)),
        Field("components", "Components", "components", _SET, COMPONENTS, ("component",)),
        Field("fixVersions", "Fix versions", "versions", _SET, VERSIONS, ("fixVersion",)),
        Field("assignee", "Assignee", "user", _SET, (), ("assignee",)),
        Field("reporter", "Reporter", "user", _SET, (), ("reporter",)),
        Field("duedate", "Due date", "date", _SET, (), ("due", "duedate")),
        Field("timetracking", "Time tracking", "timetracking", _SET),
        Field(DESK_REF, "Desk Ref", "text", _SET, (), ("cf[10050]", "Desk Ref")),
        Field(DESK_MINUTES, "Desk Minutes", "number", _SET, (), ("cf[10051]", "Desk Minutes")),
        Field(IMPACT, "Impact", "option", _SET, IMPACTS, ("cf[10052]", "Impact")),
        Field("resolution", "Resolution", "resolution", "transition", RESOLUTIONS, ("resolution",)),
        Field("comment", "Comment", "comment", "", (), ("comment",)),
        Field("worklog", "Log Work", "worklog"),
        Field("attachment", "Attachment", "attachment", "", (), ("attachments",)),
        Field("status", "Status", "status", "", (), ("status",)),
        Field("statuscategorychangedate", "Status Category Changed", "datetime"),
        Field("creator", "Creator", "user", "", (), ("creator",)),
        Field("created", "Created", "datetime", "", (), ("created", "createdDate")),
        Field("updated", "Updated", "datetime", "", (), ("updated", "updatedDate")),
        Field("resolutiondate", "Resolved", "datetime", "", (), ("resolutiondate", "resolved")),
        Field("timespent", "Time Spent", "seconds", "", (), ("timespent",)),
        Field("timeestimate", "Remaining Estimate", "seconds", "", (), ("remainingEstimate", "timeestimate")),
        Field("timeoriginalestimate", "Original estimate", "seconds", "", (), ("originalEstimate",)),
    )
}
_TYPES = {
    "rich": "string",
    "summary": "string",
    "text": "string",
    "date": "date",
    "datetime": "datetime",
    "number": "number",
    "seconds": "number",
    "timetracking": "timetracking",
}
_ITEMS = {
    "labels": "string",
    "components": "component",
    "versions": "version",
    "attachment": "attachment",
    "worklog": "worklog",
}
_CUSTOM_TYPES = {"text": "textfield", "number": "float", "option": "select"}


def schema(field: Field) -> dict[str, Any]:
    """The `schema` object that metadata gives for a field."""
    if field.kind in _ITEMS:
        described: dict[str, Any] = {"type": "array", "items": _ITEMS[field.kind]}
    else:
        described = {"type": _TYPES.get(field.kind, field.kind)}
    if field.kind == "comment":
        described["type"] = "comments-page"
    if not field.is_custom:
        return {**described, "system": field.id}
    custom = f"com.atlassian.jira.plugin.system.customfieldtypes:{_CUSTOM_TYPES[field.kind]}"
    return {**described, "custom": custom, "customId": int(field.id.removeprefix("customfield_"))}


def find(choices: Sequence[Named], *, id: object = None, name: object = None) -> Named | None:  # noqa: A002
    """A choice by id, or by name without regard to case."""
    for choice in choices:
        if id is not None and str(id) == choice.id:
            return choice
        if id is None and isinstance(name, str) and name.lower() == choice.name.lower():
            return choice
    return None


def status(status_id: str) -> Status:
    return next(one for one in STATUSES if one.id == status_id)


DESK_ACCOUNT = "5b10a2844c20165700ede21f"
_USERS = (
    (DESK_ACCOUNT, "desk", "Desk Agent", USER),
    ("5b10ac8d82e05b22cc7d4ef5", "mrossi", "Maria Rossi", "maria.rossi@example.org"),
    ("5b109f2e9729b51b54dc274d", "jweber", "Jonas Weber", "jonas.weber@example.org"),
    ("70121:60ac1cde-4f1b-4c34-a1f7-0a5d3e6f1b22", "atanaka", "Aiko Tanaka", "aiko.tanaka@example.org"),
)


def seed(state: State) -> None:
    """The users; everything else that is fresh stands above."""
    for account, name, display, mail in _USERS:
        user = {"accountId": account, "name": name, "displayName": display, "emailAddress": mail, "active": True}
        state.table("users").put(account, user)


def user_by(state: State, field: str, value: str) -> Record | None:
    return next(iter(state.table("users").by(field, value)), None)
