"""The tables of this instance, with the columns of a real one: clients rely on getting every column, empty or not."""

from deskbridge.simulators.servicenow.columns import (
    SYSTEM,
    Column,
    TableDefinition,
    choice,
    duration,
    flag,
    level,
    moment,
    number,
    ref,
    text,
)

NEW, IN_PROGRESS, ON_HOLD, RESOLVED, CLOSED, CANCELED = "1", "2", "3", "6", "7", "8"
AWAITING_CALLER = "1"
IMPORT_TABLE = "u_desk_incident"

STATES = (
    (NEW, "New"),
    (IN_PROGRESS, "In Progress"),
    (ON_HOLD, "On Hold"),
    (RESOLVED, "Resolved"),
    (CLOSED, "Closed"),
    (CANCELED, "Canceled"),
)
LEVELS = (("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low"))
PRIORITIES = (
    ("1", "1 - Critical"),
    ("2", "2 - High"),
    ("3", "3 - Moderate"),
    ("4", "4 - Low"),
    ("5", "5 - Planning"),
)
HOLD_REASONS = (
    (AWAITING_CALLER, "Awaiting Caller"),
    ("5", "Awaiting Change"),
    ("3", "Awaiting Problem"),
    ("4", "Awaiting Vendor"),
)
CLOSE_CODES = tuple(
    (name, name)
    for name in (
        "Duplicate",
        "Known error",
        "No resolution provided",
        "Resolved by caller",
        "Resolved by change",
        "Resolved by problem",
        "Resolved by request",
        "Solution provided",
        "Workaround provided",
        "User error",
    )
)
CATEGORIES = (
    ("inquiry", "Inquiry / Help"),
    ("software", "Software"),
    ("hardware", "Hardware"),
    ("network", "Network"),
    ("database", "Database"),
)
SUBCATEGORIES = {
    "inquiry": ("antivirus", "email", "internal application"),
    "software": ("email", "os"),
    "hardware": ("cpu", "disk", "keyboard", "memory", "monitor", "mouse"),
    "network": ("dhcp", "dns", "ip address", "vpn", "wireless"),
    "database": ("db2", "oracle", "sql server"),
}
_SUBCATEGORY_LABELS = {
    "antivirus": "Antivirus",
    "email": "Email",
    "internal application": "Internal Application",
    "os": "Operating System",
    "cpu": "CPU",
    "disk": "Disk",
    "keyboard": "Keyboard",
    "memory": "Memory",
    "monitor": "Monitor",
    "mouse": "Mouse",
    "dhcp": "DHCP",
    "dns": "DNS",
    "ip address": "IP Address",
    "vpn": "VPN",
    "wireless": "Wireless",
    "db2": "DB2",
    "oracle": "Oracle",
    "sql server": "MS SQL Server",
}
_CONTACT_TYPES = (
    ("email", "Email"),
    ("phone", "Phone"),
    ("self-service", "Self-service"),
    ("virtual_agent", "Virtual Agent"),
    ("walk-in", "Walk-in"),
)
_APPROVALS = (
    ("not requested", "Not Yet Requested"),
    ("requested", "Requested"),
    ("approved", "Approved"),
    ("rejected", "Rejected"),
)
_ESCALATIONS = (("0", "Normal"), ("1", "Moderate"), ("2", "High"), ("3", "Overdue"))
_UPON = (("proceed", "Proceed to Next Task"), ("cancel", "Cancel all future Tasks"), ("do_nothing", "Do Nothing"))
_NOTIFY = (("1", "Do Not Notify"), ("2", "Send Email"))

_TASK = (
    *SYSTEM,
    Column("number", "Number", read_only=True),
    Column("sys_class_name", "Task type", "sys_class_name", 80, read_only=True),
    Column("sys_domain", "Domain", "domain_id", 32, default="global", read_only=True),
    Column("sys_domain_path", "Domain Path", "domain_path", 255, default="/", read_only=True),
    Column("task_effective_number", "Effective number", read_only=True),
    flag("active", "Active", "true", read_only=True),
    moment("activity_due", "Activity due"),
    text("additional_assignee_list", "Additional assignee list", 4000),
    choice("approval", "Approval", _APPROVALS, "not requested"),
    text("approval_history", "Approval history", 4000),
    moment("approval_set", "Approval set"),
    ref("assigned_to", "Assigned to", "sys_user"),
    ref("assignment_group", "Assignment group", "sys_user_group"),
    duration("business_duration", "Business duration"),
    ref("business_service", "Service", "cmdb_ci_service"),
    duration("calendar_duration", "Duration"),
    text("close_notes", "Resolution notes", 4000),
    moment("closed_at", "Closed", read_only=True),
    ref("closed_by", "Closed by", "sys_user"),
    ref("cmdb_ci", "Configuration item", "cmdb_ci"),
    Column("comments", "Additional comments", "journal_input", 4000),
    Column("comments_and_work_notes", "Comments and Work notes", "journal_list", 4000, read_only=True),
    ref("company", "Company", "core_company"),
    choice("contact_type", "Channel", _CONTACT_TYPES),
    ref("contract", "Contract", "ast_contract"),
    text("correlation_display", "Correlation display", 100),
    text("correlation_id", "Correlation ID", 100),
    ref("delivery_plan", "Delivery plan", "sc_cat_item_delivery_plan"),
    ref("delivery_task", "Delivery task", "sc_cat_item_delivery_task"),
    text("description", "Description", 4000),
    moment("due_date", "Due date"),
    level("escalation", "Escalation", _ESCALATIONS, "0"),
    moment("expected_start", "Expected start"),
    moment("follow_up", "Follow up"),
    text("group_list", "Group list", 4000),
    level("impact", "Impact", LEVELS, "3"),
    flag("knowledge", "Knowledge"),
    ref("location", "Location", "cmn_location"),
    flag("made_sla", "Made SLA", "true"),
    moment("opened_at", "Opened"),
    ref("opened_by", "Opened by", "sys_user"),
    number("order", "Order"),
    ref("parent", "Parent", "task"),
    Column("priority", "Priority", "integer", choices=PRIORITIES, default="5", read_only=True),
    number("reassignment_count", "Reassignment count", "0", read_only=True),
    ref("rejection_goto", "Rejection goto", "task"),
    text("route_reason", "Transfer reason"),
    ref("service_offering", "Service offering", "service_offering"),
    text("short_description", "Short description", 160),
    moment("sla_due", "SLA due"),
    level("state", "State", STATES, NEW),
    Column("time_worked", "Time worked", "timer"),
    ref("universal_request", "Universal Request", "task"),
    choice("upon_approval", "Upon approval", _UPON, "proceed"),
    choice("upon_reject", "Upon reject", _UPON, "cancel"),
    level("urgency", "Urgency", LEVELS, "3"),
    text("user_input", "User input", 4000),
    text("watch_list", "Watch list", 4000),
    moment("work_end", "Actual end"),
    Column("work_notes", "Work notes", "journal_input", 4000),
    text("work_notes_list", "Work notes list", 4000),
    moment("work_start", "Actual start"),
)

_INCIDENT = (
    *_TASK,
    text("business_impact", "Business impact", 4000),
    number("business_stc", "Business resolve time"),
    number("calendar_stc", "Resolve time", read_only=True),
    ref("caller_id", "Caller", "sys_user"),
    choice("category", "Category", CATEGORIES, "inquiry"),
    text("cause", "Probable cause", 4000),
    ref("caused_by", "Caused by Change", "change_request"),
    number("child_incidents", "Child Incidents", "0", read_only=True),
    choice("close_code", "Resolution code", CLOSE_CODES),
    level("hold_reason", "On hold reason", HOLD_REASONS),
    level("incident_state", "Incident state", STATES, NEW),
    level("notify", "Notify", _NOTIFY, "1"),
    text("origin_id", "Origin", 32),
    text("origin_table", "Origin table", 80),
    ref("parent_incident", "Parent Incident", "incident"),
    ref("problem_id", "Problem", "problem"),
    number("reopen_count", "Reopen count", "0", read_only=True),
    ref("reopened_by", "Last reopened by", "sys_user"),
    moment("reopened_time", "Last reopened at", read_only=True),
    moment("resolved_at", "Resolved", read_only=True),
    ref("resolved_by", "Resolved by", "sys_user"),
    ref("rfc", "Change Request", "change_request"),
    level("severity", "Severity", LEVELS, "3"),
    Column(
        "subcategory",
        "Subcategory",
        choices=tuple(_SUBCATEGORY_LABELS.items()),
        depends_on="category",
        dependents=SUBCATEGORIES,
    ),
)

_USER = (
    *SYSTEM,
    flag("active", "Active", "true"),
    ref("company", "Company", "core_company"),
    ref("department", "Department", "cmn_department"),
    text("email", "Email", 100),
    text("employee_number", "Employee number"),
    text("first_name", "First name", 50),
    text("last_name", "Last name", 50),
    ref("location", "Location", "cmn_location"),
    flag("locked_out", "Locked out"),
    ref("manager", "Manager", "sys_user"),
    text("mobile_phone", "Mobile phone"),
    text("name", "Name", 151),
    text("phone", "Business phone"),
    text("preferred_language", "Language"),
    text("roles", "Roles", 255),
    Column("sys_class_name", "Class", "sys_class_name", 80, default="sys_user", read_only=True),
    text("time_zone", "Time zone"),
    text("title", "Title", 60),
    text("user_name", "User ID"),
    flag("vip", "VIP"),
    flag("web_service_access_only", "Web service access only"),
)

_GROUP = (
    *SYSTEM,
    flag("active", "Active", "true"),
    text("description", "Description", 1000),
    text("email", "Group email", 100),
    ref("manager", "Manager", "sys_user"),
    text("name", "Name", 80),
    ref("parent", "Parent", "sys_user_group"),
    text("type", "Type", 1024),
)

_MEMBER = (*SYSTEM, ref("group", "Group", "sys_user_group"), ref("user", "User", "sys_user"))

_JOURNAL = (
    Column("sys_id", "Sys ID", "GUID", 32, read_only=True),
    moment("sys_created_on", "Created", read_only=True),
    Column("sys_created_by", "Created by", read_only=True),
    Column("sys_tags", "Tags", read_only=True),
    text("element", "Element", 80),
    Column("element_id", "Element ID", "GUID", 32),
    text("name", "Name", 80),
    text("value", "Value", 4000),
)

_TIME_WORKED = (
    *SYSTEM,
    text("category", "Time card category"),
    text("comments", "Comments", 4000),
    ref("task", "Task", "task"),
    number("time_in_seconds", "Time in seconds"),
    Column("time_worked", "Time worked", "timer"),
    ref("user", "User", "sys_user"),
    Column("work_date", "Work date", "glide_date"),
)

_ATTACHMENT = (
    *SYSTEM,
    text("average_image_color", "Average image color"),
    number("chunk_size_bytes", "Chunk size bytes", "734003"),
    flag("compressed", "Compressed", "true"),
    text("content_type", "Content type", 255),
    text("file_name", "File name", 255),
    text("hash", "Hash", 64),
    number("image_height", "Image height"),
    number("image_width", "Image width"),
    number("size_bytes", "Size bytes"),
    number("size_compressed", "Size compressed"),
    text("state", "State", default="available"),
    text("table_name", "Table name", 80),
    Column("table_sys_id", "Table sys ID", "GUID", 32),
)

STAGED = (
    "correlation_id",
    "correlation_display",
    "short_description",
    "description",
    "state",
    "hold_reason",
    "close_code",
    "close_notes",
    "impact",
    "urgency",
    "category",
    "subcategory",
    "contact_type",
    "caller_id",
    "assigned_to",
    "assignment_group",
    "opened_at",
    "due_date",
    "comments",
    "work_notes",
)
"""The incident columns that the import set's transform map fills, each from its staging column `u_<name>`."""

_STAGING = (
    *SYSTEM,
    text("sys_import_set", "Set"),
    text("sys_import_state", "State"),
    text("sys_import_state_comment", "Comment", 4000),
    text("sys_target_table", "Target table", 80),
    Column("sys_target_sys_id", "Target record", "GUID", 32),
    text("sys_transform_map", "Transform map"),
    *(text(f"u_{name}", f"u_{name}", 4000) for name in STAGED),
)

_CHOICE = (
    *SYSTEM,
    text("dependent_value", "Dependent value"),
    text("element", "Element", 80),
    text("hint", "Hint", 4000),
    flag("inactive", "Inactive"),
    text("label", "Label", 255),
    text("language", "Language", default="en"),
    text("name", "Table", 80),
    number("sequence", "Sequence"),
    text("value", "Value", 255),
)

_DICTIONARY = (
    *SYSTEM,
    flag("active", "Active", "true"),
    number("choice", "Choice"),
    text("column_label", "Column label", 80),
    text("default_value", "Default value", 4000),
    flag("display", "Display"),
    text("element", "Column name", 80),
    text("internal_type", "Type"),
    flag("mandatory", "Mandatory"),
    number("max_length", "Max length"),
    text("name", "Table", 80),
    flag("read_only", "Read only"),
    text("reference", "Reference"),
)

_DB_OBJECT = (
    *SYSTEM,
    text("label", "Label", 80),
    text("name", "Name", 80),
    text("super_class", "Extends table", 80),
)

_EVERYTHING = frozenset({"read", "insert", "update", "delete"})

TABLES: dict[str, TableDefinition] = {
    definition.name: definition
    for definition in (
        TableDefinition("task", "Task", _TASK, "number"),
        TableDefinition("incident", "Incident", _INCIDENT, "number", "task", _EVERYTHING),
        TableDefinition("sys_user", "User", _USER),
        TableDefinition("sys_user_group", "Group", _GROUP),
        TableDefinition("sys_user_grmember", "Group Member", _MEMBER, "user"),
        TableDefinition("sys_journal_field", "Journal Entry", _JOURNAL, "element"),
        TableDefinition("task_time_worked", "Time Worked", _TIME_WORKED, "sys_created_on", "", _EVERYTHING),
        TableDefinition("sys_attachment", "Attachment", _ATTACHMENT, "file_name", "", frozenset({"read", "delete"})),
        TableDefinition(IMPORT_TABLE, "Desk incident", _STAGING, "u_correlation_id"),
        TableDefinition("sys_choice", "Choice", _CHOICE, "label"),
        TableDefinition("sys_dictionary", "Dictionary Entry", _DICTIONARY, "column_label"),
        TableDefinition("sys_db_object", "Table", _DB_OBJECT, "label"),
    )
}


def family(table: str) -> list[str]:
    """The tables whose rows a query on `table` sees: itself and those that extend it."""
    return [table, *(name for name, definition in TABLES.items() if definition.extends == table)]
