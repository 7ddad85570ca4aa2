"""A ticket's conversation with what happened in between, in one line of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, or_, select

from deskbridge.kit.db import Reader
from deskbridge.kit.errors import Forbidden
from deskbridge.kit.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, list_key
from deskbridge.people.actor import Actor
from deskbridge.people.model import User
from deskbridge.tickets.answers import HistoryAnswer, MessageAnswer, TimelineEntry, WorkEntry
from deskbridge.tickets.model import Audience, HistoryEntry, HistoryType, Message
from deskbridge.tickets.policy import visible_history, visible_messages
from deskbridge.tickets.queries import history_answer, message_answers, require_visible
from deskbridge.tickets.workflow import MILESTONES

SAID_BY_ITSELF = {HistoryType.CREATED, HistoryType.COMMENT_ADDED}
"""What a conversation shows anyway: its beginning and its messages."""


Entry = MessageAnswer | HistoryAnswer


@dataclass(frozen=True)
class Timeline:
    """The latest entries of a ticket, oldest first; `older` tells whether there are more before them."""

    entries: list[Entry]
    older: bool


def latest(reader: Reader, actor: Actor, ref: UUID | int, limit: int) -> Timeline:
    """Return the latest messages and events of a ticket that the actor may see; raises `NotFound`."""
    ticket_id = require_visible(reader, actor, ref)
    both: list[Entry] = [*_messages(reader, actor, ticket_id, limit), *_events(reader, actor, ticket_id, limit)]
    both.sort(key=lambda entry: (_time_of(entry), entry.id))
    return Timeline(both[-limit:], older=len(both) > limit)


def timeline_page(
    reader: Reader, actor: Actor, ref: UUID | int, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[TimelineEntry]:
    """Return a page of a ticket's messages and events in one line of time, oldest first; raises `NotFound`."""
    ticket_id = require_visible(reader, actor, ref)
    key = list_key("timeline", ticket_id, actor.is_agent)
    after = decode_cursor(key, cursor, (datetime, UUID)) if cursor else None
    messages = _in_order(reader, _message_rows(actor, ticket_id), Message.created_at, Message.id, after, limit)
    events = _in_order(reader, _event_rows(actor, ticket_id), HistoryEntry.at, HistoryEntry.id, after, limit)
    both: list[Entry] = [*message_answers(reader, actor, messages), *(history_answer(row, actor) for row in events)]
    both.sort(key=lambda entry: (_time_of(entry), entry.id))
    shown = both[:limit]
    next_cursor = encode_cursor(key, (_time_of(shown[-1]), shown[-1].id)) if len(both) > limit else None
    return Page([_entry(entry) for entry in shown], next_cursor)


def _in_order(
    reader: Reader, query: Select[Any], at: Any, id_: Any, after: Sequence[Any] | None, limit: int
) -> Sequence[Row[Any]]:
    if after is not None:
        query = query.where(at >= after[0], or_(at > after[0], id_ > after[1]))
    return reader.execute(query.order_by(at, id_).limit(limit + 1)).all()


def _entry(entry: Entry) -> TimelineEntry:
    if isinstance(entry, MessageAnswer):
        return TimelineEntry(entry.created_at, message=entry)
    return TimelineEntry(entry.at, event=entry)


WORK = {
    HistoryType.STATUS_CHANGE,
    HistoryType.ASSIGNMENT_CHANGE,
    HistoryType.ESCALATED,
    HistoryType.TIME_LOGGED,
    HistoryType.RESOLVED,
}
"""What the work record tells of, besides internal notes."""

OWN_SYSTEM = "Deskbridge"
MOST_WORK = 2000


def work_record(reader: Reader, actor: Actor, ref: UUID | int) -> list[WorkEntry]:
    """Return who worked on a ticket, in which system, when, on what and for how long, oldest first; for agents."""
    ticket_id = require_visible(reader, actor, ref)
    if not actor.is_agent:
        raise Forbidden("The work record is for agents.")
    done = _event_rows(actor, ticket_id).where(HistoryEntry.type.in_(WORK))
    notes = _message_rows(actor, ticket_id).where(Message.audience == Audience.INTERNAL)
    events = _in_order(reader, done, HistoryEntry.at, HistoryEntry.id, None, MOST_WORK)
    messages = _in_order(reader, notes, Message.created_at, Message.id, None, MOST_WORK)
    lines = [_work_of_event(history_answer(row, actor)) for row in events]
    lines += [_work_of_note(note) for note in message_answers(reader, actor, messages)]
    return sorted(lines, key=lambda line: line.at)[:MOST_WORK]


def _work_of_event(entry: HistoryAnswer) -> WorkEntry:
    minutes = None
    text = f"{entry.old or '-'} -> {entry.new or '-'}" if entry.field else entry.new or ""
    if entry.type is HistoryType.TIME_LOGGED:
        minutes = int(entry.new or 0) - int(entry.old or 0)
        text = str(entry.metadata.get("note", ""))
    system = str(entry.metadata.get("system", OWN_SYSTEM))
    return WorkEntry(entry.at, entry.actor.name, system, entry.type.lower(), text, minutes)


def _work_of_note(message: MessageAnswer) -> WorkEntry:
    who = message.author.name if message.author else message.written_by or OWN_SYSTEM
    return WorkEntry(message.created_at, who, message.written_in or OWN_SYSTEM, "note", message.content, None)


def _time_of(entry: Entry) -> datetime:
    return entry.created_at if isinstance(entry, MessageAnswer) else entry.at


def _messages(reader: Reader, actor: Actor, ticket_id: UUID, limit: int) -> list[MessageAnswer]:
    newest = _message_rows(actor, ticket_id).order_by(Message.created_at.desc(), Message.id.desc())
    return message_answers(reader, actor, reader.execute(newest.limit(limit + 1)).all())


def _message_rows(actor: Actor, ticket_id: UUID) -> Select[Any]:
    return (
        select(Message.__table__, User.name.label("author_name"))
        .outerjoin(User, Message.author_id == User.id)
        .where(Message.ticket_id == ticket_id, visible_messages(actor))
    )


def _events(reader: Reader, actor: Actor, ticket_id: UUID, limit: int) -> list[HistoryAnswer]:
    """Return events, without those that the conversation itself or another event says."""
    newest = _event_rows(actor, ticket_id).order_by(HistoryEntry.at.desc(), HistoryEntry.id.desc())
    entries = [history_answer(row, actor) for row in reader.execute(newest.limit(limit + 1))]
    milestones = {(entry.type, entry.at) for entry in entries}
    return [entry for entry in entries if not _said_by_milestone(entry, milestones)]


def _event_rows(actor: Actor, ticket_id: UUID) -> Select[Any]:
    return select(HistoryEntry.__table__).where(
        HistoryEntry.ticket_id == ticket_id, visible_history(actor), HistoryEntry.type.not_in(SAID_BY_ITSELF)
    )


def _said_by_milestone(entry: HistoryAnswer, milestones: set[tuple[HistoryType, datetime]]) -> bool:
    """Tell whether another entry of the same moment says better what this change of status says."""
    if entry.type is not HistoryType.STATUS_CHANGE:
        return False
    return any((milestone, entry.at) in milestones for milestone in MILESTONES.values())
