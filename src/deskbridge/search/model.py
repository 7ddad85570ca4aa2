"""The index's own table: which documents there are. Their words are with the engine, in a table named `search_…`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Serial, choice, table_args
from deskbridge.tickets.model import Audience


class Document(Base):
    """One thing that can be found: a ticket's head, or one message. Newer documents have higher ids."""

    __tablename__ = "documents"
    __table_args__ = table_args(Index(None, "ticket_id", "id"), never_reuse_ids=True)

    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)
    audience: Mapped[Audience] = mapped_column(choice(Audience))
    at: Mapped[datetime]
