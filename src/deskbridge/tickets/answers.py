"""What the desk answers about tickets: the one definition that the API encodes and the OpenAPI schema shows."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from deskbridge.kit.paging import Page
from deskbridge.people.queries import NamedThing
from deskbridge.tickets.model import (
    AttachmentState,
    Channel,
    CommentType,
    Environment,
    HistoryType,
    ImpactLevel,
    Priority,
    Status,
)


class TicketAnswer(msgspec.Struct):
    """A ticket.

    For an END_USER the breach flags and `time_spent_minutes` are null and `activity_at` is `updated_at`: what agents do
    among themselves leaves no trace.
    """

    id: UUID
    number: int
    title: str
    description: str
    category: str
    priority: Priority
    status: Status
    environment: Environment | None
    affected_service: str | None
    impact_level: ImpactLevel | None
    tags: list[str]
    requester: NamedThing
    assignee: NamedThing | None
    team: NamedThing | None
    channel: Channel
    external_ref: str | None
    resolution_notes: str | None
    time_spent_minutes: int | None
    created_at: datetime
    updated_at: datetime
    activity_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None
    response_due_at: datetime | None
    resolution_due_at: datetime | None
    response_breached: bool | None
    resolution_breached: bool | None
    version: int


class TicketPage(Page[TicketAnswer], omit_defaults=True):
    """One page of tickets; `total` is counted (up to a cap) only when asked for."""

    total: int | None = None
    total_capped: bool | None = None


class AttachmentAnswer(msgspec.Struct):
    """A file of a ticket. `state` QUARANTINED is being checked for viruses, INFECTED is never handed out."""

    id: UUID
    ticket_id: UUID
    message_id: UUID | None
    name: str
    media_type: str
    size: int
    sha256: str
    is_internal: bool
    state: AttachmentState
    uploaded_by: NamedThing | None
    created_at: datetime
    url: str


class MessageAnswer(msgspec.Struct, omit_defaults=True):
    """One message of a conversation, with the files it carries. A deleted one has empty content.

    One that came from a tracker names who wrote it and in which connection; `author` is that person if they are here.
    """

    id: UUID
    ticket_id: UUID
    content: str
    comment_type: CommentType
    is_internal: bool
    author: NamedThing | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    attachments: list[AttachmentAnswer]
    written_by: str | None = None
    written_in: str | None = None


class HistoryAnswer(msgspec.Struct):
    """One line of a ticket's history. An END_USER gets the customer's words for statuses, no old texts, no metadata."""

    id: UUID
    type: HistoryType
    field: str | None
    old: str | None
    new: str | None
    actor: "ActorAnswer"
    at: datetime
    metadata: dict[str, Any]


class ActorAnswer(msgspec.Struct):
    """Who did it; `id` is null for the desk itself."""

    id: UUID | None
    name: str


class TimelineEntry(msgspec.Struct, omit_defaults=True):
    """One entry of a ticket's line of time: a message, or something that happened."""

    at: datetime
    message: MessageAnswer | None = None
    event: HistoryAnswer | None = None


class WorkEntry(msgspec.Struct):
    """One line of the work record: who, in which system, when, what, and for how many minutes."""

    at: datetime
    who: str
    system: str
    what: str
    text: str
    minutes: int | None


class CategoryAnswer(msgspec.Struct):
    """A kind of ticket."""

    key: str
    name: str


class CategoryDetails(msgspec.Struct):
    """A kind of ticket, with where its tickets go; customers are not told `team_id` and `skill`."""

    key: str
    name: str
    active: bool
    position: int
    version: int
    team_id: UUID | None = None
    skill: str | None = None
