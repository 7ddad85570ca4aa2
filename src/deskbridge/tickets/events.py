"""What happens to tickets."""

from dataclasses import dataclass
from uuid import UUID

from deskbridge.kit.events import Event, catalogued
from deskbridge.tickets.model import Audience, Priority, Status


@dataclass(frozen=True, kw_only=True)
class TicketEvent(Event):
    """The base of the ticket's events; `subject_id` is the ticket. An internal one leaves its requester no trace."""

    audience: Audience = Audience.PUBLIC


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketOpened(TicketEvent):
    """A ticket was created."""

    number: int


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketUpdated(TicketEvent):
    """Fields other than status, priority and assignment changed; `fields` names them."""

    fields: list[str]


@catalogued
@dataclass(frozen=True, kw_only=True)
class PriorityChanged(TicketEvent):
    """The priority changed."""

    old: Priority
    new: Priority


@catalogued
@dataclass(frozen=True, kw_only=True)
class StatusChanged(TicketEvent):
    """One step of the workflow. `final` is False for a step on the way to the one that was asked for."""

    old: Status
    new: Status
    final: bool = True


@catalogued
@dataclass(frozen=True, kw_only=True)
class AssignmentChanged(TicketEvent):
    """The assignee, the team, or both changed."""

    old_assignee_id: UUID | None
    new_assignee_id: UUID | None
    old_team_id: UUID | None
    new_team_id: UUID | None


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketEscalated(TicketEvent):
    """Somebody asked for more help; the leads of `team_id` are told."""

    team_id: UUID | None


@catalogued
@dataclass(frozen=True, kw_only=True)
class MessageAdded(TicketEvent):
    """A message joined the conversation."""

    message_id: UUID
    by_requester: bool


@catalogued
@dataclass(frozen=True, kw_only=True)
class MessageEdited(TicketEvent):
    """The author changed a message's text."""

    message_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class MessageDeleted(TicketEvent):
    """A message's text was removed."""

    message_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class TimeLogged(TicketEvent):
    """Minutes were logged, corrected or removed (then `minutes` is 0)."""

    time_entry_id: UUID
    minutes: int
    audience: Audience = Audience.INTERNAL


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketMerged(TicketEvent):
    """A ticket was merged into another one."""

    into_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketUnmerged(TicketEvent):
    """A merge was undone."""

    from_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class AttachmentAdded(TicketEvent):
    """A file was added."""

    attachment_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class AttachmentDeleted(TicketEvent):
    """A file was removed."""

    attachment_id: UUID


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketRated(TicketEvent):
    """The requester said how it went, from 1 to 5."""

    score: int


@catalogued
@dataclass(frozen=True, kw_only=True)
class TicketDeleted(TicketEvent):
    """A ticket was hidden from everyone."""
