"""The tables of sync: connections, links, their bases and children; what was heard, what failed, what was decided."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Json, LongText, Serial, choice, table_args

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""When a link is due that has nothing to do."""


class ConnectionState(StrEnum):
    """Where a connection is on its way: only an ACTIVE one is worked on; STOPPED says that the desk itself stopped it.

    REHEARSED: its mapping was checked against the live tracker.
    """

    DRAFT = "DRAFT"
    REHEARSED = "REHEARSED"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class Breaker(StrEnum):
    """Why nothing is sent for now. CLOSED: nothing is in the way."""

    CLOSED = "CLOSED"
    OUTAGE = "OUTAGE"
    THROTTLED = "THROTTLED"
    QUOTA = "QUOTA"
    AUTH = "AUTH"


class Connection(Base):
    """A configured tracker. `secret` and `webhook_secret` are sealed with SECRET_KEY and never shown.

    `open_until`: until then nothing is sent, for the reason `breaker` names. `failures` counts outages in a row.
    `pace` is the share of the connector's own rate that is used just now (1 is all of it). `one_at_a_time`: no two of
    its links are ever worked on at once. `clock_offset` is the tracker's clock minus ours, in seconds.
    """

    __tablename__ = "connections"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    base_url: Mapped[str] = mapped_column(String(500))
    scope: Mapped[str] = mapped_column(String(200))
    way: Mapped[str] = mapped_column(String(10))
    account: Mapped[str] = mapped_column(String(254))
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    webhook_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    mapping: Mapped[str] = mapped_column(LongText)
    state: Mapped[ConnectionState] = mapped_column(choice(ConnectionState))
    stopped_because: Mapped[str | None] = mapped_column(Text)
    breaker: Mapped[Breaker] = mapped_column(choice(Breaker))
    open_until: Mapped[datetime | None]
    failures: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(Text)
    last_success_at: Mapped[datetime | None]
    bad_since: Mapped[datetime | None]
    pace: Mapped[float]
    one_at_a_time: Mapped[bool]
    clock_offset: Mapped[float]
    poll_at: Mapped[datetime]
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class LinkState(StrEnum):
    """What a link is: CREATING and UNKNOWN have no record yet, CANDIDATE and IGNORED no ticket (yet)."""

    CREATING = "creating"
    UNKNOWN = "unknown"
    ACTIVE = "active"
    CANDIDATE = "candidate"
    IGNORED = "ignored"
    ORPHAN_REMOTE = "orphan_remote"
    ORPHAN_LOCAL = "orphan_local"
    TOMBSTONE = "tombstone"
    PAUSED = "paused"


LET_GO = (LinkState.CANDIDATE, LinkState.IGNORED, LinkState.TOMBSTONE)
"""The states of a link that ties nothing."""


class Link(Base):
    """One ticket tied to one record of a connection, or a record that may become a ticket.

    `hints` counts what said that something changed; a round that saw fewer of them than there are now is followed by
    another. `due_at` is when a worker may take it (NEVER: nothing to do, or parked); one that takes it moves `due_at`
    past its lease, signs in `leased_by` and adds one to `fence`, which every later write of its round must still find.
    `remote_version` is the record's when both sides last agreed: a feed that shows that one shows nothing new.
    """

    __tablename__ = "links"
    __table_args__ = table_args(
        UniqueConstraint("connection_id", "remote_id"),
        UniqueConstraint("ticket_id", "connection_id"),
        Index(None, "due_at", "id"),
        Index(None, "connection_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id"))
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id"))
    remote_id: Mapped[str | None] = mapped_column(String(200))
    remote_key: Mapped[str] = mapped_column(String(200))
    url: Mapped[str] = mapped_column(String(1000))
    state: Mapped[LinkState] = mapped_column(choice(LinkState))
    origin: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    idem_key: Mapped[str] = mapped_column(String(60), unique=True)
    hints: Mapped[int]
    dirty_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    leased_by: Mapped[UUID | None]
    fence: Mapped[int]
    attempts: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(Text)
    remote_version: Mapped[str | None] = mapped_column(String(200))
    unknown_since: Mapped[datetime | None]
    synced_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class LinkField(Base):
    """The base of one field: both sides' values when they last agreed, and why it has the value it has.

    Where they never `agreed`, there is only the reason.
    """

    __tablename__ = "link_fields"

    link_id: Mapped[UUID] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"), primary_key=True)
    field: Mapped[str] = mapped_column(String(60), primary_key=True)
    desk: Mapped[Any] = mapped_column(Json)
    remote: Mapped[Any] = mapped_column(Json)
    agreed: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class ChildKind(StrEnum):
    COMMENT = "comment"
    ATTACHMENT = "attachment"
    TIME_ENTRY = "time_entry"


class LinkChild(Base):
    """A message, file or time entry that is on both sides: the desk's `key`, the tracker's id, and what each side said.

    `desk` and `remote` are digests of when they last agreed. `local_id` is the desk's row, None where the key stands
    for something else (an announced status, a resolution). `dropped` ones are let go of, and never brought back.
    """

    __tablename__ = "link_children"
    __table_args__ = table_args(UniqueConstraint("link_id", "kind", "key"), Index(None, "link_id", "kind", "remote_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    link_id: Mapped[UUID] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"))
    kind: Mapped[ChildKind] = mapped_column(choice(ChildKind))
    key: Mapped[str] = mapped_column(String(100))
    remote_id: Mapped[str] = mapped_column(String(200))
    local_id: Mapped[UUID | None] = mapped_column(index=True)
    desk: Mapped[str] = mapped_column(String(100))
    remote: Mapped[str] = mapped_column(String(100))
    from_tracker: Mapped[bool]
    dropped: Mapped[bool]
    at: Mapped[datetime]


class InboxRow(Base):
    """One thing a webhook told, once: `dedupe_key` is the same when the tracker sends it again."""

    __tablename__ = "sync_inbox"
    __table_args__ = table_args(
        UniqueConstraint("connection_id", "dedupe_key"), Index(None, "received_at", "id"), never_reuse_ids=True
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    dedupe_key: Mapped[str] = mapped_column(String(200))
    remote_id: Mapped[str] = mapped_column(String(200))
    event: Mapped[str] = mapped_column(String(100))
    received_at: Mapped[datetime]


class Cursor(Base):
    """How far a connection's change feed was read, in the tracker's own time."""

    __tablename__ = "sync_cursors"

    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]
    tie: Mapped[str] = mapped_column(String(200))
    read_at: Mapped[datetime]


class Tail(Base):
    """How far sync has read the desk's own events, whose ids come in the order of their commits."""

    __tablename__ = "sync_tails"

    name: Mapped[str] = mapped_column(String(30), primary_key=True)
    position: Mapped[int] = mapped_column(Serial)


class Seen(Base):
    """The ledger of a change feed: every version of a record it has shown; kept as long as it may show it again.

    A feed may show something of a record late, behind a version that was seen already: each counts for itself.
    """

    __tablename__ = "sync_seen"
    __table_args__ = table_args(Index(None, "connection_id", "at"))

    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True)
    remote_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    version: Mapped[str] = mapped_column(String(200), primary_key=True)
    at: Mapped[datetime]


class FailureClass(StrEnum):
    """What a failure asks of whoever sees it.

    LEFT_OUT: one comment, file or time entry could not be taken over; the rest of the record was.
    """

    AUTH = "auth"
    OUTAGE = "outage"
    REJECTED = "rejected"
    UNMAPPED = "unmapped"
    INVALID = "invalid"
    LEFT_OUT = "left out"
    UNKNOWN_OUTCOME = "unknown outcome"
    DUPLICATE = "suspected duplicate"
    GONE = "record gone"
    DEFECT = "defect"


class FailureState(StrEnum):
    OPEN = "OPEN"
    HEALED = "HEALED"
    RETRIED = "RETRIED"
    DISCARDED = "DISCARDED"


class SyncFailure(Base):
    """What could not be done for one link, in the tracker's own words; it stays until it heals or somebody decides."""

    __tablename__ = "sync_failures"
    __table_args__ = table_args(Index(None, "state", "last_at", "id"), Index(None, "link_id", "state"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id"), index=True)
    link_id: Mapped[UUID | None] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"))
    failure: Mapped[FailureClass] = mapped_column(choice(FailureClass))
    field: Mapped[str | None] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    tries: Mapped[int]
    parked: Mapped[bool]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    state: Mapped[FailureState] = mapped_column(choice(FailureState))
    closed_by: Mapped[str | None] = mapped_column(String(200))
    closed_because: Mapped[str | None] = mapped_column(Text)


class ConflictState(StrEnum):
    """SETTLED by the mapping's policy or by a person; OPEN waits for one."""

    OPEN = "OPEN"
    SETTLED = "SETTLED"


class SyncConflict(Base):
    """Both sides changed a field since they last agreed: both values, and which one stayed."""

    __tablename__ = "sync_conflicts"
    __table_args__ = table_args(Index(None, "state", "at", "id"), Index(None, "link_id", "field", "state"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    link_id: Mapped[UUID] = mapped_column(ForeignKey("links.id", ondelete="CASCADE"))
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id"), index=True)
    field: Mapped[str] = mapped_column(String(60))
    desk: Mapped[Any] = mapped_column(Json)
    remote: Mapped[Any] = mapped_column(Json)
    winner: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    state: Mapped[ConflictState] = mapped_column(choice(ConflictState))
    at: Mapped[datetime]
    settled_by: Mapped[str | None] = mapped_column(String(200))
    settled_at: Mapped[datetime | None]


class SyncEvent(Base):
    """One line of what sync did, never altered: the timeline of a ticket and of a connection.

    `pushed` and `pulled` count what it wrote in the tracker and took over here: records, comments, files and times.
    """

    __tablename__ = "sync_events"
    __table_args__ = table_args(
        Index(None, "ticket_id", "id"),
        Index(None, "connection_id", "id"),
        Index(None, "at", "connection_id"),
        never_reuse_ids=True,
    )

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"))
    link_id: Mapped[UUID | None]
    ticket_id: Mapped[UUID | None]
    what: Mapped[str] = mapped_column(String(60))
    details: Mapped[dict[str, Any]] = mapped_column(Json)
    pushed: Mapped[int] = mapped_column(default=0, server_default="0")
    pulled: Mapped[int] = mapped_column(default=0, server_default="0")
    at: Mapped[datetime]


class RemotePerson(Base):
    """Somebody in a tracker, by the id that never changes, and who that is here (None: nobody, or not known)."""

    __tablename__ = "remote_people"
    __table_args__ = table_args(Index(None, "connection_id", "user_id"))

    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True)
    remote_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(254))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    seen_at: Mapped[datetime]
