"""The tables of service levels: policies, business calendars, and the clock of each ticket."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from deskbridge.kit.model import Base, Json, choice, table_args
from deskbridge.sla.calendar import Calendar, Hours
from deskbridge.tickets.model import Priority

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class BusinessCalendar(Base):
    """Weekly hours as {"monday": [["09:00", "17:00"], …], …} in wall-clock time of `time_zone`, and holidays."""

    __tablename__ = "business_calendars"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    time_zone: Mapped[str] = mapped_column(String(60))
    week: Mapped[dict[str, list[list[str]]]] = mapped_column(Json)
    holidays: Mapped[list[str]] = mapped_column(Json)
    version: Mapped[int] = mapped_column(default=1, server_default="1")


def calendar_of(week: dict[str, list[list[str]]], holidays: list[str], time_zone: str) -> Calendar:
    """Return the calendar that a written week means; raises `ValueError` for one that makes no sense."""
    if unknown := set(week) - set(WEEKDAYS):
        raise ValueError(f"there is no weekday called {', '.join(sorted(unknown))}")
    days = tuple(tuple(Hours(_minute(start), _minute(end)) for start, end in week.get(day, [])) for day in WEEKDAYS)
    return Calendar(days, frozenset(date.fromisoformat(day) for day in holidays), time_zone)


def _minute(text: str) -> int:
    """Return the minute of the day of `HH:MM`, where 24:00 is the end of it."""
    if text == "24:00":
        return 24 * 60
    at = time.fromisoformat(text)
    return at.hour * 60 + at.minute


class SlaPolicy(Base):
    """How long tickets of a priority may take, in minutes; None is no target.

    A policy for a team or a category goes before the general one, one for both before either.
    """

    __tablename__ = "sla_policies"
    __table_args__ = table_args(Index(None, "priority", "team_id", "category"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    priority: Mapped[Priority] = mapped_column(choice(Priority))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    category: Mapped[str | None] = mapped_column(ForeignKey("categories.key", ondelete="CASCADE"))
    response_minutes: Mapped[int | None]
    resolution_minutes: Mapped[int | None]
    calendar_id: Mapped[UUID | None] = mapped_column(ForeignKey("business_calendars.id"))
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class SlaClock(Base):
    """A ticket's clock: what it may take, when it stood still, how far its warnings have come, when to look again.

    `pauses` are [from, to] as ISO 8601, the last one's `to` null while it lasts. Levels are percent of the target: 50,
    75 and 90 were warned of, at 100 it was breached.
    """

    __tablename__ = "sla_clocks"

    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True)
    policy_id: Mapped[UUID | None] = mapped_column(ForeignKey("sla_policies.id", ondelete="SET NULL"))
    calendar_id: Mapped[UUID | None] = mapped_column(ForeignKey("business_calendars.id", ondelete="SET NULL"))
    response_minutes: Mapped[int | None]
    resolution_minutes: Mapped[int | None]
    pauses: Mapped[list[list[Any]]] = mapped_column(Json)
    response_level: Mapped[int]
    resolution_level: Mapped[int]
    next_check_at: Mapped[datetime | None] = mapped_column(index=True)
