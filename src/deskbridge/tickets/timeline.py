"""A ticket's conversation with what happened in between, in one line of time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from deskbridge.kit.db import Reader
from deskbridge.people.actor import Actor
from deskbridge.people.model import User
from deskbridge.tickets.answers import HistoryAnswer, MessageAnswer
from deskbridge.tickets.model import HistoryEntry, HistoryType, Message
from deskbridge.tickets.policy import visible_history, visible_messages
from deskbridge.tickets.queries import history_answer, message_answer, require_visible
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


def _time_of(entry: Entry) -> datetime:
    return entry.created_at if isinstance(entry, MessageAnswer) else entry.at


def _messages(reader: Reader, actor: Actor, ticket_id: UUID, limit: int) -> list[MessageAnswer]:
    rows = reader.execute(
        select(Message.__table__, User.name.label("author_name"))
        .outerjoin(User, Message.author_id == User.id)
        .where(Message.ticket_id == ticket_id, visible_messages(actor))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(limit + 1)
    )
    return [message_answer(row) for row in rows]


def _events(reader: Reader, actor: Actor, ticket_id: UUID, limit: int) -> list[HistoryAnswer]:
    """Return events, without those that the conversation itself or another event says."""
    rows = reader.execute(
        select(HistoryEntry.__table__)
        .where(HistoryEntry.ticket_id == ticket_id, visible_history(actor), HistoryEntry.type.not_in(SAID_BY_ITSELF))
        .order_by(HistoryEntry.at.desc(), HistoryEntry.id.desc())
        .limit(limit + 1)
    )
    entries = [history_answer(row, actor) for row in rows]
    milestones = {(entry.type, entry.at) for entry in entries}
    return [entry for entry in entries if not _said_by_milestone(entry, milestones)]


def _said_by_milestone(entry: HistoryAnswer, milestones: set[tuple[HistoryType, datetime]]) -> bool:
    """Tell whether another entry of the same moment says better what this change of status says."""
    if entry.type is not HistoryType.STATUS_CHANGE:
        return False
    return any((milestone, entry.at) in milestones for milestone in MILESTONES.values())
