"""What the enum values are called on the pages, with their glyph and hue."""

from dataclasses import dataclass

from deskbridge.ui.languages import N_


@dataclass(frozen=True, slots=True)
class Word:
    """`hue` names a colour token; it is the third cue after the glyph and the text."""

    text: str
    glyph: str = ""
    hue: str = ""


STATUS = {
    "NEW": Word(N_("New"), "circle-dashed", "accent"),
    "OPEN": Word(N_("Open"), "circle-dot", "info"),
    "IN_PROGRESS": Word(N_("In progress"), "circle-half", "info"),
    "PENDING_INFO": Word(N_("Waiting for customer"), "clock", "warn"),
    "ESCALATED": Word(N_("Escalated"), "circle-arrow-up", "danger"),
    "RESOLVED": Word(N_("Resolved"), "circle-check", "ok"),
    "CLOSED": Word(N_("Closed"), "check"),
    "REOPENED": Word(N_("Reopened"), "rotate-ccw", "warn"),
}
CUSTOMER_STATUS = {
    "NEW": Word(N_("Received"), "circle-dashed", "accent"),
    "OPEN": Word(N_("In progress"), "circle-half", "info"),
    "IN_PROGRESS": Word(N_("In progress"), "circle-half", "info"),
    "PENDING_INFO": Word(N_("Waiting for you"), "clock", "warn"),
    "ESCALATED": Word(N_("In progress"), "circle-half", "info"),
    "RESOLVED": Word(N_("Solved"), "circle-check", "ok"),
    "CLOSED": Word(N_("Closed"), "check"),
    "REOPENED": Word(N_("In progress"), "circle-half", "info"),
}
PRIORITY = {
    "P1": Word(N_("Critical")),
    "P2": Word(N_("High")),
    "P3": Word(N_("Medium")),
    "P4": Word(N_("Low")),
}
IMPACT = {
    "CRITICAL": Word(N_("Critical")),
    "HIGH": Word(N_("High")),
    "MEDIUM": Word(N_("Medium")),
    "LOW": Word(N_("Low")),
}
ENVIRONMENT = {
    "PRODUCTION": Word(N_("Production")),
    "STAGING": Word(N_("Staging")),
    "DEVELOPMENT": Word(N_("Development")),
    "TEST": Word(N_("Test")),
}
CHANNEL = {
    "PORTAL": Word(N_("Portal"), "globe"),
    "API": Word(N_("API"), "link"),
    "EMAIL": Word(N_("E-mail"), "mail"),
    "PHONE": Word(N_("Phone"), "phone"),
    "SYNC": Word(N_("Sync"), "refresh-cw"),
    "IMPORT": Word(N_("Import"), "download"),
}
ROLE = {
    "END_USER": Word(N_("Customer")),
    "AGENT": Word(N_("Agent")),
    "TEAM_LEAD": Word(N_("Team lead")),
    "MANAGER": Word(N_("Manager")),
    "ADMIN": Word(N_("Administrator")),
}
# The categories that ship; an administrator's own are shown as they were named.
CATEGORY = {
    "INCIDENT": Word(N_("Incident")),
    "SERVICE_REQUEST": Word(N_("Service request")),
    "BUG": Word(N_("Bug")),
    "FEATURE_REQUEST": Word(N_("Feature request")),
    "SUPPORT": Word(N_("Support")),
    "FACILITY_MANAGEMENT": Word(N_("Facility management")),
    "TECHNICAL_IT": Word(N_("Technical IT")),
    "SERVICE_COMPLAINT": Word(N_("Service complaint")),
}
# Sync, as its monitor tells of it.
HEALTH = {
    "healthy": Word(N_("Healthy"), "circle-check", "ok"),
    "lagging": Word(N_("Lagging"), "clock", "warn"),
    "failing": Word(N_("Failing"), "circle-alert", "danger"),
    "paused": Word(N_("Paused"), "pause"),
    "never run": Word(N_("Never run"), "circle-dashed"),
}
CONNECTION = {
    "DRAFT": Word(N_("Draft")),
    "REHEARSED": Word(N_("Tested, not started")),
    "ACTIVE": Word(N_("Working")),
    "PAUSED": Word(N_("Paused")),
    "STOPPED": Word(N_("Stopped by the desk")),
}
BREAKER = {
    "OUTAGE": Word(N_("tracker not reached")),
    "THROTTLED": Word(N_("tracker asks for slowness")),
    "QUOTA": Word(N_("quota used up")),
    "AUTH": Word(N_("credentials refused")),
}
FAILURE = {
    "auth": Word(N_("Credentials refused")),
    "outage": Word(N_("Tracker not reached")),
    "rejected": Word(N_("Refused by the tracker")),
    "unmapped": Word(N_("No value for this in the mapping")),
    "invalid": Word(N_("Not valid here")),
    "left out": Word(N_("Left out")),
    "unknown outcome": Word(N_("Outcome unknown")),
    "suspected duplicate": Word(N_("Suspected duplicate")),
    "record gone": Word(N_("Record gone")),
    "defect": Word(N_("Fault of the desk")),
}
LINK = {
    "creating": Word(N_("being created")),
    "unknown": Word(N_("outcome unknown")),
    "active": Word(N_("in step")),
    "candidate": Word(N_("no ticket yet")),
    "ignored": Word(N_("left alone")),
    "orphan_remote": Word(N_("ticket gone")),
    "orphan_local": Word(N_("record gone")),
    "tombstone": Word(N_("unlinked")),
    "paused": Word(N_("paused")),
}
SYNC_EVENT = {
    "synced": Word(N_("Brought in step")),
    "children": Word(N_("Comments, files or times taken over")),
    "failed": Word(N_("Failed")),
    "outcome.unknown": Word(N_("Outcome unknown")),
    "held.up": Word(N_("Held up")),
    "linked": Word(N_("Linked")),
    "linked by hand": Word(N_("Linked by hand")),
    "linked again": Word(N_("Linked again")),
    "link.filed": Word(N_("To be filed")),
    "link.closed": Word(N_("Link closed")),
    "unlinked": Word(N_("Unlinked")),
    "paused": Word(N_("Paused")),
    "failure.retried": Word(N_("Tried again")),
    "failure.discarded": Word(N_("Failure discarded")),
    "conflict.settled": Word(N_("Conflict settled")),
}
# What a history entry says; {old} and {new} are shown values, {field} a field's name.
HISTORY = {
    "CREATED": N_("opened this ticket"),
    "STATUS_CHANGE": N_("changed the status from {old} to {new}"),
    "PRIORITY_CHANGE": N_("changed the priority from {old} to {new}"),
    "ASSIGNMENT_CHANGE": N_("assigned it to {new}"),
    "UPDATE": N_("changed the {field} from {old} to {new}"),
    "COMMENT_ADDED": N_("wrote a message"),
    "COMMENT_UPDATED": N_("edited a message"),
    "COMMENT_DELETED": N_("deleted a message"),
    "ATTACHMENT_ADDED": N_("attached {new}"),
    "ATTACHMENT_DELETED": N_("removed the attachment {old}"),
    "TIME_LOGGED": N_("logged {new} minutes"),
    "RESOLVED": N_("resolved the ticket"),
    "CLOSED": N_("closed the ticket"),
    "REOPENED": N_("reopened the ticket"),
    "ESCALATED": N_("escalated the ticket"),
    "SLA_BREACH": N_("missed target: {field}"),
    "LINKED": N_("linked {new}"),
    "SYNCED": N_("synchronised {new}"),
    "SYNC_CONFLICT": N_("sync conflict in the {field}"),
}
FIELD = {
    "title": N_("title"),
    "description": N_("description"),
    "category": N_("category"),
    "priority": N_("priority"),
    "status": N_("status"),
    "environment": N_("environment"),
    "affected_service": N_("affected service"),
    "impact_level": N_("impact"),
    "tags": N_("tags"),
    "assignee": N_("assignee"),
    "team": N_("team"),
    "requester": N_("requester"),
    "external_ref": N_("external reference"),
    "resolution_notes": N_("resolution"),
}
# What the fields of forms and filters are called where a message names them.
LABEL = {
    "title": N_("Subject"),
    "description": N_("What happened?"),
    "category": N_("Category"),
    "priority": N_("Priority"),
    "status": N_("Status"),
    "team": N_("Team"),
    "assignee": N_("Assignee"),
    "requester": N_("Requester"),
    "q": N_("Search"),
    "affected_service": N_("Affected service"),
    "environment": N_("Environment"),
    "impact_level": N_("Impact"),
    "tags": N_("Tags"),
    "content": N_("Message"),
    "file": N_("File"),
    "notes": N_("Note for your colleagues"),
    "resolution_notes": N_("How was it solved?"),
    "escalated_reason": N_("Reason"),
    "closed_reason": N_("Reason"),
    "reopened_reason": N_("Reason"),
    "reason": N_("Reason"),
    "username": N_("Sign-in name"),
    "password": N_("Password"),
    "name": N_("Name"),
    "email": N_("E-mail address"),
    "phone": N_("Phone number"),
    "locale": N_("Language"),
    "time_zone": N_("Time zone"),
}
MILESTONES = {"RESOLVED", "CLOSED", "REOPENED", "ESCALATED"}
NOBODY = N_("Nobody")
ME = N_("Me")
UNASSIGNED = N_("took the assignee away")
UNLINKED = N_("unlinked {old}")
EMPTY = N_("empty")

VALUES = {
    "status": STATUS,
    "priority": PRIORITY,
    "impact_level": IMPACT,
    "environment": ENVIRONMENT,
    "category": CATEGORY,
}
# History speaks to customers in their words for a status, which are already chosen.
SAID_TO_CUSTOMERS = {word.text: word for word in CUSTOMER_STATUS.values()}
LONGEST_SHOWN = 120  # characters of an old or new text in a history line


def cut(value: str) -> str:
    return value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "…"


def plain(value: str) -> str:
    """A word for a value without one: OFFICE_MOVES → Office moves."""
    return value.replace("_", " ").capitalize() if value.isupper() else value
