"""The use cases about time worked, for agents; customers find no trace of it."""

from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select

from deskbridge.kit.db import Reader, UnitOfWork
from deskbridge.kit.errors import FieldError, Forbidden, Invalid, NotFound
from deskbridge.kit.ids import new_id
from deskbridge.kit.text import clean_text
from deskbridge.people.actor import Actor, ActorKind, Role
from deskbridge.people.model import User
from deskbridge.people.queries import NamedThing
from deskbridge.tickets import history
from deskbridge.tickets.companions import TimeEntry
from deskbridge.tickets.events import TimeLogged
from deskbridge.tickets.history import Elsewhere
from deskbridge.tickets.model import Audience, HistoryType, Ticket
from deskbridge.tickets.policy import Verb, facts, require, visible
from deskbridge.tickets.queries import require_visible
from deskbridge.tickets.service import locked, touch

LEAST, MOST = 1, 24 * 60
NOTE_LENGTH = 2000


class TimeEntryAnswer(msgspec.Struct, omit_defaults=True):
    """Minutes worked on a ticket."""

    id: UUID
    ticket_id: UUID
    minutes: int
    note: str
    started_at: datetime
    author: NamedThing | None
    created_at: datetime
    written_by: str | None = None
    written_in: str | None = None


class TimeChanges(TypedDict, total=False):
    """New values of a time entry; those left out stay."""

    minutes: int
    note: str
    started_at: datetime


def log_time(
    uow: UnitOfWork,
    actor: Actor,
    ref: UUID | int,
    minutes: int,
    note: str = "",
    started_at: datetime | None = None,
    *,
    elsewhere: Elsewhere | None = None,
) -> TimeEntry:
    """Log minutes worked on a ticket; `started_at` is that long ago unless said otherwise. Raises `Invalid`."""
    ticket = locked(uow, actor, ref)
    require(actor, Verb.NOTE, facts(ticket))
    started_at = started_at or uow.now - timedelta(minutes=min(max(minutes, 0), MOST))
    _require_sound(uow, minutes, note, started_at)
    entry = TimeEntry(
        id=new_id(),
        ticket_id=ticket.id,
        author_id=actor.id,
        minutes=minutes,
        note=clean_text(note),
        started_at=started_at,
        written_by=elsewhere.name[:200] if elsewhere else None,
        written_in=elsewhere.system if elsewhere else None,
        created_at=uow.now,
    )
    uow.session.add(entry)
    _account(uow, actor, ticket, entry, old=None, new=minutes)
    return entry


def change_time(uow: UnitOfWork, actor: Actor, entry_id: UUID, changes: TimeChanges) -> TimeEntry:
    """Correct a time entry; its author or a MANAGER does this."""
    ticket, entry = _changeable(uow, actor, entry_id)
    minutes = changes.get("minutes", entry.minutes)
    note, started_at = changes.get("note", entry.note), changes.get("started_at", entry.started_at)
    _require_sound(uow, minutes, note, started_at)
    old, entry.minutes = entry.minutes, minutes
    entry.note, entry.started_at = clean_text(note), started_at
    _account(uow, actor, ticket, entry, old=old, new=minutes)
    return entry


def delete_time(uow: UnitOfWork, actor: Actor, entry_id: UUID) -> None:
    """Remove a time entry; its author or a MANAGER does this."""
    ticket, entry = _changeable(uow, actor, entry_id)
    uow.session.delete(entry)
    _account(uow, actor, ticket, entry, old=entry.minutes, new=None)


def _require_sound(uow: UnitOfWork, minutes: int, note: str, started_at: datetime) -> None:
    errors = []
    if not LEAST <= minutes <= MOST:
        errors.append(FieldError("minutes", f"Use {LEAST} to {MOST} minutes."))
    if len(note) > NOTE_LENGTH:
        errors.append(FieldError("note", f"Use at most {NOTE_LENGTH} characters."))
    if started_at > uow.now:
        errors.append(FieldError("started_at", "This lies in the future."))
    if errors:
        raise Invalid(errors)


def _changeable(uow: UnitOfWork, actor: Actor, entry_id: UUID) -> tuple[Ticket, TimeEntry]:
    """Load an entry the actor may change, with its ticket locked; `NotFound` for customers, whatever there is."""
    ticket_id = uow.execute(
        select(TimeEntry.ticket_id).join(Ticket).where(TimeEntry.id == entry_id, visible(actor))
    ).scalar_one_or_none()
    if ticket_id is None or not actor.is_agent:
        raise NotFound("There is no such time entry.")
    ticket = locked(uow, actor, ticket_id)
    entry = uow.session.get_one(TimeEntry, entry_id)
    theirs = entry.author_id == actor.id or actor.kind is ActorKind.CONNECTION
    if not theirs and not actor.role.at_least(Role.MANAGER):
        raise Forbidden("Only its author or a manager changes a time entry.")
    return ticket, entry


def _account(
    uow: UnitOfWork, actor: Actor, ticket: Ticket, entry: TimeEntry, *, old: int | None, new: int | None
) -> None:
    """Keep the ticket's total, history and event in step with an entry."""
    ticket.time_spent_minutes += (new or 0) - (old or 0)
    history.write(
        uow,
        actor,
        ticket,
        HistoryType.TIME_LOGGED,
        field="minutes",
        old=None if old is None else str(old),
        new=None if new is None else str(new),
        details={"time_entry_id": str(entry.id), "note": entry.note, "started_at": entry.started_at.isoformat()}
        | ({"system": entry.written_in} if entry.written_in else {}),
    )
    uow.record(TimeLogged(subject_id=ticket.id, actor_id=actor.id, time_entry_id=entry.id, minutes=new or 0))
    touch(uow, ticket, Audience.INTERNAL)


def list_time_entries(reader: Reader, actor: Actor, ref: UUID | int, limit: int = 200) -> list[TimeEntryAnswer]:
    """Return a ticket's time entries, oldest work first; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("Time worked is for agents.")
    return _answers(reader, TimeEntry.ticket_id == ticket_id, limit)


def get_time_entry(reader: Reader, entry_id: UUID) -> TimeEntryAnswer:
    """Return one entry that was just written."""
    (answer,) = _answers(reader, TimeEntry.id == entry_id, 1)
    return answer


def _answers(reader: Reader, condition: ColumnElement[bool], limit: int) -> list[TimeEntryAnswer]:
    rows = reader.execute(
        select(TimeEntry.__table__, User.name.label("author_name"))
        .outerjoin(User, TimeEntry.author_id == User.id)
        .where(condition)
        .order_by(TimeEntry.started_at, TimeEntry.id)
        .limit(limit)
    )
    return [
        TimeEntryAnswer(
            row.id,
            row.ticket_id,
            row.minutes,
            row.note,
            row.started_at,
            NamedThing(row.author_id, row.author_name) if row.author_id else None,
            row.created_at,
            row.written_by,
            row.written_in,
        )
        for row in rows
    ]
