"""The tables of what goes with tickets: time entries, watchers, relations, ratings, and saved views of lists."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, choice, table_args


class TimeEntry(Base):
    """Minutes somebody worked on a ticket. The ticket's `time_spent_minutes` is their sum.

    What was logged in a tracker keeps by whom and in which connection.
    """

    __tablename__ = "time_entries"
    __table_args__ = table_args(Index(None, "ticket_id", "started_at", "id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    minutes: Mapped[int]
    note: Mapped[str] = mapped_column(String(2000))
    started_at: Mapped[datetime]
    written_by: Mapped[str | None] = mapped_column(String(200))
    written_in: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[datetime]


class Watcher(Base):
    """An agent who wants to hear of a ticket. Watching grants no sight."""

    __tablename__ = "watchers"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)


class RelationType(StrEnum):
    """How the first ticket stands to the second; PARENT: the first is the second's parent."""

    DUPLICATE_OF = "DUPLICATE_OF"
    BLOCKS = "BLOCKS"
    RELATES = "RELATES"
    PARENT = "PARENT"


class Relation(Base):
    """One ticket's relation to another, for agents. RELATES has no direction and is kept once."""

    __tablename__ = "relations"
    __table_args__ = table_args(UniqueConstraint("ticket_id", "type", "other_id"), Index(None, "other_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    type: Mapped[RelationType] = mapped_column(choice(RelationType))
    other_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))


class Rating(Base):
    """What the requester thought of it, from 1 to 5."""

    __tablename__ = "ratings"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    score: Mapped[int]
    comment: Mapped[str] = mapped_column(Text)
    rated_at: Mapped[datetime]


class SavedView(Base):
    """A list somebody wants to see again: the query of its address. A shared one is every agent's."""

    __tablename__ = "views"
    __table_args__ = table_args(Index(None, "owner_id", "name"), Index(None, "shared", "name"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    query: Mapped[str] = mapped_column(String(2000))
    shared: Mapped[bool]
    version: Mapped[int] = mapped_column(default=1, server_default="1")
