"""Importing a ServiceNow incident log: every incident becomes a ticket, every event of it stays in its history.

What happened is written as it was, at its own time, past the workflow; see `bulk` for why nothing follows from it.
Identities come from the file, so a second run finds what a first one wrote, however that one ended.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from deskbridge.importers.bulk import Person, add_categories, add_people, add_rows, add_teams
from deskbridge.importers.log_file import UNKNOWN, Log, LogEvent, read_log
from deskbridge.importers.log_mapping import (
    SOURCE,
    Entry,
    category_key,
    entries,
    notes_of,
    states,
    ticket_id,
    ticket_values,
    unmapped,
)
from deskbridge.importers.report import Count, Report, Skipped, Unmapped
from deskbridge.kit.db import Database, Reader, UnitOfWork
from deskbridge.kit.numbers import next_numbers
from deskbridge.kit.text import clean_line
from deskbridge.people.actor import Role
from deskbridge.people.model import Team
from deskbridge.search import service as search
from deskbridge.tickets.model import TICKET_NUMBERS, HistoryEntry, HistoryType, Ticket

BATCH = 100
IDS_AT_ONCE = 1000
NOBODY = "Unknown"
NO_GROUP = "(none)"
TEAM_DESCRIPTION = "An assignment group of an imported ServiceNow log."
Incident = Sequence[LogEvent]


def import_log(database: Database, path: Path, progress: Callable[[int, int], None]) -> Report:
    """Bring a log in and return what came of it; `progress` gets (events done, events in all) after every transaction.

    It may be interrupted anywhere and run again: an incident is there with its whole history or not at all. Raises
    `Malformed` when the file is no such log.
    """
    log = read_log(path)
    incidents = list(log.incidents.values())
    people = people_of(log)
    report = Report(str(path), "UTC", events_read=log.events_read, skipped=log.skipped)
    done, total = 0, sum(map(len, incidents))
    for start in range(0, len(incidents), BATCH):
        batch = incidents[start : start + BATCH]
        _count(report, database.write(add_incidents, batch, people))
        done += sum(map(len, batch))
        progress(done, total)
    report.skipped = sorted(report.skipped, key=lambda skipped: skipped.line)
    report.events_skipped = len(report.skipped)
    report.unmapped = list(_unmapped(incidents))
    database.read(reconcile, report, incidents)
    return report


PEOPLE_COLUMNS = {
    "caller_id": (Role.END_USER, True),
    "assigned_to": (Role.AGENT, True),
    "opened_by": (Role.AGENT, False),
    "sys_created_by": (Role.AGENT, False),
    "sys_updated_by": (Role.AGENT, False),
    "resolved_by": (Role.AGENT, False),
}
"""The columns that name people, with the role that being named there makes, and whether it makes one of the desk."""


def people_of(log: Log) -> dict[str, Person]:
    """Return everybody in a log by the name it gives them, with the highest role they appear in.

    Who calls or is assigned is one of the desk from now on; the others stay inactive, known as whose deed an event was.
    """
    people: dict[str, Person] = {}
    for incident in log.incidents.values():
        for event in incident:
            seen_at = min(event.opened_at, event.at)
            for column, (role, active) in PEOPLE_COLUMNS.items():
                if (subject := _subject(event, column)) is not None:
                    name = NOBODY if subject == UNKNOWN else clean_line(subject)
                    person = Person(name, role, seen_at, active)
                    people[subject] = _together(people[subject], person) if subject in people else person
    return people


def _subject(event: LogEvent, column: str) -> str | None:
    """Return whom a column names; a ticket needs a requester, so an unknown caller is a person called Unknown."""
    return event.get(column) or (UNKNOWN if column == "caller_id" else None)


def _together(one: Person, other: Person) -> Person:
    role = max(one.role, other.role, key=lambda role: role.rank)
    return replace(one, role=role, seen_at=min(one.seen_at, other.seen_at), active=one.active or other.active)


# One transaction


@dataclass(frozen=True)
class Added:
    """What one batch added, and what it found."""

    tickets: int
    events: int
    tickets_present: int
    events_present: int
    skipped: list[Skipped]
    entries: int
    people: int
    teams: int
    categories: int


@dataclass(frozen=True)
class Known:
    """The desk's ids for the log's names."""

    people: Mapping[str, UUID]
    teams: Mapping[str, UUID]


def add_incidents(uow: UnitOfWork, batch: Sequence[Incident], people: Mapping[str, Person]) -> Added:
    """Add the incidents that are not there yet, each with its whole history."""
    by_id = {ticket_id(incident): incident for incident in batch}
    present = set(uow.connection.scalars(select(Ticket.id).where(Ticket.id.in_(list(by_id)))))
    new = [incident for id_, incident in by_id.items() if id_ not in present]
    late = list(_late_events(uow, [incident for id_, incident in by_id.items() if id_ in present]))
    named = {subject: people[subject] for incident in new for subject in _subjects(incident)}
    people_ids, people_added = add_people(uow, SOURCE, named)
    team_ids, teams_added = add_teams(uow, SOURCE, _groups(new), TEAM_DESCRIPTION)
    categories = add_categories(uow, _categories(new))
    known = Known(people_ids, team_ids)
    numbers = next_numbers(uow, TICKET_NUMBERS, Ticket.number, len(new))
    add_rows(uow, Ticket, [_ticket_row(*pair, known) for pair in zip(numbers, new, strict=True)])
    history = [row for incident in new for row in _history_rows(incident, known)]
    add_rows(uow, HistoryEntry, history)
    search.put(uow, search.heads(uow, [ticket_id(incident) for incident in new]))
    return Added(
        tickets=len(new),
        events=sum(map(len, new)),
        tickets_present=len(present),
        events_present=sum(len(by_id[id_]) for id_ in present) - len(late),
        skipped=late,
        entries=len(history),
        people=people_added,
        teams=teams_added,
        categories=categories,
    )


def _late_events(reader: Reader, incidents: Sequence[Incident]) -> Iterator[Skipped]:
    """Yield the events that came into the file after their incident was imported: its history is not rewritten."""
    lines = {entry.id: entry.details.get("line") for incident in incidents for entry in entries(incident)}
    found = select(HistoryEntry.id).where(HistoryEntry.ticket_id.in_([ticket_id(incident) for incident in incidents]))
    present = set(reader.connection.scalars(found)) if incidents else set()
    for line in sorted({line for id_, line in lines.items() if id_ not in present and line is not None}):
        yield Skipped(line, "its incident was imported before, without this event")


def _subjects(incident: Incident) -> Iterator[str]:
    for event in incident:
        for column in PEOPLE_COLUMNS:
            if (subject := _subject(event, column)) is not None:
                yield subject


def _groups(incidents: Sequence[Incident]) -> dict[str, Any]:
    """Return the groups by name, with when each is first seen."""
    events = (event for incident in incidents for event in incident)
    groups: dict[str, Any] = {}
    for event in events:
        if (group := event.get("assignment_group")) is not None:
            groups.setdefault(group, event.opened_at)
    return groups


def _categories(incidents: Sequence[Incident]) -> dict[str, str]:
    names = (event.get("category") for incident in incidents for event in incident)
    return {category_key(name): clean_line(name or "Incident") for name in names}


def _ticket_row(number: int, incident: Incident, known: Known) -> dict[str, Any]:
    state = states(incident)[-1]
    return ticket_values(incident) | {
        "number": number,
        "requester_id": known.people[_subject(incident[-1], "caller_id") or UNKNOWN],
        "assignee_id": known.people.get(state.assignee or ""),
        "team_id": known.teams.get(state.team or ""),
    }


def _history_rows(incident: Incident, known: Known) -> Iterator[dict[str, Any]]:
    told = list(entries(incident))
    resolutions = [entry for entry in told if entry.change.type is HistoryType.RESOLVED]
    for entry in told:
        yield {
            "id": entry.id,
            "ticket_id": ticket_id(incident),
            "type": entry.change.type,
            "audience": entry.change.audience,
            "field": entry.change.field,
            "old": entry.change.old,
            "new": notes_of(incident[-1]) if resolutions[-1:] == [entry] else entry.change.new,
            "actor_id": known.people.get(entry.actor or ""),
            "actor_name": clean_line(entry.actor) if entry.actor else NOBODY,
            "at": entry.at,
            "details": entry.details | _assignment_ids(entry, known),
        }


def _assignment_ids(entry: Entry, known: Known) -> dict[str, Any]:
    """Return what the desk's own entries of an assignment carry beside the names."""
    if entry.change.type is not HistoryType.ASSIGNMENT_CHANGE:
        return {}
    ids = known.teams if entry.change.field == "team" else known.people
    old, new = ids.get(entry.change.old or ""), ids.get(entry.change.new or "")
    return {"old_id": old and str(old), "new_id": new and str(new)}


# The report


def _count(report: Report, added: Added) -> None:
    report.tickets_imported += added.tickets
    report.tickets_present += added.tickets_present
    report.events_imported += added.events
    report.events_present += added.events_present
    report.history_entries += added.entries
    report.people_added += added.people
    report.teams_added += added.teams
    report.categories_added += added.categories
    report.skipped += added.skipped


def _unmapped(incidents: Sequence[Incident]) -> Iterator[Unmapped]:
    lines: dict[tuple[str, str], list[int]] = defaultdict(list)
    for incident in incidents:
        for event in incident:
            for found in unmapped(event):
                lines[found].append(event.line)
    for (column, value), where in sorted(lines.items()):
        yield Unmapped(column, value, sorted(where))


def reconcile(reader: Reader, report: Report, incidents: Sequence[Incident]) -> None:
    """Fill in the counts by status, priority and group: as the file ends, and as the desk has them."""
    in_file: dict[str, Counter[str]] = defaultdict(Counter)
    in_desk: dict[str, Counter[str]] = defaultdict(Counter)
    for incident in incidents:
        state = states(incident)[-1]
        for column, value in (("status", state.status), ("priority", state.priority), ("group", state.team)):
            in_file[column][value or NO_GROUP] += 1
    ids = [ticket_id(incident) for incident in incidents]
    for start in range(0, len(ids), IDS_AT_ONCE):
        tickets = select(Ticket.status, Ticket.priority, Team.name.label("group")).outerjoin(
            Team, Ticket.team_id == Team.id
        )
        for row in reader.execute(tickets.where(Ticket.id.in_(ids[start : start + IDS_AT_ONCE]))):
            for column in ("status", "priority", "group"):
                in_desk[column][getattr(row, column) or NO_GROUP] += 1
    report.statuses = _counts(in_file["status"], in_desk["status"])
    report.priorities = _counts(in_file["priority"], in_desk["priority"])
    report.groups = _counts(in_file["group"], in_desk["group"])


def _counts(in_file: Counter[str], in_desk: Counter[str]) -> list[Count]:
    values = sorted(in_file | in_desk, key=lambda value: (-in_file[value], value))
    return [Count(value, in_file[value], in_desk[value]) for value in values]
