"""What the pages show: rows turned into the shapes of the shared shell."""

from collections.abc import Mapping, Sequence

from deskbridge.simulators.pages import Cell, Entry, Form, Input, ListView, RecordView, Skin
from deskbridge.simulators.servicenow import incident as rules
from deskbridge.simulators.servicenow import rendering, rows, values
from deskbridge.simulators.servicenow.context import Context
from deskbridge.simulators.servicenow.schema import (
    AWAITING_CALLER,
    CANCELED,
    CLOSED,
    IN_PROGRESS,
    NEW,
    ON_HOLD,
    RESOLVED,
    TABLES,
)
from deskbridge.simulators.store import Record
from deskbridge.simulators.wire import url

MOST = 200
MOST_MINUTES = 365 * 24 * 60
SKIN = Skin(
    "servicenow",
    "ServiceNow",
    (
        ("Incidents", "/incident_list.do"),
        ("Open", "/incident_list.do?sysparm_query=active%3Dtrue%5EORDERBYpriority"),
        ("Time Worked", "/task_time_worked_list.do"),
        ("Users", "/sys_user_list.do"),
    ),
    "Desk Integration",
)
_STATE_TONES = {NEW: "info", IN_PROGRESS: "info", ON_HOLD: "warning", RESOLVED: "good"}
_PRIORITY_TONES = {"1": "bad", "2": "warning"}
_LISTED = (
    "opened_at",
    "short_description",
    "caller_id",
    "priority",
    "state",
    "category",
    "assignment_group",
    "assigned_to",
)
_DETAILS = (
    "caller_id",
    "category",
    "subcategory",
    "contact_type",
    "impact",
    "urgency",
    "priority",
    "hold_reason",
    "assignment_group",
    "assigned_to",
    "opened_at",
    "opened_by",
    "sys_updated_on",
    "resolved_at",
    "resolved_by",
    "close_code",
    "close_notes",
    "closed_at",
    "reopen_count",
    "correlation_id",
    "correlation_display",
)
_EDITED = (
    "caller_id",
    "category",
    "subcategory",
    "contact_type",
    "impact",
    "urgency",
    "assignment_group",
    "assigned_to",
    "short_description",
    "description",
)
_MOVES = {
    IN_PROGRESS: "Start work",
    ON_HOLD: "Put on hold",
    RESOLVED: "Resolve",
    CLOSED: "Close",
    CANCELED: "Cancel incident",
}
_ALLOWED = {
    NEW: (IN_PROGRESS, ON_HOLD, RESOLVED, CANCELED),
    IN_PROGRESS: (ON_HOLD, RESOLVED, CANCELED),
    ON_HOLD: (IN_PROGRESS, RESOLVED, CANCELED),
    RESOLVED: (IN_PROGRESS, CLOSED),
}


def address(sys_id: str, **more: str) -> str:
    return url("/incident.do", [("sys_id", sys_id), *((f"sysparm_{name}", value) for name, value in more.items())])


def incidents(context: Context, found: Sequence[Record], query: str, problem: str) -> ListView:
    labels = [TABLES["incident"].by_name[name].label for name in _LISTED]
    return ListView(
        "Incidents",
        ["Number", *labels],
        [[Cell(row["number"], href=address(row["sys_id"])), *_cells(context, row, _LISTED)] for row in found],
        create=("New", address("-1")),
        query=query,
        query_name="sysparm_query",
        query_label="Filter (encoded query)",
        error=problem,
        empty="No records to display",
    )


def users(context: Context) -> ListView:
    names = ("user_name", "name", "title", "email", "active")
    columns = [TABLES["sys_user"].by_name[name] for name in names]
    found = rows.of(context.state, "sys_user")
    shown = [[Cell(rendering.display(context, column, row)) for column in columns] for row in found]
    return ListView("Users", [column.label for column in columns], shown)


def worked(context: Context) -> ListView:
    found = rows.of(context.state, "task_time_worked")[-MOST:]
    shown = [
        [
            Cell(rows.name(context.state, "task", row["task"]), href=address(row["task"])),
            Cell(rows.name(context.state, "sys_user", row["user"])),
            Cell(values.spoken(row["time_worked"])),
            Cell(row["comments"]),
            Cell(values.local(row["sys_created_on"], context.zone)),
        ]
        for row in reversed(found)
    ]
    return ListView("Time Worked", ["Task", "User", "Time worked", "Comments", "Created"], shown)


def incident(context: Context, row: Record, problem: str = "") -> RecordView:
    sys_id = row["sys_id"]
    files = rows.related(context.state, "sys_attachment", "table_sys_id", sys_id)
    fields = [(TABLES["incident"].by_name[name].label, _cell(context, row, name)) for name in _DETAILS]
    return RecordView(
        row["number"],
        row["short_description"] or "(no short description)",
        _cell(context, row, "state"),
        [(label, cell) for label, cell in fields if cell.text],
        body=row["description"],
        trail=[("Incidents", "/incident_list.do")],
        transitions=[_move(row, state) for state in _ALLOWED.get(row["state"], ())],
        edit="" if row["state"] in rules.FINAL else address(sys_id, view="edit"),
        sections=[("Activities", _activities(context, row)), ("Time worked", _time(context, row))],
        attachments=[
            Cell(f"{file['file_name']} ({int(file['size_bytes']):,} bytes)", href=_file(file)) for file in files
        ],
        forms=() if row["state"] in rules.FINAL else _forms(sys_id),
        error=problem,
    )


def new_form(context: Context, given: Mapping[str, str] | None = None, problem: str = "") -> Form:
    blank = {name: column.default for name, column in TABLES["incident"].by_name.items()}
    fields = _inputs(context, {**blank, **(given or {})})
    return Form(address("-1"), "Submit", fields, "New incident", problem, cancel="/incident_list.do")


def edit_form(context: Context, row: Record, problem: str = "") -> Form:
    action = address(row["sys_id"], action="edit")
    title = f"Incident {row['number']}"
    return Form(action, "Update", _inputs(context, row), title, problem, cancel=address(row["sys_id"]))


def _cells(context: Context, row: Record, names: Sequence[str]) -> list[Cell]:
    return [_cell(context, row, name) for name in names]


def _cell(context: Context, row: Record, name: str) -> Cell:
    tones = {"state": _STATE_TONES, "priority": _PRIORITY_TONES}.get(name)
    tone = tones.get(row[name], "neutral") if tones is not None else ""
    return Cell(rendering.display(context, TABLES["incident"].by_name[name], row), tone)


def _file(row: Record) -> str:
    return url("/sys_attachment.do", [("sys_id", row["sys_id"])])


def _activities(context: Context, row: Record) -> list[Entry]:
    return [
        Entry(
            rendering.author(context, entry),
            values.local(entry["sys_created_on"], context.zone),
            entry["value"],
            "Work note" if entry["element"] == "work_notes" else "",
        )
        for entry in reversed(rendering.journal(context, row))
    ]


def _time(context: Context, row: Record) -> list[Entry]:
    return [
        Entry(
            rows.name(context.state, "sys_user", worked["user"]),
            values.local(worked["sys_created_on"], context.zone),
            " · ".join(part for part in (values.spoken(worked["time_worked"]), worked["comments"]) if part),
        )
        for worked in rows.related(context.state, "task_time_worked", "task", row["sys_id"])
    ]


def _move(row: Record, state: str) -> Form:
    """A button for a change of state, with the fields which that state demands."""
    label = "Reopen" if row["state"] == RESOLVED and state == IN_PROGRESS else _MOVES[state]
    return Form(address(row["sys_id"], action="move", state=state), label, _demanded(row, state))


def _demanded(row: Record, state: str) -> Sequence[Input]:
    columns = TABLES["incident"].by_name
    if state == ON_HOLD:
        reasons = columns["hold_reason"].choices
        hint = "Required when the incident waits for its caller"
        return (
            Input("hold_reason", "On hold reason", "select", AWAITING_CALLER, reasons, required=True),
            Input("comments", "Additional comments", "textarea", hint=hint),
        )
    if state == RESOLVED:
        codes = columns["close_code"].choices
        return (
            Input("close_code", "Resolution code", "select", row["close_code"] or codes[0][0], codes, required=True),
            Input("close_notes", "Resolution notes", "textarea", row["close_notes"], required=True),
        )
    return ()


def _forms(sys_id: str) -> Sequence[Form]:
    elements = (("comments", "Additional comments (customer visible)"), ("work_notes", "Work notes (private)"))
    post = (
        Input("element", "Journal", "select", "comments", elements),
        Input("text", "Text", "textarea", required=True),
        Input("as_caller", "Post as the caller", "checkbox"),
    )
    time = (
        Input("minutes", "Minutes", "number", required=True),
        Input("comments", "Comments"),
    )
    return (
        Form(address(sys_id, action="post"), "Post", post, "Compose"),
        Form(address(sys_id, action="time"), "Log time", time, "Log time worked"),
        Form(
            address(sys_id, action="attach"),
            "Attach",
            (Input("file", "File", "file", required=True),),
            "Manage attachments",
            has_file=True,
        ),
    )


def _inputs(context: Context, row: Mapping[str, str]) -> list[Input]:
    return [_input(context, row, name) for name in _EDITED]


def _input(context: Context, row: Mapping[str, str], name: str) -> Input:
    column = TABLES["incident"].by_name[name]
    if column.choices:
        return Input(name, column.label, "select", row[name], (("", "-- None --"), *column.choices))
    if column.reference:
        people = [(other["sys_id"], other["name"]) for other in rows.of(context.state, column.reference)]
        return Input(name, column.label, "select", row[name], (("", "-- None --"), *people))
    kind = "textarea" if name == "description" else "text"
    return Input(name, column.label, kind, row[name], required=name == "short_description")
