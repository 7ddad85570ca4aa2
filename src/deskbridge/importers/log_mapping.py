"""What a ServiceNow incident log says in the desk's words: pure functions from events to tickets and history."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from deskbridge.importers.log_file import LogEvent
from deskbridge.kit.ids import derived_id
from deskbridge.kit.text import clean_line
from deskbridge.tickets.fields import SERVICE_LENGTH, TITLE_LENGTH
from deskbridge.tickets.history import Change, status_changes
from deskbridge.tickets.model import NEVER, Audience, Channel, HistoryType, ImpactLevel, Priority, Status
from deskbridge.tickets.workflow import FINISHED

SOURCE = "servicenow-log"
NO_CATEGORY = "INCIDENT"
"""The shipped category for an incident whose own is unknown: every record of the log is an incident."""

STATUSES = {
    "New": Status.NEW,
    "Active": Status.IN_PROGRESS,
    "Resolved": Status.RESOLVED,
    "Closed": Status.CLOSED,
}
AWAITING = "Awaiting "
PRIORITIES = {
    "1 - Critical": Priority.P1,
    "2 - High": Priority.P2,
    "3 - Moderate": Priority.P3,
    "4 - Low": Priority.P4,
}
IMPACTS = {"1 - High": ImpactLevel.HIGH, "2 - Medium": ImpactLevel.MEDIUM, "3 - Low": ImpactLevel.LOW}


def status_of(state: str | None) -> Status | None:
    """Return the status for an incident state; None for one that has no counterpart."""
    if state is not None and state.startswith(AWAITING):
        return Status.PENDING_INFO
    return STATUSES.get(state or "")


def category_key(name: str | None) -> str:
    """Return the category's key in the desk: `Category 55` is `CATEGORY_55`."""
    if name is None:
        return NO_CATEGORY
    return "_".join("".join(c if c.isalnum() else " " for c in name.upper()).split())[:60] or NO_CATEGORY


def title_of(event: LogEvent) -> str:
    """Return a title, since the log has none: category / subcategory and symptom, as far as they are known."""
    kind = " / ".join(value for column in ("category", "subcategory") if (value := event.get(column)))
    title = ": ".join(part for part in (kind, event.get("u_symptom")) if part)
    return clean_line(title or f"Incident {event.get('number')}")[: TITLE_LENGTH[1]]


@dataclass(frozen=True)
class State:
    """What an incident looks like after an event, in the desk's words; `team` and `assignee` as the log names them."""

    title: str
    category: str
    priority: Priority
    impact_level: ImpactLevel | None
    affected_service: str | None
    team: str | None
    assignee: str | None
    status: Status
    reopened: int


def state_after(event: LogEvent, before: State | None) -> State:
    """Return the state after an event; what has no counterpart in the desk stays as it was."""
    impact = event.get("impact")
    reopened = event.get("reopen_count") or ""
    return State(
        title=title_of(event),
        category=category_key(event.get("category")),
        priority=PRIORITIES.get(event.get("priority") or "") or (before.priority if before else Priority.P3),
        impact_level=IMPACTS.get(impact) if impact else None,
        affected_service=(event.get("cmdb_ci") or "")[:SERVICE_LENGTH] or None,
        team=event.get("assignment_group"),
        assignee=event.get("assigned_to"),
        status=status_of(event.get("incident_state")) or (before.status if before else Status.NEW),
        reopened=int(reopened) if reopened.isascii() and reopened.isdigit() else before.reopened if before else 0,
    )


def unmapped(event: LogEvent) -> Iterator[tuple[str, str]]:
    """Yield the columns and values of an event that the desk has no counterpart for."""
    if status_of(event.get("incident_state")) is None:
        yield "incident_state", event.raw["incident_state"]
    if event.get("priority") not in PRIORITIES:
        yield "priority", event.raw["priority"]
    if event.get("impact") not in {None, *IMPACTS}:
        yield "impact", event.raw["impact"]


def states(events: Sequence[LogEvent]) -> list[State]:
    """Return the states of an incident: as it was opened, then after each event.

    The log begins where it begins: its first event may find the incident assigned or resolved. Opened, every ticket is
    NEW and nobody's.
    """
    first = state_after(events[0], None)
    walked = [replace(first, status=Status.NEW, team=None, assignee=None)]
    for event in events:
        walked.append(state_after(event, walked[-1]))
    return walked


# History


PLAIN = ("title", "category", "impact_level", "affected_service")
ASSIGNMENT = ("team", "assignee")


def changes(before: State, after: State) -> Iterator[Change]:
    """Yield what an event changed, as the desk's own use cases would have written it."""
    changed = {f.name for f in fields(State) if getattr(before, f.name) != getattr(after, f.name)}
    for name in ("priority", *PLAIN, *ASSIGNMENT):
        if name in changed:
            yield Change(_TYPES.get(name, HistoryType.UPDATE), name, getattr(before, name), getattr(after, name))
    if "status" in changed:
        yield from status_changes(before.status, after.status)
    if after.reopened > before.reopened or (before.status in FINISHED and after.status not in FINISHED):
        yield Change(HistoryType.REOPENED, audience=Audience.PUBLIC)


_TYPES = {
    "priority": HistoryType.PRIORITY_CHANGE,
    "team": HistoryType.ASSIGNMENT_CHANGE,
    "assignee": HistoryType.ASSIGNMENT_CHANGE,
}


def ticket_id(events: Sequence[LogEvent]) -> UUID:
    """Return the id of an incident's ticket, the same in every run."""
    return derived_id(events[0].opened_at, SOURCE, "ticket", events[0].get("number") or "")


def entry_id(event: LogEvent, nth: int, place: int) -> UUID:
    """Return the id of an event's `nth` history entry; `place` keeps the order of the file within one instant."""
    number = event.get("number") or ""
    return derived_id(event.at, SOURCE, "event", number, str(event.copy), str(nth), *event.raw.values(), place=place)


class Entry(NamedTuple):
    """One history entry with its id, time and metadata, and the log's name of who made it."""

    id: UUID
    at: datetime
    change: Change
    actor: str | None
    details: dict[str, Any]


UNTOLD = {"sys_mod_count", "sys_updated_at", "sys_updated_by"}
"""Columns that change with every event and tell nothing of their own."""


def entries(events: Sequence[LogEvent]) -> Iterator[Entry]:
    """Yield the whole history of an incident: CREATED, then one or more entries for each event, in the file's order.

    Each entry says which line it comes from, and the first of an event also what else it changed in the log; an event
    that changed nothing the desk has a field for becomes an UPDATE with its raw row.
    """
    first = events[0]
    opened = min(first.opened_at, *(event.at for event in events))
    yield Entry(
        derived_id(opened, SOURCE, "created", first.get("number") or ""),
        opened,
        Change(HistoryType.CREATED, audience=Audience.PUBLIC),
        first.get("opened_by") or first.get("sys_created_by"),
        {"source": SOURCE},
    )
    places: dict[datetime, int] = {opened: 1}
    walked = states(events)
    earlier: LogEvent | None = None
    for event, before, after in zip(events, walked, walked[1:], strict=False):
        told = list(changes(before, after))
        details = {"source": SOURCE, "line": event.line} | _also_changed(earlier, event)
        if not told:
            details["row"] = event.raw
        for nth, change in enumerate(told or [Change(HistoryType.UPDATE)]):
            place = places.get(event.at, 0)
            places[event.at] = place + 1
            yield Entry(entry_id(event, nth, place), event.at, change, event.get("sys_updated_by"), details)
            details = {"source": SOURCE, "line": event.line}
        earlier = event


def _also_changed(earlier: LogEvent | None, event: LogEvent) -> dict[str, Any]:
    """Return what differs from the event before; of the first event, that nothing is known of what was before."""
    if earlier is None:
        return {"log_begins_here": True}
    pairs = {column: [earlier.raw[column], value] for column, value in event.raw.items() if column not in UNTOLD}
    changed = {column: pair for column, pair in pairs.items() if pair[0] != pair[1]}
    return {"changed": changed} if changed else {}


# The ticket


def ticket_values(events: Sequence[LogEvent]) -> dict[str, Any]:
    """Return a ticket's columns as its last event leaves them, all but number, requester, assignee and team.

    `first_response_at`: the log has no messages. Who phones has been answered as the desk counts it, so it is the
    opening for contact type Phone; for any other, the resolution is the first answer known.
    """
    last, state = events[-1], states(events)[-1]
    latest = max(event.at for event in events)
    finished = state.status in FINISHED
    resolved_at = (last.times["resolved_at"] or _reached(events, Status.RESOLVED)) if finished else None
    closed_at = (last.times["closed_at"] or _reached(events, Status.CLOSED)) if state.status is Status.CLOSED else None
    return {
        "id": ticket_id(events),
        "title": state.title,
        "description": description_of(last),
        "category": state.category,
        "priority": state.priority,
        "status": state.status,
        "environment": None,
        "affected_service": state.affected_service,
        "impact_level": state.impact_level,
        "tags": [],
        "channel": Channel.IMPORT,
        "external_ref": last.get("number"),
        "resolution_notes": notes_of(last) if finished else None,
        "time_spent_minutes": 0,
        "created_at": events[0].opened_at,
        "updated_at": latest,
        "activity_at": latest,
        "first_response_at": events[0].opened_at if last.get("contact_type") == "Phone" else resolved_at,
        "resolved_at": resolved_at,
        "closed_at": closed_at,
        "response_due_at": None,
        "resolution_due_at": None,
        "resolution_due_key": NEVER,
        "response_breached": False,
        "resolution_breached": False,
        "version": 1 + len(events),
        "deleted_at": None,
    }


def _reached(events: Sequence[LogEvent], status: Status) -> datetime | None:
    """Return when an incident last came to a status."""
    walked = states(events)
    pairs = zip(events, walked, walked[1:], strict=False)
    return max(
        (e.at for e, before, after in pairs if before.status is not status and after.status is status), default=None
    )


def notes_of(event: LogEvent) -> str | None:
    """Return the resolution notes that the closure code makes."""
    code = event.get("closed_code")
    return f"Closed as {code}." if code else None


DESCRIBED: Mapping[str, str] = {
    "contact_type": "Contact",
    "location": "Location",
    "category": "Category",
    "subcategory": "Subcategory",
    "u_symptom": "Symptom",
    "cmdb_ci": "Configuration item",
    "impact": "Impact",
    "urgency": "Urgency",
    "made_sla": "Made its SLA",
    "problem_id": "Problem",
    "rfc": "Change request",
    "vendor": "Vendor",
    "caused_by": "Caused by",
    "resolved_by": "Resolved by",
}


def description_of(event: LogEvent) -> str:
    """Return a description: what the log knows of the incident in the end, as a Markdown list."""
    known = [
        f"- {label}: {value}"
        for column, label in DESCRIBED.items()
        if column in event.raw and (value := event.get(column))
    ]
    return "\n".join([f"Incident {event.get('number')} of a ServiceNow log, which holds no description.", "", *known])
