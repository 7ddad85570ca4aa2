"""The tables of tickets: the ticket, its messages, its history, its categories."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, FetchedValue, ForeignKey, Index, Sequence, String
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Json, LongText, choice, table_args

TICKET_NUMBERS = Sequence("ticket_numbers", start=1001, metadata=Base.metadata)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


class Status(StrEnum):
    NEW = "NEW"
    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    PENDING_INFO = "PENDING_INFO"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"


class Priority(StrEnum):
    """P1 Critical, P2 High, P3 Medium, P4 Low."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Environment(StrEnum):
    PRODUCTION = "PRODUCTION"
    STAGING = "STAGING"
    DEVELOPMENT = "DEVELOPMENT"
    TEST = "TEST"


class ImpactLevel(StrEnum):
    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Channel(StrEnum):
    """How a ticket came in."""

    PORTAL = "PORTAL"
    API = "API"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    SYNC = "SYNC"
    IMPORT = "IMPORT"


class Audience(StrEnum):
    """Who may see a message or a history entry: everybody who sees the ticket, or agents only."""

    PUBLIC = "public"
    INTERNAL = "internal"


class CommentType(StrEnum):
    COMMENT = "COMMENT"
    SOLUTION = "SOLUTION"
    WORK_NOTE = "WORK_NOTE"


class AttachmentState(StrEnum):
    """CLEAN is handed out; QUARANTINED waits for the virus scanner; INFECTED is never handed out."""

    CLEAN = "CLEAN"
    QUARANTINED = "QUARANTINED"
    INFECTED = "INFECTED"


class HistoryType(StrEnum):
    CREATED = "CREATED"
    STATUS_CHANGE = "STATUS_CHANGE"
    PRIORITY_CHANGE = "PRIORITY_CHANGE"
    ASSIGNMENT_CHANGE = "ASSIGNMENT_CHANGE"
    UPDATE = "UPDATE"
    COMMENT_ADDED = "COMMENT_ADDED"
    COMMENT_UPDATED = "COMMENT_UPDATED"
    COMMENT_DELETED = "COMMENT_DELETED"
    ATTACHMENT_ADDED = "ATTACHMENT_ADDED"
    ATTACHMENT_DELETED = "ATTACHMENT_DELETED"
    TIME_LOGGED = "TIME_LOGGED"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"
    REOPENED = "REOPENED"
    ESCALATED = "ESCALATED"
    SLA_BREACH = "SLA_BREACH"
    LINKED = "LINKED"
    SYNCED = "SYNCED"
    SYNC_CONFLICT = "SYNC_CONFLICT"


class Category(Base):
    """A kind of ticket, defined by the administrator; `key` is what tickets and the API carry.

    New tickets of it go to the team `team_id` names (teams are never deleted, so it needs no foreign key). With a
    `skill`, only agents who have it are chosen by themselves.
    """

    __tablename__ = "categories"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    active: Mapped[bool]
    position: Mapped[int]
    team_id: Mapped[UUID | None]
    skill: Mapped[str | None] = mapped_column(String(60))
    version: Mapped[int] = mapped_column(default=1, server_default="1")


def _list_index(*columns: str) -> Index:
    """Return an index that serves one filter in one order: it ends in the keyset's tie-break."""
    return Index(None, *columns, "id")


class Ticket(Base):
    """A ticket. `version` and `updated_at` move with what the requester may see, `activity_at` with everything.

    `tags` is the list as shown; `ticket_tags` is its index for filters, written by `service.set_tags` alone.
    `resolution_due_key` twins the nullable due time, so that a keyset can run over it.
    """

    __tablename__ = "tickets"
    __table_args__ = table_args(
        _list_index("created_at"),
        _list_index("updated_at"),
        _list_index("activity_at"),
        _list_index("priority"),
        _list_index("resolution_due_key"),
        _list_index("status", "created_at"),
        _list_index("requester_id", "created_at"),
        _list_index("assignee_id", "created_at"),
        _list_index("assignee_id", "activity_at"),
        _list_index("team_id", "created_at"),
        _list_index("category", "created_at"),
        Index(None, "external_ref"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True, server_default=FetchedValue())  # read back from its INSERT
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(LongText)
    category: Mapped[str] = mapped_column(ForeignKey("categories.key"))
    priority: Mapped[Priority] = mapped_column(choice(Priority))
    status: Mapped[Status] = mapped_column(choice(Status))
    environment: Mapped[Environment | None] = mapped_column(choice(Environment))
    affected_service: Mapped[str | None] = mapped_column(String(200))
    impact_level: Mapped[ImpactLevel | None] = mapped_column(choice(ImpactLevel))
    tags: Mapped[list[str]] = mapped_column(Json)
    requester_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("teams.id"))
    channel: Mapped[Channel] = mapped_column(choice(Channel))
    external_ref: Mapped[str | None] = mapped_column(String(100))
    resolution_notes: Mapped[str | None] = mapped_column(LongText)
    time_spent_minutes: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    activity_at: Mapped[datetime]
    first_response_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    response_due_at: Mapped[datetime | None]
    resolution_due_at: Mapped[datetime | None]
    resolution_due_key: Mapped[datetime]
    response_breached: Mapped[bool]
    resolution_breached: Mapped[bool]
    version: Mapped[int]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"), index=True)
    status_before_merge: Mapped[Status | None] = mapped_column(choice(Status))
    deleted_at: Mapped[datetime | None]


class TicketTag(Base):
    """The index of tags to tickets."""

    __tablename__ = "ticket_tags"

    tag: Mapped[str] = mapped_column(String(50), primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, index=True)


class Message(Base):
    """One entry of a ticket's conversation; its audience never changes. A deleted one stays as an empty tombstone.

    One that was written in a tracker keeps who wrote it and in which connection, also where nobody here is that person.
    """

    __tablename__ = "messages"
    __table_args__ = table_args(Index(None, "ticket_id", "created_at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    audience: Mapped[Audience] = mapped_column(choice(Audience))
    comment_type: Mapped[CommentType] = mapped_column(choice(CommentType))
    content: Mapped[str] = mapped_column(LongText)
    written_by: Mapped[str | None] = mapped_column(String(200))
    written_in: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]


class Attachment(Base):
    """A file of a ticket; its bytes are in the storage under `object_name`. Once a message carries it, it has that
    message's audience. `sha256` is in hex.
    """

    __tablename__ = "attachments"
    __table_args__ = table_args(Index(None, "ticket_id", "created_at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    uploader_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    audience: Mapped[Audience] = mapped_column(choice(Audience))
    state: Mapped[AttachmentState] = mapped_column(choice(AttachmentState))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    object_name: Mapped[str] = mapped_column(String(100), unique=True)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class HistoryEntry(Base):
    """One line of the append-only audit trail, written in the transaction of the change it tells of.

    `details` is the API's `metadata`. Entries of one ticket are in order of (`at`, `id`).
    """

    __tablename__ = "history"
    __table_args__ = table_args(Index(None, "ticket_id", "at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    type: Mapped[HistoryType] = mapped_column(choice(HistoryType))
    audience: Mapped[Audience] = mapped_column(choice(Audience))
    field: Mapped[str | None] = mapped_column(String(60))
    old: Mapped[str | None] = mapped_column(LongText)
    new: Mapped[str | None] = mapped_column(LongText)
    actor_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    actor_name: Mapped[str] = mapped_column(String(200))
    at: Mapped[datetime]
    details: Mapped[dict[str, Any]] = mapped_column(Json)
