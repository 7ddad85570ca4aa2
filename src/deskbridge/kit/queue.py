"""The job table: work that follows a committed change, in the same database as the change."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.ids import new_id
from deskbridge.kit.model import Base, Json, table_args

READY, PARKED = "READY", "PARKED"


class JobRow(Base):
    """One piece of work. It is gone once done; PARKED ones wait for a person, with the reason in `last_error`.

    A worker that takes it moves `run_at` past its lease and signs in `leased_by`: should it die, the job comes due
    again, and what it still writes afterwards no longer finds its signature.
    """

    __tablename__ = "jobs"
    __table_args__ = table_args(Index(None, "state", "run_at", "id"), Index(None, "kind", "state"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10))
    run_at: Mapped[datetime]
    attempts: Mapped[int]
    leased_by: Mapped[UUID | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class ScheduleRow(Base):
    """When a repeating job is next due; whichever worker moves `next_at` on is the one that queues it."""

    __tablename__ = "schedules"

    kind: Mapped[str] = mapped_column(String(60), primary_key=True)
    next_at: Mapped[datetime]


def queued(kind: str, payload: dict[str, Any], now: datetime, delay_seconds: float = 0) -> dict[str, Any]:
    """Return the row of a job that is ready `delay_seconds` from now."""
    return {
        "id": new_id(),
        "kind": kind,
        "payload": payload,
        "state": READY,
        "run_at": now + timedelta(seconds=delay_seconds),
        "attempts": 0,
        "leased_by": None,
        "last_error": None,
        "created_at": now,
    }
